/** Files whose columns have other names: the dialog that assigns them. */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest } from "../harness.mjs";
import { address, finished, nativeReport, notice, TEXTS } from "../lab.mjs";

/** A CSV file from its header and a function of the row. */
const csv = (header, rows, row) =>
  [header, ...Array.from({ length: rows }, (_, k) => row(k).join())].join("\n") + "\n";

/** Semicolons, decimal commas, a quoted name, empty lines, CRLF, a row without a value (row 20). */
function messy() {
  let text = '\ufeffNr;School;"Score; final";hours;IQ;set\r\n';
  for (let row = 0; row < 60; row++) {
    const [hours, iq] = [((row * 7) % 11) / 4, 90 + ((row * 5) % 23)];
    const score = hours * 2 - iq / 50 + (row % 3);
    const cells = [row, ["north", "south", "west"][row % 3], score.toFixed(3), hours.toFixed(2)];
    cells.push(row === 20 ? "NA" : iq, row % 4 === 0 ? "TEST" : "train");
    text += `${cells.join(";")}\r\n`.replaceAll(".", ",");
    if (row % 30 === 7) text += "\r\n";
  }
  return text;
}

/** The mapping of that file. */
const MESSY = "c=sep:semicolon;decimal:comma;task:2;label:3;split:6,TEST;x:4-5;missing:drop";

const summary = (page, part) => page.waitText("mapper-summary", part);
const values = async (page, expected) => {
  for (const [id, value] of Object.entries(expected)) {
    await page.waitFor(`${id} to be ${value}`, async () => (await page.property(id, "value")) === value);
  }
};

/** Opens the page and a file in it, and the dialog for its columns, if the page does not ask by itself. */
async function opened(page, name, content) {
  await page.open();
  const digest = await finished(page);
  await page.upload("file", name, content);
  await page.waitFor("the file to be read", async () => {
    if (await page.isVisible("mapper")) return true;
    if (await page.isVisible("error-dataset")) return (await page.click("change-columns"), true);
    return (await page.isVisible("summary-columns")) && (await page.click("summary-columns"), true);
  });
  await page.waitVisible("mapper");
  return digest;
}

/** Uses the columns; returns the digest and the link once the address contains this part. */
async function used(page, part) {
  await page.click("mapper-use");
  await page.waitHidden("mapper");
  let digest;
  const link = await page.waitFor(`${part} in the address`, async () => {
    digest = await finished(page);
    const fragment = await page.fragment();
    return fragment.includes(part) && fragment.includes(`r=${digest}`) && fragment;
  });
  return { digest, link };
}

/** Opens the messy file and assigns what no guess can know. */
async function openedMessy(page) {
  await opened(page, "scores.csv", messy());
  await page.set("mapper-role-4", "feature");
  await page.set("mapper-role-2", "label");
  await summary(page, "59 points");
  // Rows that lack a value are left out unless the user says otherwise.
  await page.set("mapper-drop", false);
  await page.waitText("mapper-error-4", "line 23");
  await page.set("mapper-drop", true);
  await summary(page, "3 tasks (north, south, west), 2 features, 59 points");
}

browserTest("a messy file runs, and its link assigns its columns", { tier: "default" }, async (page) => {
  await openedMessy(page);
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("mapper");
  const { digest, link } = await used(page, MESSY);
  await page.waitText("data-note", "scores.csv: 3 tasks, 2 features, 59 points");
  await page.waitText("command", "--columns 'sep:semicolon;");
  await page.open(link);
  await notice(page, "scores.csv");
  await page.dropFile("results", "scores.csv", messy());
  assert.equal(await finished(page), digest);
  await notice(page, TEXTS.reproduced);
  assert(!(await page.isVisible("mapper")));
  // The open file, read in another way by another link.
  await page.setFragment(link.replace("x:4-5;missing:drop", "x:4").replace(`&r=${digest}`, ""));
  await page.waitText("data-note", /3 tasks, 1 features?, 60 points/);
  assert.notEqual(await finished(page), digest);
});

browserTest("page and command line read columns alike", { timeout: 120 }, async (page) => {
  await openedMessy(page);
  const { digest, link } = await used(page, MESSY);
  assert.equal((await nativeReport(page, link)).digest, digest);
});

browserTest("what can be detected is, and wrong columns cannot be used", {}, async (page) => {
  await opened(page, "scores.csv", messy());
  const size = await page.waitText("mapper-size", "60 rows, 6 columns");
  assert.match(size, /256 MiB, 512 tasks/);
  assert.match(size, /stays on your computer/);
  await values(page, {
    "mapper-separator": "semicolon",
    "mapper-decimal": "comma",
    "mapper-role-0": "none",
    "mapper-role-1": "task",
    "mapper-role-5": "split",
    "mapper-test": "TEST",
  });
  for (const column of [2, 3, 4]) await page.set(`mapper-role-${column}`, "feature");
  await page.waitText("mapper-problem", "label");
  await page.set("mapper-role-2", "label");
  await page.set("mapper-drop", false);
  // Two empty lines and the header come before row 20.
  assert.match(await page.waitText("mapper-error-4", "line 23"), /IQ/);
  const [invalid, summarised] = await page.execute(() => [
    document.getElementById("mapper-role-4").ariaInvalid,
    document.querySelector("[data-testid=mapper-summary]").textContent,
  ]);
  assert.equal(invalid, "true");
  assert.match(summarised, /IQ/);
  await page.click("mapper-use");
  assert(await page.isVisible("mapper"), "a wrong choice was used");
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("mapper-error");
  await page.set("mapper-drop", true);
  assert.match(await summary(page, "59 points"), /regression.*NMSE.*\b1 row/);
  if (!page.isChromium) return;
  await page.dark();
  assert.deepEqual(await page.axeColors(), []);
  await page.screenshot("mapper-dark");
});

browserTest("label columns are tasks, and columns can be changed later", {}, async (page) => {
  const shared = csv("a,b,y1,y2,y3", 40, (row) => {
    const [a, b] = [((row * 7) % 11) / 11, ((row * 5) % 13) / 13];
    return [a, b, a + b, a - b, 2 * a + 0.5 * b];
  });
  await opened(page, "shared.csv", shared);
  await summary(page, "3 tasks (y1, y2, y3), 2 features, 40 points");
  const { digest } = await used(page, "d=file:shared.csv");
  await page.click("change-columns");
  await summary(page, "3 tasks");
  await page.click("mapper-as-text");
  await page.set("mapper-text", "label:3,5;x:1-2;x:4");
  await page.waitText("mapper-problem", /`?x`? .*twice/);
  await page.set("mapper-text", "label:3,5;x:1-2");
  await summary(page, "2 tasks (y1, y3)");
  await page.set("mapper-role-3", "feature");
  await summary(page, "2 tasks (y1, y3), 3 features");
  await values(page, { "mapper-text": "label:3,5;x:1-2,4" });
  await page.click("mapper-cancel");
  assert.equal(await finished(page), digest, "cancel changed something");
  await page.click("change-columns");
  await summary(page, "3 tasks");
  await page.set("mapper-role-3", "none");
  await summary(page, "2 tasks");
  assert.notEqual((await used(page, "c=label:3,5;x:1-2")).digest, digest);
  await page.waitText("data-note", "shared.csv: 2 tasks");
});

browserTest("two values are classes, which can be swapped", {}, async (page) => {
  const tumours = csv("id,size,colour,diagnosis", 40, (row) => {
    const [size, colour] = [(row * 7) % 11, (row * 5) % 13];
    return [row, size, colour, size > colour ? "malignant" : "benign"];
  });
  const wrong = tumours.replace("\n7,5,9,benign", "\n7,oops,9,benign");
  assert.notEqual(wrong, tumours);
  await opened(page, "tumours.csv", wrong);
  assert.match(await page.waitText("mapper-error-1", "line 9"), /size.*oops/);
  await page.press(Key.ESCAPE);
  await page.waitHidden("mapper");
  await page.upload("file", "tumours.csv", tumours);
  await page.waitVisible("data-summary");
  await page.click("summary-columns");
  assert.match(await summary(page, "1 task (diagnosis), 2 features, 40 points"), /classification.*AUC/);
  await values(page, { "mapper-low": "benign" });
  await page.set("mapper-low", "malignant");
  await values(page, { "mapper-high": "benign" });
  await summary(page, "classification");
  await page.set("mapper-kind", "numbers");
  await page.waitText("mapper-error-3", "classification");
  await page.set("mapper-kind", "two");
  await summary(page, "classification");
  await used(page, "class:benign,malignant");
  await page.waitText("data-note", "Labels: classification");
});

/** A matrix of a MAT file, column by column. */
function matrix(name, rows, columns, value) {
  const element = (kind, data) => {
    const bytes = Buffer.alloc(8 + Math.ceil(data.length / 8) * 8);
    bytes.writeUInt32LE(kind, 0);
    bytes.writeUInt32LE(data.length, 4);
    return Buffer.concat([bytes.subarray(0, 8), data, bytes.subarray(8 + data.length)]);
  };
  const numbers = Array.from({ length: rows * columns }, (_, k) => value(k % rows, Math.floor(k / rows)));
  return element(
    14,
    Buffer.concat([
      element(6, Buffer.from([6, 0, 0, 0, 0, 0, 0, 0])),
      element(5, Buffer.from(Uint32Array.of(rows, columns).buffer)),
      element(1, Buffer.from(name)),
      element(9, Buffer.from(Float64Array.from(numbers).buffer)),
    ]),
  );
}

browserTest("variables of a MAT file are chosen", {}, async (page) => {
  const wave = (row, column) => ((row * 7 + column * 5) % 11) / 11;
  const file = Buffer.concat([
    Buffer.from(`${"MATLAB 5.0 MAT-file".padEnd(124)}\x00\x01IM`),
    matrix("more", 60, 9, wave),
    matrix("inputs", 40, 3, wave),
    matrix("targets", 40, 2, (row, column) => wave(row, 0) + column * wave(row, 1)),
  ]);
  await opened(page, "mine.mat", file);
  // Features and labels that are known by their names come before what is larger.
  await page.waitText("mapper-size", "40 rows, 5 columns");
  await page.set("mapper-variables", 1);
  await page.waitText("mapper-size", "60 rows, 9 columns");
  await page.set("mapper-variables", 0);
  await page.waitText("mapper-size", "40 rows, 5 columns");
  await page.set("mapper-role-3", "label");
  await page.set("mapper-role-4", "label");
  await summary(page, "2 tasks (targets 1, targets 2), 3 features, 40 points");
  await used(page, "c=from:inputs,targets;label:4-5;x:1-3");
  await page.waitText("data-note", "mine.mat: 2 tasks");
});

browserTest("what cannot be a table is refused, and the result stays", {}, async (page) => {
  await page.open();
  const digest = await finished(page);
  for (const [name, bytes, part] of [
    ["utf16.csv", "\xff\xfea\0,\0b", "UTF-16 that is damaged"],
    ["unknown.csv", "name,b\nJos\x81,2\n", "line 2"],
    ["mine.xlsx", "PK", "CSV UTF-8"],
  ]) {
    await page.upload("file", name, Buffer.from(bytes, "latin1"));
    const shown = await page.waitText("error-dataset", name);
    assert(shown.includes(part), shown);
    assert(!(await page.isVisible("mapper")));
  }
  // With the names of the lab no dialog is needed; it can be opened all the same.
  await page.upload("file", "ours.csv", "task,label,x1\na,1,2\na,1,\na,1,3\n");
  assert.match(await page.waitText("error-dataset", "line 3"), /x1/);
  await page.click("change-columns");
  await page.waitVisible("mapper");
  await page.set("mapper-drop", false);
  await page.waitText("mapper-error-2", "line 3");
  await page.press(Key.ESCAPE);
  await page.waitHidden("mapper");
  // Larger than a file may be, without writing one.
  await page.dropMade("results", () => {
    const part = new Blob([new Uint8Array(1 << 20)]);
    return [new File(Array(257).fill(part), "huge.csv")];
  });
  await page.waitText("error-dataset", /huge\.csv is too large.*256 MiB/);
  assert.equal(await finished(page), digest);
});

browserTest("columns are assigned by keyboard alone, on a phone", {}, async (page) => {
  const reach = async (id) => {
    for (let presses = 0; (await page.focused()) !== id; presses++) {
      assert(presses < 40, `the keyboard does not reach ${id}`);
      await page.press(Key.TAB);
    }
  };
  await page.viewport(400, 800);
  await opened(page, "scores.csv", messy());
  await reach("mapper-role-2");
  await page.press("L");
  await values(page, { "mapper-role-2": "label" });
  await reach("mapper-role-4");
  await page.press("F");
  await reach("mapper-drop");
  await page.press(" ");
  await page.waitText("mapper-error-4", "line 23");
  await page.press(" ");
  await summary(page, "3 tasks");
  assert.equal(await page.focused(), "mapper-drop");
  const isWide = await page.execute(() => {
    const form = document.querySelector("dialog form");
    return form.scrollWidth > form.clientWidth || document.documentElement.scrollWidth > innerWidth;
  });
  assert(!isWide, "the dialog is wider than the phone");
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("mapper-phone");
  await reach("mapper-use");
  await page.press(Key.ENTER);
  await page.waitHidden("mapper");
  await address(page, "d=file:scores.csv:", MESSY);
  await finished(page);
});

browserTest("the example file can be saved and opened", {}, async (page) => {
  await page.open();
  await finished(page);
  const loaded = () =>
    page.execute(() =>
      performance.getEntriesByType("resource").some(({ name }) => /\/formats[^/]*\.js$/.test(name)),
    );
  assert(!(await loaded()), "the help was loaded before it was needed");
  await page.execute(() => void (document.getElementById("file-help").open = true));
  assert.match(await page.waitText("file-help-text", "512 tasks, 4,096 features"), /computer/);
  assert(await loaded(), "the help has another name");
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("file-help");
  await page.click("example-csv");
  await page.upload("file", await page.downloaded("example.csv"));
  await page.waitText("data-note", "example.csv: 8 tasks, 10 features, 240 points");
  await page.click("summary-run");
  await address(page, "d=file:example.csv:", `r=${await finished(page)}`);
});
