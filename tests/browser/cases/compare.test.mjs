/** Two compared runs: their names, what is saved, and the view for a slide. */

import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";

import { browserTest } from "../harness.mjs";
import { address } from "../lab.mjs";

const PAIR = "#view=compare&left=v=2&right=v=2%26k=indirect";

const done = (page) =>
  page.waitFor(
    "both runs",
    async () => (await page.property("compare-view", "dataset")).state === "done",
    30,
  );

async function saved(page, id, name) {
  await page.click(id);
  const path = await page.downloaded(name);
  const text = readFileSync(path, "utf8");
  rmSync(path);
  return text;
}

browserTest("beside a run whose other one is missing stand random points", {}, async (page) => {
  await page.open("#view=compare");
  await done(page);
  await page.waitText("compare-sentence", /^A hurts more: .*differ in method/);
  assert.match(
    await page.text("compare-status"),
    /^Optimised points beside random.*another run A or B above/,
  );
  assert.equal(await page.fragment(), "#view=compare");
  await page.open("#view=compare&left=k=indirect%26m=random");
  await done(page);
  await page.waitText("compare-sentence", /^B hurts more: .*differ in method/);
  assert.match(await page.text("compare-status"), /another run B above/);
  await page.set("compare-A", "#i=3");
  await page.click("compare-run");
  await address(page, "left=i=3");
  await page.waitText("compare-sentence", /^A hurts more: .*differ in method/);
  await page.set("compare-B", "#i=4");
  await page.click("compare-run");
  await page.waitText("compare-sentence", /differ in iterations/);
  assert.equal(await page.text("compare-status"), "Both runs are done.");
});

browserTest("compared runs have names, which the address keeps", {}, async (page) => {
  await page.open(PAIR);
  await done(page);
  assert.match(
    await page.text("compare-sentence"),
    /^A hurts more: NMSE [\d.]+ against [\d.]+; they differ in/,
  );
  await page.set("compare-name-A", "own tasks");
  await page.set("compare-name-B", "the others | 5 & more");
  const link = await address(page, "names=own%20tasks|the%20others");
  await page.waitText("compare-sentence", /^A \(own tasks\) hurts more/);
  await page.waitText("compare-tasks", "Attacked, B (the others");
  await page.open(link);
  await done(page);
  await page.waitText("compare-sentence", /^A \(own tasks\)/);
});

browserTest("a comparison is saved and embedded", { timeout: 90 }, async (page) => {
  await page.open(PAIR);
  await done(page);
  const tasks = await saved(page, "compare-csv", "comparison-tasks.csv");
  const rows = tasks.trim().split("\n");
  assert.equal(rows[0], "task,role_a,role_b,nmse_clean_a,nmse_clean_b,nmse_attacked_a,nmse_attacked_b");
  assert.equal(rows.length, 1 + 8);
  // T1 is poisoned in A alone.
  assert.match(rows[1], /^.*"target, attacking",target,/);
  const curves = await saved(page, "compare-curve-csv", "comparison-curves.csv");
  assert.match(curves, /^run,iteration,metric,utility\nA,0,/);
  assert.match(curves, /\nB,15,/);
  // The link is inside: dropped, the picture opens the comparison again.
  assert.match(await saved(page, "compare-png", "comparison.png"), /view=compare&left=/);
  await page.execute(() => {
    const writeText = async (text) => Object.assign(window, { copiedText: text });
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText } });
  });
  await page.click("compare-embed");
  await page.waitText("compare-copied", "iframe copied");
  const snippet = await page.execute(() => window.copiedText);
  assert.match(snippet, /width="960" height="540".*/);
  assert.match(snippet, /theme=light/);
  await page.leave();
  await page.execute((html) => void (document.body.innerHTML = html), snippet);
  const shown = await page.waitFor("the comparison in the frame", () =>
    page.execute(() => {
      const { contentDocument } = document.querySelector("iframe");
      const text = contentDocument.querySelector("[data-testid=compare-sentence]")?.textContent ?? "";
      const form = contentDocument.querySelector("[data-testid=compare-run]");
      return text && [text, form.checkVisibility(), contentDocument.querySelector(".embed-link").href];
    }),
  );
  assert.match(shown[0], /^A hurts more/);
  assert.equal(shown[1], false, "no form in a slide");
  assert.match(shown[2], /view=compare&left=/);
  assert.doesNotMatch(shown[2], /embed/);
  await page.screenshot("embed-comparison");
});
