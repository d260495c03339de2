/** The page loads, from its own host alone, with few bytes; and its footer. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { browserTest } from "../harness.mjs";
import { complete, finished } from "../lab.mjs";
import { FILES, FRAME } from "../server.mjs";

/** What the first result may cost, as hosts send it. */
const FIRST_LOAD = 330_000;

const [, VERSION] = /^version = "(.*)"$/m.exec(readFileSync("Cargo.toml", "utf8")) ?? [];

browserTest("the page shows the version of its engine", { tier: "default" }, async (page) => {
  await page.open();
  await page.waitText("engine-version", `${VERSION}`);
  await page.screenshot("first-load");
});

browserTest("nothing is requested from another host", { tier: "default" }, async (page) => {
  await page.open();
  await page.waitText("engine-version", ".");
  const requested = await page.execute(() =>
    performance.getEntriesByType("resource").map(({ name }) => name),
  );
  assert.notEqual(requested.length, 0, "not even its own files were requested");
  for (const address of requested) assert(address.startsWith(page.server.url), `requested ${address}`);
});

browserTest("the first result costs at most 330 kB", { tier: "default" }, async (page) => {
  // However slow the machine: no run is long, and what is loaded when no result comes has to wait.
  page.setClock(0.01);
  // A request that marks the first result among the others.
  page.server.prelude((marker) => {
    const later = setTimeout;
    window.setTimeout = (work, milliseconds = 0, ...more) =>
      later(work, milliseconds < 1000 ? milliseconds : 100 * milliseconds, ...more);
    const isDone = () => document.getElementById("results")?.dataset.state === "done";
    const observer = new MutationObserver(() => {
      if (!isDone()) return;
      observer.disconnect();
      fetch(marker);
    });
    observer.observe(document, { subtree: true, attributeFilter: ["data-state"] });
  }, FRAME);
  await page.open();
  await finished(page);
  await page.waitFor("the rest of the page", () => complete(page));
  // The neutral page is also what every case begins with.
  const requests = page.server.takeRequests().map((path) => path.slice(page.server.mount.length));
  const [start, end] = [requests.indexOf(FRAME), requests.lastIndexOf(FRAME)];
  const first = new Set(requests.slice(start + 1, end).filter((path) => !path.includes("test-prelude")));
  assert(end > start && end < requests.length - 1, requests.join());
  const sizes = [...first].map((path) => {
    const size = gzipSync(readFileSync(join(page.dist, path || "index.html")), { level: 9 }).length;
    return [path, size];
  });
  assert(
    sizes.some(([path]) => FILES.engine.test(`/${path}`)),
    sizes.join("\n"),
  );
  const sum = sizes.reduce((sum, [, size]) => sum + size, 0);
  assert(sum <= FIRST_LOAD, `${sum} bytes: ${sizes.join("; ")}`);
});

browserTest("the footer leads to the licences, and to the source if it is known", {}, async (page) => {
  await page.open();
  await finished(page);
  await page.waitFor("the rest of the page", () => complete(page));
  const licences = await page.execute(async () => {
    const response = await fetch(document.querySelector("[data-testid=licence-link]").href);
    return `${response.status} ${await response.text()}`;
  });
  assert.match(licences, /^200 .*Apache License/s);
  assert(!(await page.isVisible("repository-links")));
  const replace = (html) =>
    `${html}`.replace('name="repository" content=""', 'name="repository" content="https://host.test/lab"');
  page.server.fault(FILES.page, { replace });
  await page.open();
  await page.waitVisible("repository-links");
  assert.equal(await page.property("source-link", "href"), "https://host.test/lab");
  assert.equal(await page.property("report-problem", "href"), "https://host.test/lab/issues");
});
