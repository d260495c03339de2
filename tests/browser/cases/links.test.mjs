/** Links: they reproduce a result, and what is wrong with one is explained. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import { address, finished, notice, state, TEXTS } from "../lab.mjs";

/** A link to a file that is not open. */
const FILE_LINK = `#d=file:mine.csv:${"ab".repeat(32)}`;

const clickId = (page, id) => page.execute((id) => document.getElementById(id).click(), id);
const noticesGone = (page) =>
  page.waitFor("the notices to disappear", async () => (await page.text("notices")) === "");

browserTest("the address reproduces the result", { tier: "default" }, async (page) => {
  await page.open();
  await finished(page);
  await page.set("field-budget", 0.35);
  await page.set("field-seed", 11);
  await clickId(page, "field-attack-hybrid");
  await page.click("run");
  const digest = await finished(page);
  const link = await address(page, "b=0.35", "s=11", "k=hybrid", `r=${digest}`);
  await page.open(link);
  assert.equal(await finished(page), digest);
  await notice(page, TEXTS.reproduced);
  assert.equal(await page.property("field-budget", "value"), "0.35");
  await page.screenshot("reproduced");
});

browserTest("a link with another digest, engine and data says so", {}, async (page) => {
  await page.open("#v=1&e=0.0.1&h=00ff&r=0123456789abcdef");
  const digest = await finished(page);
  const shown = await notice(page, "0123456789abcdef");
  assert(shown.includes(digest), shown);
  assert.match(shown, /engine 0\.0\.1/);
  assert.match(shown, /\bdata\b/);
  assert(!shown.includes(TEXTS.reproduced), shown);
});

/** Opens bad links; each is explained with this part, in few words, never as markup. */
async function explained(page, links) {
  for (const [link, part] of links) {
    await page.open(link);
    await finished(page);
    const short = link.slice(0, 60);
    const shown = await page.text("notices");
    assert(shown !== "" && shown.length < 2000, `${short}: ${shown.length} characters`);
    assert(shown.includes(part), `${short}: ${shown}`);
    const elements = await page.execute(
      () => document.querySelectorAll("#notices :is(img, script, b)").length,
    );
    assert.equal(elements, 0, short);
  }
}

browserTest("a bad setting in a link is explained, and a run works", { tier: "default" }, async (page) => {
  await explained(page, [["#b=1e999", "budget"]]);
  await page.screenshot("bad-link");
  await page.set("field-budget", 0.1);
  await page.click("run");
  await address(page, "b=0.1", `r=${await finished(page)}`);
});

// The tests of the links themselves have more of them.
browserTest("bad links are explained, and nothing in them becomes markup", { timeout: 120 }, (page) =>
  explained(page, [
    ["#l1=NaN", "lambda1"],
    ["#i=99999999999999999999", "iterations"],
    ["#d=cifar", "dataset"],
    ["#k=indirect&a=0", "attackers"],
    ["#v=99", "version"],
    ["#b=0.1&b=0.2", "twice"],
    ["#b=%ff%fe", ""],
    ["#d=__proto__", "dataset"],
    ["#targets=1&constructor=2", "constructor"],
    [`#t=${"1,".repeat(5000)}`, ""],
    [`#s=${"9".repeat(100_000)}`, ""],
    ["#%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E=1", "<img"],
    ["#d=%3Cscript%3Ealert(1)%3C/script%3E", "dataset"],
    ["#k=%3Cb%3Ebold%3C/b%3E", "attack"],
  ]),
);

browserTest("an unknown key is reported and stays in the address", {}, async (page) => {
  await page.open("#b=0.3&wobble=7");
  const digest = await finished(page);
  await notice(page, "wobble");
  await address(page, "wobble=7", "b=0.3", `r=${digest}`);
});

browserTest("the link copied is that of the result shown, not of the form", {}, async (page) => {
  // Browsers let no test read the clipboard.
  page.server.prelude(() => {
    navigator.clipboard.writeText = async (text) => void Object.assign(window, { copiedText: text });
  });
  await page.open("#i=4");
  const digest = await finished(page);
  await page.set("field-budget", "abc");
  await page.click("copy-link");
  const copied = await page.execute(() => window.copiedText);
  assert(copied.includes("&i=4&") && copied.includes(`r=${digest}`), copied);
});

browserTest("a click on the view that is open leaves its result", {}, async (page) => {
  await page.open("#i=4");
  await finished(page);
  await page.click("to-figures");
  await page.waitText("figure-claim", "a");
  await page.click("to-lab");
  await page.set("field-iterations", 5);
  await page.click("run");
  const digest = await finished(page);
  await address(page, "i=5", `r=${digest}`);
  await page.click("to-lab");
  await sleep(300);
  assert.equal(await finished(page), digest);
  assert.equal(await page.property("field-iterations", "value"), "5");
});

browserTest("a pasted link runs, and takes the notices of the last one away", {}, async (page) => {
  await page.open("#b=99");
  const first = await finished(page);
  await notice(page, "budget");
  await page.setFragment("#s=5&i=4");
  await noticesGone(page);
  await page.waitFor("another result", async () => (await finished(page)) !== first);
  assert.equal(await page.property("field-seed", "value"), "5");
  await address(page, "s=5", "r=");
  const keys = Array.from({ length: 1500 }, (_, k) => `k${k}=1`);
  await page.setFragment(`#i=3&${keys.join("&")}`);
  // A few are named, the others counted.
  await notice(page, "1496");
  assert.equal(await page.execute(() => document.getElementById("notices").children.length), 1);
});

/** A file with a question: 1,234 may be a decimal or a thousand. */
const ASKED = "height;weight\n1,234;2\n2,345;3\n3,456;4\n";

browserTest("another link closes an open dialog", {}, async (page) => {
  await page.open("#i=2");
  const digests = [await finished(page)];
  for (const [dialog, link, open] of [
    ["examples", "#i=3", () => page.click("all-examples")],
    ["mapper", "#i=4", () => page.upload("file", "scores.csv", ASKED)],
  ]) {
    await open();
    await page.waitVisible(dialog);
    await page.setFragment(link);
    await page.waitHidden(dialog);
    await address(page, link.slice(1), "&r=");
    digests.push(await finished(page));
  }
  assert.equal(new Set(digests).size, 3, digests.join());
});

browserTest("a link to a file asks for the file until something else is chosen", {}, async (page) => {
  await page.open(FILE_LINK);
  await notice(page, "mine.csv");
  assert.equal(await state(page), "idle");
  await page.waitText("headline", "mine.csv");
  await clickId(page, "dataset-synthetic");
  await noticesGone(page);
});
