/** A user's own file from opening to a result: the summary, warnings, the choice of λ. */

import assert from "node:assert/strict";

import { browserTest } from "../harness.mjs";
import { finished, state } from "../lab.mjs";

/** Numbers between -1 and 1 that look random and are the same everywhere. */
const noise = (k) => {
  const x = Math.sin(k * 12.9898 + 4.1414) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};

/**
 * Students of three schools: an index column, a name for each row, two columns in small units and one in
 * large ones, a value that is missing, a school with one student.
 */
function students() {
  const lines = [",student,school,hours,sleep,income,score"];
  for (let k = 0; k < 120; k++) {
    const school = ["north", "south", "west"][k % 3];
    const [hours, sleep] = [noise(3 * k), noise(3 * k + 1)];
    const income = Math.round(50_000 + 30_000 * noise(3 * k + 2));
    const score = 2 * hours - sleep + 0.2 * noise(7 * k + 500) + (k % 3);
    const cells = [
      k,
      `s${k}`,
      school,
      hours.toFixed(3),
      k === 7 ? "" : sleep.toFixed(3),
      income,
      score.toFixed(3),
    ];
    lines.push(cells.join());
  }
  lines.push("120,s120,east,0.1,0.2,40000,1");
  return `${lines.join("\n")}\n`;
}

async function opened(page) {
  await page.open();
  await finished(page);
  await page.upload("file", "students.csv", students());
  await page.waitVisible("data-summary");
}

browserTest("a file is summarised, and runs at one press", { tier: "default" }, async (page) => {
  await opened(page);
  assert.notEqual(await state(page), "running", "it runs before the summary was seen");
  const text = await page.text("data-summary");
  for (const part of ["3 tasks", "3 features", "Predicts score", "T1 north", "income", "student", "east"]) {
    assert(text.includes(part), `no ${part} in ${text}`);
  }
  assert.match(await page.text("summary-left-out"), /1 row.*1 task.*east|1 task.*east.*1 row/s);
  assert.match(await page.text("summary-warnings"), /left out/);
  assert.equal(await page.focused(), "summary-risk");
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("data-summary");
  await page.click("summary-run");
  await finished(page);
  // Standardised columns: the model is far better than the mean, although the units differ.
  const [, before] = /from ([\d.]+) to/.exec(await page.waitText("headline", "NMSE"));
  assert(Number(before) < 0.6, `clean NMSE ${before}`);
  const fragment = await page.fragment();
  for (const part of ["v=2", "task:3", "label:7", "x:4-6"]) {
    assert(fragment.includes(part), `no ${part} in ${fragment}`);
  }
});

browserTest("a model that knows nothing is the headline, with what to check", {}, async (page) => {
  await opened(page);
  await page.execute(() => void (document.getElementById("more-data").open = true));
  await page.set("field-feature_scaling", "none");
  await page.click("summary-run");
  await finished(page);
  await page.waitText("headline", /No conclusion.*no better than guessing/);
  assert.match(await page.text("warnings"), /income.*norm/s);
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("no-conclusion");
});

browserTest("λ is chosen by cross-validation, and used", { timeout: 120 }, async (page) => {
  await opened(page);
  await page.click("summary-tune");
  await page.waitText("tune-status", /Multi-task learning: λ1 = .*Single-task learning/, 60);
  assert.deepEqual(await page.axe(), []);
  await page.screenshot("tune");
  const [, lambda1, lambda2] = /λ1 = ([\d.e-]+), λ2 = ([\d.e-]+)/.exec(await page.text("tune-use"));
  await page.click("tune-use");
  await finished(page);
  assert.equal(Number(await page.property("field-lambda1", "value")), Number(lambda1));
  assert.equal(Number(await page.property("field-lambda2", "value")), Number(lambda2));
});

browserTest("the defences are tried on a user's file", { timeout: 120 }, async (page) => {
  await opened(page);
  await page.click("summary-run");
  await finished(page);
  await page.click("to-defend");
  const isDone = async () => (await page.property("defend", "dataset")).state === "done";
  await page.waitFor("the study", isDone, 90);
  assert.match(await page.text("defend-about"), /students\.csv, direct attack/);
  assert.match(await page.text("defend-verdict"), /NMSE|No defence holds/);
  // Of the file the data stay.
  await page.execute((input) => input.click(), await page.find("defend-attack-indirect"));
  await page.waitText("defend-about", /students\.csv, indirect attack/);
});
