/** Confirmation: a result is computed twice, and of different results the one that two of three runs agree on is shown. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import {
  address,
  confirmation,
  figureReached,
  figureState,
  finished,
  iteration,
  LONG,
  openFigure,
  reached,
  runFigure,
} from "../lab.mjs";

/** The digest of `#i=3`. */
const DIGEST = "78fcdecbf9a0e470";

/** What the recent results say, each as text. */
const recent = (page) =>
  page.execute(() =>
    [...document.querySelectorAll("[data-testid=recent-list] li")].map(({ textContent }) => textContent),
  );

browserTest("a result is confirmed by a second run", { tier: "default" }, async (page) => {
  await page.open("#i=3");
  await finished(page);
  await confirmation(page, "confirmed");
  assert.equal(await page.text("confirmation"), "confirmed: same digest");
  assert.equal(await page.text("notices"), "");
  await page.waitFor("the recent result to be confirmed", async () =>
    (await recent(page)).some((text) => text.endsWith(`digest ${DIGEST}, confirmed`)),
  );
  // Nothing is confirmed during a run and after a cancel.
  await page.setFragment(LONG);
  await iteration(page, 1);
  assert(!(await page.isVisible("confirmation")));
  await page.click("cancel");
  await reached(page, "cancelled");
  await sleep(1500);
  assert(!(await page.isVisible("confirmation")));
  // A recent result stays confirmed.
  await page.execute(() => document.querySelector(".recent-list button[data-link*='i=3']").click());
  await confirmation(page, "confirmed");
});

browserTest(
  "a wrong result is replaced by what two of three runs agree on",
  { tier: "default" },
  async (page) => {
    page.failRuns("wrong");
    await page.open("#i=3");
    const wrong = await finished(page);
    assert.notEqual(wrong, DIGEST);
    await confirmation(page, "differs");
    await page.waitText("confirmation", /^differs: two of three runs agree/);
    assert.equal(await finished(page), DIGEST);
    await address(page, `r=${DIGEST}`);
    const details = await page.execute(() => document.querySelector("[data-about=confirmation]").textContent);
    for (const part of [wrong, DIGEST, "agrees with the second"]) assert(details.includes(part), details);
    await page.waitFor("the recent result to be replaced", async () => {
      const [first = "", ...others] = await recent(page);
      return first.includes(DIGEST) && others.length === 0;
    });
    // The next result has nothing of it.
    await page.click("run");
    await confirmation(page, "confirmed");
    assert.equal(await page.execute(() => document.querySelector("[data-about=confirmation]")), null);
  },
);

browserTest("a wrong second run leaves the result", {}, async (page) => {
  page.failRuns("", "wrong");
  await page.open("#i=3");
  await confirmation(page, "differs");
  await page.waitText("confirmation", /^differs: two of three runs agree/);
  await page.waitText("notices", /agrees with the first/);
  assert.equal(await finished(page), DIGEST);
});

browserTest("a result on which no two of three runs agree is marked", {}, async (page) => {
  page.failRuns("wrong", "wrong", "wrong");
  await page.open("#i=3");
  const first = await finished(page);
  await page.waitText("confirmation", /^differs: no two of three runs agree/);
  await page.waitText("notices", /Do not rely on this result/);
  assert.equal(await finished(page), first);
});

for (const fault of ["panic", "close"]) {
  browserTest(
    `a second run that fails is reported, and tried again on request: ${fault}`,
    {},
    async (page) => {
      page.failRuns("", fault);
      await page.open("#i=3");
      await finished(page);
      await page.waitText("confirmation", "computed, not confirmed");
      await page.waitText("notices", /could not be repeated/);
      assert.equal(await finished(page), DIGEST);
      await page.click("confirm");
      await confirmation(page, "confirmed");
      assert.equal(await page.text("notices"), "");
    },
  );
}

browserTest("a run that took long is confirmed on request only", {}, async (page) => {
  page.setClock(1000);
  await page.open("#i=3");
  await finished(page);
  await page.waitVisible("confirm");
  await sleep(2500);
  assert.equal((await page.property("confirmation", "dataset")).state, "computed");
  await page.click("confirm");
  await confirmation(page, "confirmed");
  assert(!(await page.isVisible("confirm")));
});

const DATA = { data: ["sarcos"], timeout: 120 };

browserTest("the runs of a figure are confirmed on request", DATA, async (page) => {
  await openFigure(page, 3, ["sarcos"]);
  const digest = await runFigure(page);
  await page.click("figure-confirm");
  await confirmation(page, "confirmed", "figure-confirmation");
  assert.equal(await page.text("figure-confirmation"), "confirmed: same digest");
  assert.equal(await figureReached(page, "done"), digest);
});

for (const { name, faults, agree } of [
  { name: "a wrong run of a figure is replaced", faults: ["wrong"], agree: true },
  {
    name: "a run of a figure on which no two of three agree is marked",
    // With one worker: three runs, the same ones again, and the first one a third time.
    faults: ["wrong", "", "", "wrong", "", "", "wrong"],
    agree: false,
  },
]) {
  browserTest(name, DATA, async (page) => {
    page.setCores(1);
    await openFigure(page, 3, ["sarcos"]);
    const right = await runFigure(page);
    page.failRuns(...faults);
    await openFigure(page, 3, ["sarcos"]);
    const wrong = await runFigure(page);
    assert.notEqual(wrong, right);
    await page.click("figure-confirm");
    await confirmation(page, "differs", "figure-confirmation");
    const said = await page.text("figure-confirmation");
    assert.match(said, /^differs: 1 of 3 runs gave another digest/);
    assert.match(said, agree ? /two of three runs agree/ : /1 remain undecided/);
    await page.waitFor("the end", async () => (await figureState(page)).state === "done");
    assert.equal((await figureState(page)).digest, agree ? right : wrong);
  });
}
