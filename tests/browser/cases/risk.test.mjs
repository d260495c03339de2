/** The view "Risk": published at once, computed here with the same digests, kept, continued, and of any file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Key } from "selenium-webdriver";

import { browserTest } from "../harness.mjs";
import { address, chooseItem, finished, noWorkerIsLeft, workersAlive } from "../lab.mjs";

const PARTS = ["exposure", "map", "lambda2", "pull_cap"];

/** State and digest of a part. */
const part = (page, name) =>
  page.execute((id) => ({ ...document.querySelector(`[data-testid=${id}]`)?.dataset }), `risk-${name}`);

/** Waits for one of these states of a part, and returns its digest. */
async function reached(page, name, wanted, seconds = 90) {
  const check = async () => wanted.includes((await part(page, name)).state);
  await page.waitFor(`${name} to be ${wanted}`, check, seconds);
  return (await part(page, name)).digest;
}

/** Opens the view and waits until it shows what there is. */
async function opened(page, fragment = "#view=risk") {
  await page.open(fragment);
  const isReady = () =>
    page.execute(() => document.querySelector("[data-testid=risk]")?.dataset.state === "ready");
  await page.waitFor("the view to be ready", isReady);
}

browserTest(
  "the published risk is shown at once, and recomputed here it has the same digest",
  { tier: "default", timeout: 150 },
  async (page) => {
    await opened(page);
    const engine = await page.text("engine-version");
    const file = JSON.parse(readFileSync(join(page.dist, "published/risk-synthetic.json"), "utf8"));
    assert.equal(file.engine, engine);
    for (const name of PARTS) {
      const status = await page.text(`risk-${name}-status`);
      assert.match(
        status,
        /^Published results: engine \S+, computed on \d{4}-\d\d-\d\d · digest [0-9a-f]{16}$/,
      );
      assert.match(await page.text(`risk-${name}-findings`), /\d\.\d{2}/);
    }
    assert.match(await page.text("risk-exposure-findings"), /^(Yes|Hardly)/);
    assert.deepEqual(await page.axe(), []);
    await page.screenshotWhole("risk");
    const { digest } = await part(page, "map");
    await page.click("risk-map-run");
    assert.equal(await reached(page, "map", ["done"]), digest);
    await page.waitText("risk-map-status", "the digest equals the published results");
    await noWorkerIsLeft(page);
    await chooseItem(page, "risk-map-csv");
    const csv = readFileSync(await page.downloaded("risk-synthetic.csv"), "utf8");
    assert.equal(csv.trim().split("\n").length, 1 + 64);
    await chooseItem(page, "risk-map-svg");
    assert.match(readFileSync(await page.downloaded("risk-synthetic.svg"), "utf8"), /view=risk/);
    // Kept, and shown again after a reload.
    await page.reload();
    await reached(page, "map", ["kept"]);
    await page.waitText("risk-map-status", `digest ${digest}`);
    await page.click("risk-map-published");
    await page.waitText("risk-map-status", "Published results");
  },
);

browserTest("where storage is slow, a study of risk that is done is kept", {}, async (page) => {
  page.slowStorage(500);
  await opened(page);
  await page.click("risk-exposure-run");
  const digest = await reached(page, "exposure", ["done"]);
  await opened(page);
  assert.equal(await reached(page, "exposure", ["kept"], 15), digest);
});

browserTest("a cell of the risk map is read with the arrow keys, and opens its run", {}, async (page) => {
  await opened(page);
  await page.execute(() => document.querySelector("[data-testid=risk-maps] canvas").focus());
  await page.press(Key.ARROW_DOWN, Key.ARROW_DOWN, Key.ARROW_RIGHT);
  await page.waitText("risk-readout", /Poisoned points in T2 .*T2|Poisoned points in T2/);
  await page.press(Key.ARROW_RIGHT);
  await page.waitText("risk-readout", /T3 .*learned correlation/);
  const expected = Number(/→ (-?\d+\.\d+)/.exec(await page.text("risk-readout"))[1]);
  await page.press(Key.ENTER);
  await address(page, "k=indirect");
  await finished(page);
  const found = await page.text("tiles");
  assert(found.includes(expected.toFixed(3)), `${expected} in ${found}`);
});

browserTest(
  "another specification is computed, cancelled, and continued after a reload",
  {},
  async (page) => {
    page.setCores(2);
    await opened(page, "#view=risk&v=2&d=synthetic&i=40&s=7");
    // By itself, one part after the other.
    await reached(page, "exposure", ["running"]);
    await page.waitText("risk-exposure-status", /^[1-9]\d* of 72 runs/);
    assert((await workersAlive(page)) >= 2);
    await page.click("risk-exposure-cancel");
    await reached(page, "exposure", ["cancelled"]);
    await noWorkerIsLeft(page);
    const [, before] = /after (\d+) of 72/.exec(await page.text("risk-exposure-status"));
    await page.reload();
    await reached(page, "exposure", ["kept"]);
    const [, kept] = /after (\d+) of 72/.exec(await page.text("risk-exposure-status"));
    assert.equal(kept, before);
    await page.click("risk-exposure-continue");
    assert.match(await reached(page, "exposure", ["done"]), /^[0-9a-f]{16}$/);
    await page.waitText("risk-exposure-findings", /20 % poisoned points/);
  },
);

browserTest(
  "the first offer for an opened file answers whether it is at risk",
  { timeout: 150 },
  async (page) => {
    const rows = ["task,label,x1,x2"];
    for (let k = 0; k < 90; k++) {
      const [x, y] = [Math.sin(3 * k), Math.cos(5 * k)];
      rows.push(
        [k % 3, (x + 0.3 * y + 0.1 * Math.sin(11 * k)).toFixed(4), x.toFixed(4), y.toFixed(4)].join(),
      );
    }
    await page.open();
    await finished(page);
    await page.upload("file", "three.csv", `${rows.join("\n")}\n`);
    await page.waitVisible("data-summary");
    assert.equal(await page.focused(), "summary-risk");
    await page.press(Key.ENTER);
    await address(page, "view=risk", "three.csv");
    await reached(page, "exposure", ["done"]);
    assert.match(await page.text("risk-exposure-findings"), /^(Yes|Hardly)/);
    await reached(page, "pull_cap", ["done"]);
    assert.match(await page.text("risk-map-findings"), /Most exposed to other tasks/);
  },
);

browserTest("a link of an unknown file or with invalid settings says what is wrong", {}, async (page) => {
  await page.open(`#view=risk&v=2&d=file:a.csv:${"0".repeat(64)}`);
  await page.waitText("risk-problem", "Open the file a.csv in the lab first");
  await page.setFragment("#view=risk&v=2&d=synthetic&b=9");
  await page.waitText("risk-problem", "budget");
  await page.setFragment("#view=risk");
  await page.waitText("risk-map-status", "Published results");
});

browserTest(
  "the risk of Landmine fits a phone, and its map of 841 attacks is computed within a minute",
  { data: ["landmine"], timeout: 180 },
  async (page) => {
    page.setCores(2);
    await page.viewport(390, 850);
    await opened(page, "#view=risk&v=2&d=landmine");
    const excess = await page.execute(() => document.documentElement.scrollWidth - innerWidth);
    assert(excess <= 0, `${excess} pixels too wide`);
    const { digest } = await part(page, "map");
    await page.click("risk-map-run");
    assert.equal(await reached(page, "map", ["done"], 120), digest);
    const [, seconds] = /in ([\d.]+) s/.exec(await page.text("risk-map-status"));
    // The goal is 25 seconds on two idle cores.
    assert(Number(seconds) < 60, `${seconds} s`);
  },
);
