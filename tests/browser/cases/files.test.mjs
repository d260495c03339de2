/** A user's own files: opened, refused, cancelled, and links to them. Columns: columns.test.mjs. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import { address, finished, iteration, LONG, notice, rawFile, state, TEXTS } from "../lab.mjs";

/** Three related tasks, one feature of them shifted. */
function csv() {
  const lines = ["task,label,x1,x2"];
  for (let task = 0; task < 3; task++) {
    for (let k = 0; k < 24; k++) {
      const x1 = ((k * 7 + task) % 11) / 11 - 0.5;
      const x2 = ((k * 5 + 2 * task) % 13) / 13 - 0.5;
      const label = 2 * x1 - x2 + 0.1 * ((k * 3) % 5) + task * 0.2;
      lines.push(`task ${task},${label},${x1},${x2}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

const BAD = "task,label,x1\na,1,2\na,oops,3\n";

/** Opens the page and `mine.csv` in it; returns the digest and the link of its result. */
async function opened(page) {
  await page.open();
  await finished(page);
  await page.upload("file", "mine.csv", csv());
  await page.waitText("data-note", "3 tasks, 2 features, 72 points");
  await page.click("summary-run");
  const digest = await finished(page);
  return { digest, link: await address(page, "d=file:mine.csv:", `r=${digest}`) };
}

/** Opens a link to `mine.csv`, which asks for the file. */
async function awaits(page, link) {
  await page.open(link);
  await notice(page, "mine.csv");
  assert.equal(await state(page), "idle");
}

browserTest("a CSV file runs, and its link reproduces the result", { tier: "default" }, async (page) => {
  const { digest, link } = await opened(page);
  await awaits(page, link);
  await page.upload("file", "mine.csv", csv());
  assert.equal(await finished(page), digest);
  await notice(page, TEXTS.reproduced);
  await page.screenshot("own-file");
});

browserTest("a dropped file runs, and its name cannot reverse text", {}, async (page) => {
  await page.open();
  await finished(page);
  await page.dropFile("results", "a\u202evsc.csv", csv());
  await page.waitText("data-note", "3 tasks");
  await page.click("summary-run");
  await address(page, "d=file:", `r=${await finished(page)}`);
  assert(!(await page.execute(() => document.body.innerText.includes("\u202e"))));
});

browserTest("bad files are refused with the place of the error", { tier: "default" }, async (page) => {
  await page.open();
  const digest = await finished(page);
  const header = `${"MATLAB 5.0 MAT-file".padEnd(124)}\x00\x01IM`;
  // A matrix that claims to have four gigabytes.
  const mat = Buffer.concat([Buffer.from(header), Buffer.from([14, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3])]);
  for (const [name, content, place] of [
    ["words.csv", BAD, "line 3"],
    ["ragged.csv", "task,label,x1\na,1,2\na,1\n", "line 3"],
    ["huge.csv", "task,label,x1\na,1,1e999\n", "line 2"],
    ["empty.csv", "", ""],
    ["cut.mat", mat, "byte 1"],
    ["noise.mat", Buffer.alloc(300, 7), "byte"],
    ["picture.png", Buffer.from([137, 80, 78, 71]), ""],
  ]) {
    await page.upload("file", name, content);
    const shown = await page.waitText("error-dataset", name);
    assert(shown.includes(place), `${name}: ${shown}`);
    assert.equal(await state(page), "done", name);
  }
  await page.screenshot("bad-file");
  await page.click("run");
  assert.equal(await finished(page), digest);
});

browserTest("a raw file of a published data set is recognised", { timeout: 120 }, async (page) => {
  const file = rawFile(page, "sarcos_inv_test.mat");
  await page.open();
  await finished(page);
  await page.upload("file", file);
  await page.waitText("data-note", "7 tasks");
  await address(page, "d=sarcos", `r=${await finished(page)}`);
});

browserTest("a run goes on until another file can be used", {}, async (page) => {
  await page.open(LONG);
  const before = await iteration(page, 1);
  await page.dropFile("results", "bad.csv", BAD);
  await page.waitText("error-dataset", "line 3");
  await iteration(page, before + 1);
  // One whose columns have to be assigned, and are not.
  await page.dropFile("results", "odd.csv", "height,weight\n1,2\n2,3\n");
  await page.waitVisible("mapper");
  await page.waitText("mapper-size", "2 columns");
  await page.click("mapper-cancel");
  assert.equal(await state(page), "running");
  await page.dropFile("results", "mine.csv", csv());
  await page.waitText("data-note", "mine.csv: 3 tasks");
  await page.click("summary-run");
  await finished(page);
});

browserTest("a bad file dropped on a figure leaves a working lab", {}, async (page) => {
  await page.open("#view=figure1");
  await page.waitText("figure-claim", "a");
  await page.dropFile("figure", "bad.csv", BAD);
  await page.waitText("error-dataset", "line 3");
  await finished(page);
  await page.click("run");
  await finished(page);
});

browserTest("of two files the first is opened, and the other named", {}, async (page) => {
  await page.open();
  await finished(page);
  const make = (text) => ["train.csv", "test.csv"].map((name) => new File([text], name));
  await page.dropMade("results", make, csv());
  await page.waitText("data-note", "train.csv: 3 tasks");
  await page.click("summary-run");
  await finished(page);
  await notice(page, "not test.csv");
});

browserTest("a run works while a large file is read, and reading can be cancelled", {}, async (page) => {
  await page.open();
  const digest = await finished(page);
  // 200 MB: no machine reads them in a second.
  await page.dropMade("results", () => {
    const rows = "task 1,0.25,0.125,0.5\n".repeat(100_000);
    return [new File(["task,label,x1,x2\n", ...Array(90).fill(rows)], "large.csv")];
  });
  await page.waitText("status", "Reading large.csv");
  await page.click("run");
  assert.equal(await finished(page), digest);
  await notice(page, "Reading large.csv");
  await page.click("act-reading-file");
  await page.waitText("status", "large.csv was not opened");
  await sleep(1000);
  assert.equal(await state(page), "done");
});

browserTest("a link to a file does not judge a run with other settings", {}, async (page) => {
  const { digest, link } = await opened(page);
  await awaits(page, link);
  await page.set("field-seed", 7);
  await page.upload("file", "mine.csv", csv());
  const other = await finished(page);
  assert.notEqual(other, digest);
  await address(page, "s=7", `r=${other}`);
  // Nothing is said of the digest in the link.
  assert(!(await page.text("notices")).includes(digest));
});

browserTest("a recent result of a file is shown without the file, with its link", {}, async (page) => {
  const { digest } = await opened(page);
  const item = '.recent-list [data-link*="mine.csv"]';
  const listed = () =>
    page.waitFor("the result in the list", () =>
      page.execute((item) => document.querySelector(item) !== null, item),
    );
  await listed();
  await page.openOffline();
  await finished(page);
  await listed();
  await page.execute((item) => document.querySelector(item).click(), item);
  await address(page, "d=file:mine.csv", `r=${digest}`);
});

browserTest("settings that a file does not allow are named and left out", {}, async (page) => {
  const { link } = await opened(page);
  const [file] = /d=file[^&]*/.exec(link);
  await awaits(page, `#${file}&t=0-9`);
  await page.upload("file", "mine.csv", csv());
  await notice(page, "targets");
  const used = await address(page, file, `r=${await finished(page)}`);
  assert(!used.includes("t=0-9"), used);
});
