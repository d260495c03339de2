/** Playing with a result: the defender's game, points moved by hand, numbers moved in a sentence. */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest } from "../harness.mjs";
import { address, finished, nativeReport } from "../lab.mjs";

const SMALL = "#n=12&l1=0.001&l2=0.01&s=3&k=indirect";

/** Numbers of a text, in their order. */
const numbersIn = (text) => (text.match(/\d+\.\d+/g) ?? []).map(Number);

browserTest("the defender finds the poisoned task, or sees it", {}, async (page) => {
  await page.open("#i=2");
  await finished(page);
  await page.click("play-defender");
  await page.waitVisible("defend-T4");
  const hidden = await page.text("defender");
  assert.match(hidden, /error of tasks T1.*T3 went from .* Somebody added 6 points/s);
  assert.doesNotMatch(hidden, /attacking/);
  assert.equal(await page.focused(), "defend-T4");
  const maps = () =>
    page.execute(() =>
      [...document.querySelectorAll(".defender [data-map]")].map(({ dataset }) => dataset.map),
    );
  assert.deepEqual(await maps(), ["before", "today"]);
  await page.press(Key.ENTER);
  const told = await page.waitText("defend-status", /^(Right|No): it was T\d/);
  assert.match(told, /Found: [01] of 1/);
  const poisoned = Number(/it was T(\d)/.exec(told)[1]);
  assert.equal(told.startsWith("Right"), poisoned === 4);
  assert.deepEqual(await maps(), ["before", "today", "change"]);
  await page.screenshot("defender");
  assert.equal(await page.focused(), "defend-again");
  await page.click("defend-lab");
  const digest = await finished(page);
  const report = await nativeReport(page, await address(page, `r=${digest}`, "k=indirect"));
  assert.deepEqual(report.attacking_tasks, [poisoned - 1]);
  assert.equal(report.digest, digest);
  // Nobody would look for the cause of less.
  const mean = (model) => [0, 1, 2].reduce((sum, task) => sum + report[model].metric_per_task[task], 0);
  assert(mean("attacked") > 1.05 * mean("clean"));
});

browserTest("a poisoned point is moved with the keyboard, and the model answers", {}, async (page) => {
  await page.open(SMALL);
  await finished(page);
  await page.click("by-hand");
  const [yours, optimised, clean] = numbersIn(await page.waitText("hand-text", /with your points/));
  assert.equal(yours, optimised);
  assert.deepEqual(
    [clean, optimised].map(String),
    numbersIn(await page.text("headline"))
      .slice(0, 2)
      .map(String),
  );
  assert.equal(await page.focused(), "hand-grip");
  const label = () => page.execute(() => document.querySelector(".grip").getAttribute("aria-label"));
  const along = async () => Number(/along (−?[\d.]+)/.exec(await label())[1].replace("−", "-"));
  const [at, map] = [
    await along(),
    await page.execute(() => document.querySelector(".hand canvas").toDataURL()),
  ];
  await page.press(Key.ARROW_LEFT, Key.ARROW_LEFT, Key.ARROW_LEFT);
  await page.waitFor("other numbers", async () => numbersIn(await page.text("hand-text"))[0] !== yours);
  assert(Math.abs(at - (await along()) - 3 * 0.04 * 1.06) < 0.01, `${at} to ${await along()}`);
  await page.waitFor("another map", () =>
    page.execute((map) => document.querySelector(".hand canvas").toDataURL() !== map, map),
  );
  await page.waitText("hand-text", /(More|Less) damage/);
  await page.press(Key.PAGE_DOWN);
  assert.match(await label(), /^Poisoned point 2 /);
  await page.click("hand-restore");
  await page.waitFor("the first numbers", async () => numbersIn(await page.text("hand-text"))[0] === yours);
  await page.click("by-hand");
  await page.waitFor("the attack again", async () => !(await page.isVisible("hand")));
});

browserTest("a poisoned point is dragged, and stays in the ball", {}, async (page) => {
  await page.open(SMALL);
  await finished(page);
  await page.click("by-hand");
  await page.waitText("hand-text", /with your points/);
  const before = await page.text("hand-text");
  const grip = await page.find("hand-grip");
  await page.driver.actions().move({ origin: grip }).press().move({ origin: grip, x: -60, y: 40 }).perform();
  await page.waitFor("other numbers", async () => (await page.text("hand-text")) !== before);
  // Far outside: the point stays on the circle.
  await page.driver.actions().move({ origin: grip, x: -150, y: 200 }).perform();
  await page.driver.actions().move({ origin: grip, x: -150, y: 100 }).release().perform();
  const [x, y] = await page.execute(() =>
    /along (\S+), across (\S+)\. /
      .exec(document.querySelector(".grip").getAttribute("aria-label"))
      .slice(1)
      .map((text) => Number(text.replace("−", "-"))),
  );
  // Two decimals are shown.
  assert(Math.hypot(x, y) < 1.015, `${x}, ${y}`);
  await page.screenshot("by-hand");
});

browserTest("axe finds nothing in the game and in points moved by hand", { timeout: 120 }, async (page) => {
  for (const dark of [false, true]) {
    await page.open(SMALL);
    if (page.isChromium) await page.dark(dark);
    await finished(page);
    await page.click("by-hand");
    await page.waitText("hand-text", /with your points/);
    assert.deepEqual(await page.axe(), []);
    await page.click("play-defender");
    await page.click("defend-T4");
    await page.waitText("defend-status", /it was T\d/);
    assert.deepEqual(await page.axe(), []);
  }
});

browserTest("the numbers of the sentence move the budget and the iteration", {}, async (page) => {
  await page.open("#b=0.2&i=4");
  await finished(page);
  await page.waitText("sentence", /budget of\s+20 %\s+at iteration\s+4/);
  const [value] = numbersIn(await page.text("sentence-value"));
  assert(numbersIn(await page.text("headline")).includes(value));
  await page.execute((number) => number.focus(), await page.find("sentence-iteration"));
  await page.press(Key.HOME);
  await page.waitText("stage-iteration", "Random start");
  const start = await page.waitText("sentence-value", /\d/);
  assert.equal(await page.execute(() => document.querySelector(".tile.start strong").textContent), start);
  await page.execute((number) => number.focus(), await page.find("sentence-budget"));
  await page.press(Key.ARROW_RIGHT, Key.ARROW_RIGHT);
  await address(page, "b=0.3", "r=");
  await page.waitText("sentence", /30 %/);
  const slider = await page.execute(() => {
    const { role, ariaValueNow, ariaValueText } = document.querySelector("[data-testid=sentence-budget]");
    return [role, ariaValueNow, ariaValueText];
  });
  assert.deepEqual(slider, ["slider", "6", "30 %"]);
  const number = await page.find("sentence-budget");
  await page.driver
    .actions()
    .move({ origin: number })
    .press()
    .move({ origin: number, x: -48 })
    .release()
    .perform();
  await address(page, "b=0.1", "r=");
});

browserTest("without poisoned points there is no attack to be seen", {}, async (page) => {
  await page.open("#b=0&i=3");
  await finished(page);
  await page.waitFor("one number", () =>
    page.execute(() => document.querySelectorAll("#tiles .tile").length === 1),
  );
  assert.doesNotMatch(await page.text("task-table"), /attacking/);
  assert.equal(await page.execute(() => document.querySelectorAll("#network .poison").length), 0);
  assert(!(await page.isVisible("by-hand")));
});
