/** The network and the maps: one slider for all charts, the value at the pointer, taps, one map on a phone. */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { complete, finished } from "../lab.mjs";

async function open(page, link = "") {
  await page.open(link);
  await finished(page);
  await page.waitFor("the rest of the page", () => complete(page));
}

const captions = (page) =>
  page.execute(() =>
    [...document.querySelectorAll("#heatmaps figure")]
      .filter((figure) => figure.checkVisibility())
      .map((figure) => figure.querySelector("figcaption").textContent),
  );

const pixels = async (page, name) => {
  await page.settle();
  return page.execute((name) => document.querySelector(`[data-map=${name}]`).toDataURL(), name);
};

/** Colours of the tasks in the network. */
const nodes = (page) =>
  page.execute(() =>
    [...document.querySelectorAll("#network .node")].map((node) =>
      node.style.getPropertyValue("--bad-share"),
    ),
  );

browserTest("one slider moves network, curve, maps and points", { tier: "default" }, async (page) => {
  await open(page, "#k=indirect");
  await page.waitText("stage-caption", /Nobody added points to tasks.T1.*T3/);
  const end = [await pixels(page, "attacked"), String(await nodes(page))];
  await page.set("stage-slider", 0);
  await page.waitText("stage-iteration", "Random start");
  await page.waitText("where-iteration", "Random start");
  await page.waitText("curve-readout", "Iteration 0:");
  assert((await captions(page)).includes("Learned at the random start"));
  assert.notEqual(await pixels(page, "attacked"), end[0], "the map stays");
  assert.notEqual(String(await nodes(page)), end[1], "the network stays");
  await page.set("where-slider", 15);
  await page.waitText("stage-iteration", "Iteration 15 of 15");
  assert.equal(await pixels(page, "attacked"), end[0]);
  assert.equal(String(await nodes(page)), end[1]);
});

browserTest("three maps stand in one row, the truth comes on demand", {}, async (page) => {
  await page.viewport(1280, 720);
  await open(page);
  const tops = () =>
    page.execute(() =>
      [...document.querySelectorAll("#heatmaps figure")]
        .filter((figure) => figure.checkVisibility())
        .map((figure) => Math.round(figure.getBoundingClientRect().top)),
    );
  const row = await tops();
  assert.equal(row.length, 3);
  assert.equal(new Set(row).size, 1, row.join());
  await page.set("show-truth", true);
  assert.equal((await tops()).length, 4);
  assert((await captions(page)).includes("True"));
});

browserTest("headline and maps are visible together at 1280 x 720", {}, async (page) => {
  await page.viewport(1280, 720);
  await open(page);
  const [headline, maps] = await page.execute(() => {
    const top = document.getElementById("headline").getBoundingClientRect().top;
    const canvas = document.querySelector("[data-map=clean]").getBoundingClientRect();
    // The cells, without the bar of colours below them.
    return [top, canvas.top + 34 + Math.floor((canvas.width - 46) / 8) * 8];
  });
  assert(maps - headline <= 720, `${maps - headline} pixels from the headline to the end of the maps`);
  await page.execute((top) => scrollTo(0, top - 4), headline);
  await page.screenshot("headline-and-maps");
});

browserTest("the value of a cell stands at the pointer, with the roles of its tasks", {}, async (page) => {
  await open(page, "#k=indirect");
  await page.execute(() => document.querySelector("[data-map=clean]").focus());
  await page.press(Key.ARROW_DOWN, Key.ARROW_RIGHT, Key.END);
  await page.waitText("cell-tip", /T1.*\(target\) and T8.*\(attacking\).*before/s);
  await page.waitText("cell-readout", /T1.*\(target\) and T8.*\(attacking\)/);
  const inside = await page.execute(() => {
    const tip = document.querySelector("[data-testid=cell-tip]").getBoundingClientRect();
    const box = document.getElementById("heatmaps").getBoundingClientRect();
    return tip.left >= box.left - 1 && tip.right <= box.right + 1;
  });
  assert(inside, "the value leaves the card");
  await page.press(Key.ESCAPE);
  await page.waitHidden("cell-tip");
});

browserTest("Home, End and Page move in a map as in a grid", {}, async (page) => {
  await open(page);
  await page.execute(() => document.querySelector("[data-map=attacked]").focus());
  const at = (...tasks) =>
    page.waitText("cell-readout", new RegExp(`^${tasks.map((task) => `${task}\\b[^:]*`).join("and ")}:`));
  await page.press(Key.ARROW_DOWN);
  await at("T1");
  await page.press(Key.END);
  await at("T1", "T8");
  await page.press(Key.PAGE_DOWN);
  await at("T6", "T8");
  await page.press(Key.HOME);
  await at("T6", "T1");
  await page.press(Key.PAGE_UP);
  await at("T1");
});

browserTest("before and after blink in one place", {}, async (page) => {
  await open(page);
  const after = await pixels(page, "attacked");
  const shows = (wanted) => page.waitFor(wanted, async () => (await captions(page))[1] === wanted);
  await page.click("blink");
  await shows("Learned from clean data");
  await shows("Learned under attack");
  await page.click("blink");
  await shows("Learned under attack");
  assert.equal(await pixels(page, "attacked"), after);
  if (!page.isChromium) return;
  // Nothing moves by itself then: each press swaps once.
  await page.media({ "prefers-reduced-motion": "reduce" });
  await page.click("blink");
  await shows("Learned from clean data");
  await page.click("blink");
  await shows("Learned under attack");
});

/** Taps an element at an offset from its corner. */
async function tap(page, selector, x, y) {
  const [left, top] = await page.execute((selector) => {
    const element = document.querySelector(selector);
    element.scrollIntoView({ block: "center" });
    const { left, top } = element.getBoundingClientRect();
    return [left, top];
  }, selector);
  const touchPoints = [{ x: left + x, y: top + y }];
  await page.cdp("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
  await page.cdp("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

async function phone(page, link) {
  await page.cdp("Emulation.setTouchEmulationEnabled", { enabled: true });
  await page.viewport(390, 844);
  await open(page, link);
}

browserTest(
  "a tap on a map or on the curve holds until the next tap",
  { engines: CHROMIUM },
  async (page) => {
    await phone(page, "#k=indirect");
    try {
      await tap(page, "[data-map=attacked]", 130, 60);
      const first = await page.waitText("cell-readout", /T\d.*:/);
      await page.settle();
      assert.equal(await page.text("cell-readout"), first, "the value is gone");
      assert(await page.isVisible("cell-tip"));
      await tap(page, "[data-map=attacked]", 230, 160);
      await page.waitFor("another cell", async () => (await page.text("cell-readout")) !== first);
      await tap(page, "#curve canvas", 200, 120);
      await page.waitText("curve-readout", /^Iteration \d+:/);
      await page.settle();
      await page.waitText("curve-readout", /^Iteration \d+:/);
      assert(!/press|hover/i.test(await page.text("cell-readout")), "a finger is told to press a key");
    } finally {
      await page.cdp("Emulation.setTouchEmulationEnabled", { enabled: false });
    }
  },
);

browserTest("a phone shows one map at a time, and the triangles of attacking tasks", {}, async (page) => {
  await page.viewport(390, 844);
  await open(page, "#k=indirect");
  assert.deepEqual(await captions(page), ["Learned under attack"]);
  await page.set("map-clean", true);
  assert.deepEqual(await captions(page), ["Learned from clean data"]);
  await page.set("map-difference", true);
  assert.match(String(await captions(page)), /^Difference[^,]*$/);
  // Pictures are drawn with the next frame.
  await page.waitFor("the picture of the map", () =>
    page.execute(() => document.querySelector("[data-map=difference]").width > 300),
  );
  const marks = await page.execute(() =>
    [...document.querySelectorAll("#task-table td .role")].map((role) =>
      Number.parseFloat(getComputedStyle(role, "::before").fontSize),
    ),
  );
  assert(marks.length > 0 && marks.every((size) => size > 8), marks.join());
  const [wide, seen] = await page.execute(() => {
    const table = document.getElementById("task-table");
    return [table.scrollWidth, table.clientWidth];
  });
  assert(wide <= seen, `the task table is cut: ${wide} of ${seen}`);
});
