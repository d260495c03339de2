/** Runs: published data, the live curve, cancel, files, the same digest as native code. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import { chooseItem, finished, iteration, LONG, nativeReport, reached, state } from "../lab.mjs";

for (const { name, tasks, metric } of [
  { name: "sarcos", tasks: 7, metric: "NMSE" },
  { name: "landmine", tasks: 29, metric: "AUC" },
  { name: "mnist", tasks: 10, metric: "AUC" },
]) {
  browserTest(`${name} runs`, { timeout: 300, data: [name] }, async (page) => {
    await page.open();
    await finished(page);
    await page.execute((name) => document.getElementById(`dataset-${name}`)?.click(), name);
    await page.waitText("data-note", `${tasks} tasks`);
    await page.click("run");
    await finished(page, 200);
    assert.match(await page.text("headline"), new RegExp(metric));
    const rows = await page.execute(() => document.querySelectorAll("#task-table tbody tr").length);
    assert.equal(rows, tasks);
    await page.screenshotWhole(`run-${name}`);
  });
}

/** The label of the curve's canvas, and its pixels. */
const drawn = (page) =>
  page.execute(() => {
    const canvas = document.querySelector("#curve canvas");
    return { label: canvas.getAttribute("aria-label"), pixels: canvas.toDataURL() };
  });

browserTest("the curve grows while the run goes on", { tier: "default" }, async (page) => {
  await page.open(LONG);
  const pictures = new Set();
  let last = 0;
  for (let looks = 0; looks < 3; looks++) {
    last = await iteration(page, last + 1);
    await page.settle();
    const { label, pixels } = await drawn(page);
    assert.match(label, /^Running/);
    pictures.add(pixels);
    await sleep(100);
  }
  assert.equal(pictures.size, 3, "the curve did not change");
});

browserTest("cancel keeps the curve, and the next run works", { tier: "default" }, async (page) => {
  await page.open(LONG);
  await page.waitText("status", "Iteration");
  await page.waitFor(
    "a few points",
    async () => Number(/(\d+)\.?$/.exec((await drawn(page)).label)?.[1]) >= 3,
  );
  await page.waitText("headline", "The attack is running");
  const state = await page.execute(() => {
    document.getElementById("cancel")?.click();
    return document.getElementById("results")?.dataset.state;
  });
  assert.equal(state, "cancelled");
  await page.settle();
  const before = await drawn(page);
  assert.match(before.label, /^Cancelled at iteration/);
  await page.waitText("where-words", "poisoned points");
  await page.screenshotWhole("cancelled");
  await sleep(400);
  assert.equal((await drawn(page)).pixels, before.pixels, "the curve changed after the cancel");
  await page.set("field-iterations", 4);
  await page.click("run");
  await finished(page);
  await page.waitText("status", "4 iterations");
});

browserTest("a double click on Run starts one run", {}, async (page) => {
  await page.open(LONG);
  await iteration(page, 1);
  await page.click("cancel");
  await reached(page, "cancelled", 5);
  const button = await page.find("run");
  await page.execute((button) => button.scrollIntoView({ block: "center" }), button);
  await page.driver.actions().doubleClick(button).perform();
  await iteration(page, 2);
  await page.click("cancel");
  await reached(page, "cancelled", 5);
});

browserTest("a change of settings does not disturb the current run", {}, async (page) => {
  await page.open("#p=constant&i=300&pb=20");
  await page.waitText("status", "Iteration");
  await page.set("field-budget", 0.4);
  assert.equal(await state(page), "running");
  await finished(page);
  await page.waitText("status", "Settings changed");
  await page.click("run");
  await reached(page, "running", 5);
  await finished(page);
  assert.match(await page.fragment(), /b=0\.4/);
});

browserTest("downloads hold the report and the points", { tier: "default" }, async (page) => {
  await page.open("#i=3");
  const digest = await finished(page);
  await chooseItem(page, "save-report");
  const report = JSON.parse(readFileSync(await page.downloaded("report.json"), "utf8"));
  assert.equal(report.digest, digest);
  assert.equal(report.spec.iterations, 3);
  await chooseItem(page, "save-points");
  const points = readFileSync(await page.downloaded("points.csv"), "utf8");
  assert(points.startsWith("task,split,label,x1,"));
  assert.match(points, /,injected,/);
});

for (const [dataset, links] of [
  [
    "synthetic",
    [
      "#v=1",
      "#k=indirect&g=published&p=constant&i=4&s=3",
      "#l=squared_hinge&k=hybrid&g=implicit&i=6",
      "#o=alternating&m=random&b=0.3",
    ],
  ],
  ["sarcos", ["#d=sarcos", "#d=sarcos&k=indirect&i=5"]],
  ["landmine", ["#d=landmine&i=5", "#d=landmine&k=hybrid&i=3"]],
]) {
  const data = dataset === "synthetic" ? [] : [dataset];
  browserTest(`page and command line agree on ${dataset}`, { timeout: 600, data }, async (page) => {
    for (const link of links) {
      await page.open(link);
      const digest = await finished(page, 120);
      assert.equal((await nativeReport(page, link)).digest, digest, link);
    }
  });
}
