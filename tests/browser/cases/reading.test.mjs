/** Reading a result: poisoned points, linked pictures and tables, a line per target, two runs side by side. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { Key } from "selenium-webdriver";

import { browserTest } from "../harness.mjs";
import { address, finished, noWorkerIsLeft, reached, state, TEXTS } from "../lab.mjs";

const POINTS = "[data-testid=where-picture]";
const CURVE = "#curve canvas";
const ATTACKED = "[data-map=attacked]";

/** The pixels of a picture. */
async function picture(page, selector) {
  await page.settle();
  return page.execute((selector) => document.querySelector(selector).toDataURL(), selector);
}

/** Opens the lab and waits for the picture of the poisoned points. */
async function open(page, link = "") {
  await page.open(link);
  const digest = await finished(page);
  await page.waitText("where-iteration", "Iteration");
  return digest;
}

const focus = (page, selector) =>
  page.execute((selector) => document.querySelector(selector).focus(), selector);

const isEmpty = (page, id) => page.waitText(id, /^$/);

browserTest("the points follow the cursor of the curve, and lead it", {}, async (page) => {
  await open(page);
  const both = async (iteration) => {
    await page.waitText("where-iteration", `Iteration ${iteration} of 15`);
    await page.waitText("curve-readout", `Iteration ${iteration}:`);
  };
  await page.waitText("where-iteration", "Iteration 15 of 15");
  const end = await picture(page, POINTS);
  await page.set("where-slider", 3);
  await both(3);
  assert.notEqual(await picture(page, POINTS), end, "iterations 3 and 15 look the same");
  await focus(page, CURVE);
  await page.press(Key.ARROW_RIGHT);
  await both(4);
  await page.press(Key.HOME);
  await page.waitText("where-iteration", "Random start");
  await page.waitText("where-words", /random start/);
  await page.click("where-next");
  await both(1);
  await page.execute(() => {
    document.querySelector("[data-testid=where-table]").parentElement.open = true;
  });
  await page.waitText("where-table", "at iteration 1;");
  const [rows, points] = await page.execute(() => [
    document.querySelectorAll("[data-testid=where-table] tbody tr").length,
    Number(
      /(\d+) (injected|poisoned)/.exec(document.querySelector("[data-testid=where-picture]").ariaLabel)[1],
    ),
  ]);
  assert(points > 0);
  assert.equal(rows, points, "the table has other points than the picture");
});

browserTest("the points of one task can be seen alone", {}, async (page) => {
  await open(page, "#k=indirect");
  const all = await picture(page, POINTS);
  const choices = await page.execute(
    (select) => [...select].map(({ value }) => value),
    await page.find("where-task"),
  );
  await page.set("where-task", choices[1]);
  assert.notEqual(await picture(page, POINTS), all);
});

browserTest("points move only on request", {}, async (page) => {
  await open(page, "#i=4");
  const shows = (iteration) => page.waitText("where-iteration", `Iteration ${iteration} of 4`);
  await page.click("where-back");
  await shows(3);
  await sleep(900);
  await shows(3);
  await page.click("where-play");
  await shows(4);
  await page.waitText("where-play", /^Play$/);
  // From the end it starts over.
  await page.click("where-play");
  await shows(2);
  await page.click("where-play");
  if (page.isChromium) {
    await page.media({ "prefers-reduced-motion": "reduce" });
    await page.waitHidden("where-play");
  }
  await page.set("where-slider", 0);
  await page.click("where-next");
  await shows(1);
});

browserTest(
  "a run in progress shows its points, and cancel keeps them",
  { data: ["mnist"] },
  async (page) => {
    await open(page, "#i=1");
    await page.setFragment("#d=mnist&i=200");
    // So far as the run has come.
    await page.waitText("where-iteration", /^Iteration (?!1 of 1$)/);
    assert.equal(await state(page), "running");
    await page.click("cancel");
    await reached(page, "cancelled");
    assert(await page.isVisible("where"));
  },
);

browserTest("a task that has the focus or the pointer is outlined everywhere", {}, async (page) => {
  await open(page);
  await page.set("each-target", true);
  const [map, curve] = [await picture(page, ATTACKED), await picture(page, CURVE)];
  await focus(page, "#task-table tbody tr");
  await page.waitText("task-readout", /^T1\b.*NMSE/);
  const first = await picture(page, ATTACKED);
  assert.notEqual(first, map, "no outline");
  assert.notEqual(await picture(page, CURVE), curve, "no line stands out");
  await page.press(Key.ARROW_DOWN);
  await page.waitText("task-readout", /^T2\b.*NMSE/);
  assert.notEqual(await picture(page, ATTACKED), first, "the outline stays");
  await page.press(Key.ESCAPE);
  await isEmpty(page, "task-readout");
  assert.equal(await picture(page, ATTACKED), map, "the outline is left behind");
  await page.execute(() => {
    const cell = document.querySelector("#task-table tbody tr:nth-child(3) td");
    cell.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  });
  await page.waitText("task-readout", /^T3\b/);
});

browserTest("a cell of a heatmap marks its tasks in the table", {}, async (page) => {
  await open(page);
  const marked = () =>
    page.execute(() =>
      [...document.querySelectorAll("#task-table tbody tr")].flatMap((row, task) =>
        row.classList.contains("linked") ? [task] : [],
      ),
    );
  await focus(page, ATTACKED);
  await page.press(Key.ARROW_DOWN, Key.ARROW_DOWN, Key.ARROW_RIGHT, Key.ARROW_RIGHT, Key.ARROW_RIGHT);
  await page.waitText("cell-readout", /\bT2\b.*\bT4\b/);
  assert.deepEqual(await marked(), [1, 3]);
  await page.press(Key.ESCAPE);
  assert.deepEqual(await marked(), []);
});

browserTest("each target gets a line on request", {}, async (page) => {
  await open(page);
  const mean = await picture(page, CURVE);
  await page.set("each-target", true);
  assert.notEqual(await picture(page, CURVE), mean, "no line is added");
  // Tables are made when they are opened.
  await page.execute(() => document.querySelector("#trace summary").click());
  await page.waitText("trace-table", /T1\s*T2/);
  await page.set("each-target", false);
  assert.equal(await picture(page, CURVE), mean, "the lines stay");
  // With one target, its line is the mean.
  await open(page, "#t=2");
  assert.equal(await page.isVisible("each-target"), false);
});

// ---- two runs side by side

/** Waits for a state of the comparison. */
const compared = (page, wanted) =>
  page.waitFor(
    `the comparison to be ${wanted}`,
    async () => (await page.property("compare-view", "dataset")).state === wanted,
    30,
  );

const mapLabels = (page) =>
  page.execute(() =>
    [...document.querySelectorAll("[data-testid=compare-view] [data-map]")].map((map) => map.ariaLabel),
  );

const FIRST = "v=2%26d=synthetic";

browserTest(
  "a kept run is compared with the next, and the address reproduces both",
  { tier: "default" },
  async (page) => {
    const first = await open(page);
    await page.click("keep");
    await page.waitText("kept", /\S/);
    await page.setFragment("#k=indirect&i=5");
    await page.waitVisible("compare");
    const second = await finished(page);
    await page.click("compare");
    await compared(page, "done");
    const link = await address(page, `left=${FIRST}`, `&right=${FIRST}%26k=indirect`);
    assert(link.startsWith("#view=compare&"), link);
    await page.waitText("compare-verdict", first);
    await page.waitText("compare-verdict", second);
    // WebKit's driver gives the text of a table in one piece.
    const rows = await page.execute(() =>
      [...document.querySelectorAll("[data-testid=compare-differences] tr")].map((row) =>
        [...row.cells].map((cell) => cell.textContent).join(" "),
      ),
    );
    assert.equal(rows.length, 1 + 3, `the head, attack, attackers, iterations: ${rows}`);
    for (const part of ["indirect", "Iterations 15 5"])
      assert(
        rows.some((row) => row.includes(part)),
        part,
      );
    const maps = await mapLabels(page);
    assert.equal(maps.length, 3);
    assert.match(maps[2], /Difference/);
    await page.reload();
    await compared(page, "done");
    for (const side of ["A", "B"]) await page.waitText("compare-status", `${side}: ${TEXTS.reproduced}`);
    await page.waitText("compare-verdict", second);
    await page.click("compare-swap");
    await address(page, `left=${FIRST}%26k=indirect`);
    await compared(page, "done");
    await page.click("to-lab");
    await finished(page);
  },
);

browserTest("pasted links are run and compared", { data: ["landmine"], timeout: 120 }, async (page) => {
  await page.open("#view=compare");
  await page.waitText("compare-status", /another run A or B/);
  await page.set("compare-A", `${page.server.url}#v=1&d=synthetic&i=3`);
  await page.set("compare-B", "v=1&d=synthetic&i=3");
  await page.click("compare-run");
  await compared(page, "done");
  await page.waitText("compare-verdict", /both digests are/);
  await page.waitText("compare-differences", /^No/);
  // Other data have another metric and another number of tasks.
  await page.set("compare-B", "#d=landmine&i=2");
  await page.click("compare-run");
  await page.waitText("compare-verdict", /different results/i);
  await page.waitText("compare-tasks", /AUC.* no difference/);
  assert.equal((await mapLabels(page)).length, 2);
});

/** Chooses a result for one side of the comparison: the first whose link contains this. */
const choose = (page, side, part) =>
  page.waitFor(`${part} to be chosen`, () =>
    page.execute(
      (side, part) => {
        const buttons = [...document.querySelectorAll(`[data-testid=recent-${side}]`)];
        const button = buttons.find(({ dataset }) => dataset.link.includes(part));
        button?.click();
        return button !== undefined;
      },
      side,
      part,
    ),
  );

browserTest("recent results are compared by two clicks", { tier: "default" }, async (page) => {
  const first = await open(page, "#i=3");
  // What keeps results is loaded after the first one.
  await page.waitFor("a recent result", () =>
    page.execute(() => document.querySelector("[data-testid=recent-list] li") !== null),
  );
  await page.setFragment("#k=indirect&i=4");
  await page.waitFor("the second result", async () => (await finished(page)) !== first);
  const second = await finished(page);
  await page.click("to-compare");
  await choose(page, "A", "&i=3");
  await page.waitText("compare-status", /another run B/);
  await choose(page, "B", "&i=4");
  await compared(page, "done");
  await page.waitText("compare-verdict", `${first} (A), ${second} (B)`);
  const pressed = await page.execute(() =>
    [...document.querySelectorAll("[data-testid=compare-recent] [aria-pressed=true]")].map(
      ({ dataset: { testid, link } }) => `${testid} ${link}`,
    ),
  );
  assert.equal(pressed.length, 2, pressed.join());
  assert(
    pressed.every((choice) => /A .*&i=3|B .*&i=4/.test(choice)),
    pressed.join(),
  );
});

browserTest("without recent results two examples are offered to compare", {}, async (page) => {
  await page.open("#view=compare");
  await page.waitFor("two examples", () =>
    page.execute(() => document.querySelectorAll("[data-testid=compare-recent] li").length === 2),
  );
  await choose(page, "A", "synthetic");
  await choose(page, "B", "indirect");
  await compared(page, "done");
  await page.waitText("compare-differences", "indirect");
});

browserTest("hostile links of a comparison are refused with a reason", {}, async (page) => {
  for (const [left, reason] of [
    ["v=9%26d=synthetic", /version/],
    ["b=NaN", /budget/],
    ["d=<img src=x onerror=alert(1)>", /dataset/],
    ["%25FF", /link/],
    ["d=file:a.csv:00", /./],
    ["view=compare%26left=b=0.1%26i=99999", /iterations/],
  ]) {
    await page.open(`#view=compare&left=${left}&right=i=2`);
    await compared(page, "failed");
    const text = await page.waitText("compare-problems", reason);
    assert.match(text, /^Run A:/);
  }
  await page.open("#view=compare&left=%&right=i=2");
  await page.waitFor(
    "the lab or a reason",
    async () => (await page.isVisible("lab")) || (await page.text("compare-problems")).startsWith("Run A:"),
  );
});

browserTest("a comparison can be cancelled", { data: ["mnist"] }, async (page) => {
  await page.open("#view=compare&left=d=mnist%26i=1000&right=d=mnist%26i=999");
  await page.waitText("compare-status", /A: iteration/i);
  await page.click("compare-cancel");
  await compared(page, "cancelled");
  await noWorkerIsLeft(page);
});
