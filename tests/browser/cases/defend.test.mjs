/** The view of defences: published studies, studies that run here, what they can be saved as. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Key } from "selenium-webdriver";

import { browserTest } from "../harness.mjs";
import { chooseItem, finished, noWorkerIsLeft } from "../lab.mjs";

/** A study that is not published, of runs that take a fraction of a second. */
const SMALL = "#view=defend&k=indirect&i=3&s=5";
/** One whose runs take long. */
const LONG = "#view=defend&k=indirect&i=300&s=5&p=constant";

const state = (page) => page.execute(() => document.querySelector("[data-testid=defend]")?.dataset.state);
const reached = (page, wanted, seconds = 90) =>
  page.waitFor(`the state ${wanted}`, async () => (await state(page)) === wanted, seconds);

/** The label of a canvas, and its pixels. */
const drawn = (page, id) =>
  page.execute((id) => {
    const canvas = document.querySelector(`[data-testid=${id}]`);
    return { label: canvas.getAttribute("aria-label"), pixels: canvas.toDataURL() };
  }, id);

const unfold = (page) =>
  page.execute(() => {
    for (const box of document.querySelectorAll(".figure-cards details:not(.menu)")) box.open = true;
  });

browserTest(
  "the view of defences opens with published results and a verdict",
  { tier: "default", data: ["sarcos"], timeout: 180 },
  async (page) => {
    await page.open("#view=defend");
    const engine = await page.waitText("engine-version", ".");
    await page.waitText("defend-source", `Published results: engine ${engine}, computed on `);
    for (const dataset of ["synthetic", "sarcos", "landmine", "mnist"]) {
      const file = join(page.dist, `published/defence-${dataset}.json`);
      assert.equal(JSON.parse(readFileSync(file, "utf8")).engine, engine, file);
    }
    assert.equal(await state(page), "idle", "nothing runs");
    assert.match(await page.text("defend-verdict"), /pull cap holds/);
    assert.match(await page.text("defend-about"), /Sarcos, indirect attack on tasks.T1/);
    // Every picture has a summary and a table.
    for (const id of ["defend-caps", "defend-filters", "defend-rankings"]) {
      assert.match((await drawn(page, id)).label, /pull cap holds/);
    }
    await unfold(page);
    await page.waitText("defend-caps-table", /μ = 0.1/);
    await page.waitText("defend-filters-table", /trim/);
    await page.waitText("defend-rankings-table", /paper's clue/);
    assert.deepEqual(await page.axe(), []);
    await page.screenshotWhole("defend");
    // Another study, by the buttons; the address follows.
    await page.execute((input) => input.click(), await page.find("defend-attack-direct"));
    await page.waitText("defend-verdict", /No defence holds/);
    assert.match(await page.fragment(), /view=defend&.*d=sarcos/);
  },
);

browserTest("where storage is slow, a study of defences that is done is kept", {}, async (page) => {
  page.slowStorage(500);
  await page.open(SMALL);
  await reached(page, "done");
  await page.open(SMALL);
  await reached(page, "kept", 15);
});

browserTest(
  "a study of defences runs, is kept, and is saved",
  { tier: "default", timeout: 180 },
  async (page) => {
    await page.open(SMALL);
    await reached(page, "done");
    const [, digest] = /digest ([0-9a-f]{16})/.exec(await page.text("defend-status"));
    assert.match(await page.text("defend-verdict"), /\S/);
    await chooseItem(page, "defend-csv");
    const csv = readFileSync(await page.downloaded("defence.csv"), "utf8");
    assert.match(csv, /^defence,setting,attacker,knows/);
    assert(/pull_cap,0.1,through_cap,true/.test(csv), csv);
    await chooseItem(page, "defend-json");
    assert.equal(JSON.parse(readFileSync(await page.downloaded("defence.json"), "utf8")).digest, digest);
    await noWorkerIsLeft(page);
    // The keyboard reads the curves.
    await page.execute(() => document.querySelector("[data-testid=defend-caps]").focus());
    await page.press(Key.ARROW_RIGHT);
    await page.waitText("defend-caps-readout", /Single-task learning: clean/);
    // After a reload nothing is computed again.
    await page.reload();
    await page.waitText("defend-status", `Saved results: `);
    assert((await page.text("defend-status")).includes(digest));
  },
);

browserTest(
  "a study of defences is cancelled at once, and continued",
  { tier: "default", timeout: 180 },
  async (page) => {
    await page.open(LONG);
    await reached(page, "running");
    await page.waitVisible("defend-progress");
    await page.click("defend-cancel");
    await reached(page, "cancelled", 2);
    await noWorkerIsLeft(page);
    assert.doesNotMatch(await page.text("defend-verdict"), /holds/, "no verdict before every attacker tried");
    // Other settings are another study.
    await page.setFragment(SMALL);
    await reached(page, "done");
  },
);

browserTest("pictures of defences are saved with their link", { timeout: 180 }, async (page) => {
  await page.open(SMALL);
  await reached(page, "done");
  await chooseItem(page, "defend-caps-svg");
  const svg = readFileSync(await page.downloaded("defence-caps.svg"), "utf8");
  assert.match(svg, /view=defend&amp;[^"]*k=indirect/);
  assert.match(svg, /certified/);
  await chooseItem(page, "defend-rankings-png");
  await page.downloaded("defence-rankings.png");
});

browserTest("a run of a study opens in the lab and reproduces", { timeout: 180 }, async (page) => {
  await page.open(SMALL);
  await reached(page, "done");
  await unfold(page);
  await page.waitText("defend-runs", "through the cap, μ = 0.1");
  await page.execute(() => {
    const links = [...document.querySelectorAll("[data-testid=defend-runs] a")];
    links.find(({ textContent }) => textContent.endsWith("μ = 0.1")).click();
  });
  await finished(page);
  assert.equal(await page.property("field-pull_cap", "value"), "0.1");
  await page.waitText("headline", "Certified bound");
  await page.waitText("tiles", "Certified");
});

browserTest("what cannot be studied says why", {}, async (page) => {
  for (const [fragment, reason] of [
    ["#view=defend&m=random", /random does not optimise/],
    ["#view=defend&b=0", /nothing to defend against/],
    ["#view=defend&b=7", /[Bb]udget/],
  ]) {
    await page.open(fragment);
    await page.waitText("defend-problems", reason);
  }
});
