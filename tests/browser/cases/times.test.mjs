/** Response times. `cargo xtask test` runs this file alone: beside another browser, times mean nothing. */

import assert from "node:assert/strict";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { finished, iteration, LONG } from "../lab.mjs";

const OPTIONS = { tier: "default", engines: CHROMIUM };
/** @param {number} milliseconds @param {number} limit */
const within = (milliseconds, limit) =>
  assert(milliseconds <= limit, `${milliseconds} ms; the limit is ${limit}`);

/** Milliseconds between two marks of the page. */
const between = (page, from, to) =>
  page.execute(
    (from, to) => {
      const time = (name) => (name ? performance.getEntriesByName(name)[0].startTime : 0);
      return time(to) - time(from);
    },
    from,
    to,
  );

browserTest("the first result comes within three seconds", OPTIONS, async (page) => {
  await page.open();
  await finished(page);
  // The goal is one second on an idle machine.
  within(await between(page, "", "done"), 3000);
});

browserTest("the first point of a run comes within three seconds", OPTIONS, async (page) => {
  await page.open(LONG);
  await iteration(page, 1);
  within(await between(page, "run", "first-point"), 3000);
});

browserTest("a cancel takes at most 100 milliseconds", OPTIONS, async (page) => {
  await page.open(LONG);
  await iteration(page, 3);
  const took = await page.execute(() => {
    const start = performance.now();
    document.getElementById("cancel")?.click();
    return performance.now() - start;
  });
  within(took, 100);
});
