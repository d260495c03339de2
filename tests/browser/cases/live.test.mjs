/** Running on change, Run in sight, and what the browser's history keeps of it. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import { address, complete, finished, reached } from "../lab.mjs";

/** Notes every state of the page from now on: state of the run, greyed out, Cancel shown. */
const watch = (page) =>
  page.execute(() => {
    const results = document.getElementById("results");
    const states = new Set();
    const note = () =>
      states.add(
        [
          results.dataset.state,
          results.hasAttribute("data-stale") ? "grey" : "",
          document.getElementById("cancel").hidden ? "" : "cancel",
        ].join(" "),
      );
    new MutationObserver(note).observe(document.body, { subtree: true, attributes: true, childList: true });
    Object.assign(window, { states });
  });
const seen = (page) => page.execute(() => [...window.states]);

const headline = (page, part) => page.waitText("headline", part);

browserTest("a changed budget runs by itself and greys nothing out", { tier: "default" }, async (page) => {
  // On a busy machine runs take long.
  page.setClock(0.1);
  await page.open("#b=0.2&i=4");
  await finished(page);
  await headline(page, /^24 /);
  await watch(page);
  await page.set("field-budget", 0.4);
  await headline(page, /^48 /);
  await address(page, "b=0.4", "r=");
  const states = await seen(page);
  assert(states.some((one) => one.startsWith("done")) && states.length > 1, states.join());
  assert(!states.some((one) => one.includes("grey") || one.includes("cancel")), states.join());
});

browserTest("a run that is expected to be slow waits for Run", {}, async (page) => {
  await page.open("#i=4");
  await finished(page);
  await page.set("field-iterations", 1000);
  await page.waitText("status", "Press Run");
  await sleep(800);
  assert.equal((await page.execute(() => document.getElementById("results").dataset)).state, "done");
  assert(await page.isVisible("run"));
});

browserTest("where runs take half a second, changes wait for Run", {}, async (page) => {
  // A slow machine: the page's clock runs a thousand times as fast.
  page.setClock(1000);
  await page.open("#i=4");
  await finished(page);
  await page.set("field-budget", 0.4);
  await page.waitText("status", "Press Run");
  await sleep(500);
  await page.waitText("status", "Press Run");
});

browserTest(
  "other published data run by themselves, a slow machine waits",
  { data: ["landmine"] },
  async (page) => {
    await page.open("#i=4");
    await finished(page);
    await watch(page);
    await page.set("dataset-landmine", true);
    await address(page, "d=landmine", "r=");
    await headline(page, /AUC/);
    const states = await seen(page);
    assert(!states.some((one) => one.includes("grey")), states.join());
    // The same where the last run took long.
    page.setClock(1000);
    await page.open("#i=5");
    await finished(page);
    await page.set("dataset-landmine", true);
    await page.waitText("status", "Press Run");
  },
);

browserTest("settings that are invalid do not run", {}, async (page) => {
  await page.open("#i=4");
  const digest = await finished(page);
  await page.set("field-budget", 7);
  await page.waitVisible("error-budget");
  await sleep(500);
  assert.equal(await finished(page), digest);
});

browserTest("each run is one entry of the browser's history, a moved slider is one", {}, async (page) => {
  await page.open("#i=4");
  await finished(page);
  const length = () => page.execute(() => history.length);
  const before = await length();
  const changes = [
    ["field-seed", 5, "s=5"],
    ["field-iterations", 6, "i=6"],
  ];
  for (const [k, [field, value, key]] of changes.entries()) {
    await page.set(field, value);
    await page.click("run");
    await reached(page, "done");
    await address(page, key, "r=");
    assert.equal(await length(), before + k + 1);
  }
  for (const budget of [0.3, 0.35, 0.4]) {
    await page.set("field-budget", budget);
    await address(page, `b=${budget}`, "r=");
  }
  assert.equal(await length(), before + 3);
  await page.execute(() => history.back());
  await address(page, "s=5", "i=6", "r=");
  await page.waitText("notices", "Reproduced bit for bit");
  await page.execute(() => history.back());
  await address(page, "s=5", "i=4", "r=");
  await page.waitText("notices", "Reproduced bit for bit");
});

for (const [width, height] of [
  [1280, 720],
  [1366, 768],
  [1400, 900],
  [1920, 1080],
  [390, 844],
]) {
  browserTest(`Run is in sight at ${width} x ${height}, scrolled or not`, {}, async (page) => {
    await page.viewport(width, height);
    await page.open("#i=2");
    await finished(page);
    await page.waitFor("the rest of the page", () => complete(page));
    const inSight = () =>
      page.execute(() => {
        const { top, bottom, height } = document.getElementById("run").getBoundingClientRect();
        return height > 20 && top >= 0 && bottom <= innerHeight;
      });
    assert(await inSight(), "not scrolled");
    await page.execute(() => scrollTo(0, 1200));
    await page.settle();
    assert(await inSight(), "scrolled");
    const [attack, budget] = await page.execute(() =>
      ["attack", "budget"].map((name) => {
        const field = document.querySelector(`#fields [data-field=${name}]`);
        return [...document.querySelectorAll("#fields [data-field]")].indexOf(field);
      }),
    );
    assert.equal(budget, attack + 1, "the budget stands right below Attack");
  });
}
