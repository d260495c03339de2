/** What the browser keeps: recent results, a run that a reload interrupted; and a browser that keeps nothing. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import { address, finished, iteration, LONG, notice, openFigure, reached, state, TEXTS } from "../lab.mjs";

/** The links of the recent results, newest first. */
const links = (page) =>
  page.execute(() =>
    [...document.querySelectorAll(".recent-list button")].map(({ dataset }) => dataset.link),
  );

const count = (page, wanted) =>
  page.waitFor(`${wanted} recent results`, async () => (await links(page)).length === wanted);

/** Shows the recent result whose link contains this. */
const recall = (page, part) =>
  page.execute((part) => {
    document.querySelector(".recent").open = true;
    const buttons = [...document.querySelectorAll(".recent-list button")];
    buttons.find(({ dataset }) => dataset.link.includes(part)).click();
  }, part);

async function runs(page, iterations) {
  await page.set("field-iterations", iterations);
  await page.click("run");
}

/** Puts records into a table of the page's storage, and returns all that are there, as text. */
const stored = (page, database, table, records = []) =>
  page.execute(
    async (database, table, records) => {
      const result = (request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const open = await result(indexedDB.open(database));
      const there = open.transaction(table, "readwrite").objectStore(table);
      for (const record of records) await result(there.put(record));
      const all = await result(there.getAll());
      open.close();
      return JSON.stringify(all, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value));
    },
    database,
    table,
    records,
  );

browserTest("two results in quick succession are both in the list", {}, async (page) => {
  await page.open("#i=2");
  // The list is loaded later than the first result.
  await page.execute(async () => {
    const results = document.getElementById("results");
    const done = (digest) =>
      new Promise((resolve) => {
        const look = () =>
          results.dataset.state === "done" && results.dataset.digest !== digest
            ? resolve(results.dataset.digest)
            : setTimeout(look, 2);
        look();
      });
    const first = await done(undefined);
    location.hash = "#i=3";
    await done(first);
  });
  await count(page, 2);
});

browserTest("a recent result is shown without a run", {}, async (page) => {
  await page.open("#k=indirect&i=5");
  const digest = await finished(page);
  await count(page, 1);
  await page.open();
  await finished(page);
  await count(page, 1);
  await page.execute(() => performance.clearMarks());
  await recall(page, "k=indirect");
  await page.waitFor("the result", async () => (await finished(page)) === digest);
  await page.waitText("where-words", /By iteration 5/);
  assert.equal(await page.execute(() => performance.getEntriesByName("run").length), 0, "it ran again");
  assert.equal(await page.property("field-iterations", "value"), "5");
  await address(page, `r=${digest}`);
  await page.screenshotWhole("recent");
  await page.click("run");
  await notice(page, TEXTS.reproduced);
  await page.click("forget-all");
  await count(page, 0);
  await page.waitHidden("recent");
});

/** Reloads during a run, after its beginning was kept: by a module that is loaded within three seconds. */
async function interrupt(page) {
  // The browser asks a user, but not a script that has touched nothing.
  page.expectConsoleError("Blocked attempt to show a 'beforeunload'");
  await page.open(LONG);
  await iteration(page, 1);
  await page.waitFor("the note of the run", () =>
    page.execute(() => sessionStorage.getItem("patom-run") !== null),
  );
  await sleep(1000);
  assert.equal(await state(page), "running", "the run is too short for this");
  await page.reload();
}

browserTest("a reload starts an interrupted run again", { timeout: 120 }, async (page) => {
  // On any machine it takes less than the 30 s up to which a reload starts it again.
  page.setClock(0.1);
  await interrupt(page);
  await iteration(page, 2);
  assert.equal(await page.text("notices"), "");
  await page.click("cancel");
  await count(page, 1);
});

browserTest("a reload keeps the curve of a long run, and asks", { timeout: 120 }, async (page) => {
  page.setClock(1000);
  await interrupt(page);
  await notice(page, /^Interrupted at iteration/);
  await reached(page, "cancelled");
  const label = await page.execute(() => document.querySelector("#curve canvas").ariaLabel);
  assert.match(label, /^Interrupted at iteration/);
  await count(page, 1);
  await page.screenshotWhole("interrupted");
  assert.equal(await page.text("act-run"), "Run it again");
  // Only in the lab.
  await page.click("to-compare");
  await page.waitVisible("compare-view");
  assert.equal(await page.text("notices"), "");
  await page.click("to-lab");
  await page.click("act-run");
  await reached(page, "running");
  await page.click("cancel");
  // The next reload has no interrupted run.
  await page.reload();
  await reached(page, "running");
  await page.click("cancel");
});

browserTest(
  "the browser asks before a long run or sweep is left",
  { data: ["landmine"], timeout: 120 },
  async (page) => {
    const asks = () => page.execute(() => !dispatchEvent(new Event("beforeunload", { cancelable: true })));
    page.expectConsoleError("Blocked attempt to show a 'beforeunload'");
    // So that the sweep takes longer.
    page.setCores(1);
    await page.open();
    await finished(page);
    assert.equal(await asks(), false, "nothing is running");
    await page.open(LONG);
    await page.waitText("status", "Iteration");
    assert.equal(await asks(), false, "the run has just begun");
    await page.waitFor("the question", asks);
    await page.click("cancel");
    assert.equal(await asks(), false, "the run is over");
    await openFigure(page, 2);
    await page.click("figure-run");
    await page.waitFor("the question", asks);
    await page.click("figure-cancel");
    assert.equal(await asks(), false, "the sweep is over");
  },
);

browserTest("the last ten results of two tabs are kept", { timeout: 120 }, async (page) => {
  const { driver } = page;
  await page.open("#i=4");
  await finished(page);
  const first = await driver.getWindowHandle();
  await driver.switchTo().newWindow("tab");
  const second = await driver.getWindowHandle();
  await page.open("#i=5");
  await finished(page);
  await count(page, 2);
  for (let round = 6; round < 11; round++) {
    await driver.switchTo().window(first);
    await runs(page, round);
    await driver.switchTo().window(second);
    await runs(page, round + 10);
  }
  await page.waitFor("the last ten results", async () => {
    const kept = await links(page);
    return kept.length === 10 && /i=(10|20)$/.test(kept[0]) && !kept.some((link) => /i=[45]$/.test(link));
  });
  // A newer version may change the storage while both tabs are open.
  await page.execute(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("patom-lab", 2);
        opening.onsuccess = () => resolve(opening.result.close());
        opening.onerror = () => reject(opening.error);
      }),
  );
  await runs(page, 3);
  await finished(page);
  await page.waitVisible("recent-problem");
  await driver.close();
  await driver.switchTo().window(first);
});

browserTest("of a user's file only name and hash are kept", {}, async (page) => {
  await page.open();
  await finished(page);
  const rows = ["task,label,x1,x2"];
  for (let task = 1; task <= 3; task++) {
    for (let k = 0; k < 12; k++) {
      const x = k / 7 + task * 0.01;
      rows.push(`task-${task},${2 * x},${x},${k === 5 ? 0.7364512 : k}`);
    }
  }
  await page.upload("file", "private.csv", rows.join("\n"));
  await page.waitText("data-note", "private.csv");
  await page.click("summary-run");
  const digest = await finished(page);
  await count(page, 1);
  const text = await stored(page, "patom-lab", "results");
  assert(text.includes("private.csv") && text.includes(digest), text);
  assert(!text.includes("0.7364512"), "numbers of the file are kept");
  // A page that does not have the file shows the result, but cannot run.
  await page.open();
  await finished(page);
  await count(page, 1);
  await recall(page, "private.csv");
  await page.waitText("data-note", "private.csv");
  assert.equal(await finished(page), digest);
  assert.equal(await page.property("run", "disabled"), true);
});

browserTest("records of another version are left alone", { timeout: 120 }, async (page) => {
  await page.open("#i=2");
  await finished(page);
  await count(page, 1);
  const record = { id: "a", state: "done", at: 1e12, run: {}, report: { digest: "x" } };
  await stored(page, "patom-lab", "results", [record, { id: "b" }]);
  await page.open("#i=3");
  await finished(page);
  await count(page, 2);
  await page.execute(() => void (document.querySelector(".recent").open = true));
  await page.waitText("recent-list", /\b2\b.*another version/);
  await page.waitHidden("recent-problem");
  const engine = await page.text("engine-version");
  for (const plan of [undefined, { engine }, { engine, datasets: ["x"], seeds: 1 }]) {
    await openFigure(page, 1);
    const sweep = { figure: "1-paper", sweep: "old", run: -1, plan };
    await stored(page, "patom-lab-figures", "runs", [sweep]);
    await openFigure(page, 1);
    await page.waitText("figure-status", /\d+ runs/);
  }
});

for (const { name, problem, prelude } of [
  {
    name: "never opens its storage",
    problem: /kept/,
    prelude: () => void (IDBFactory.prototype.open = () => ({})),
  },
  {
    name: "has no room left",
    problem: /the quota is used up/,
    prelude: () => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException("the quota is used up", "QuotaExceededError");
      };
    },
  },
  {
    name: "blocks all storage",
    problem: /blocked by the user/,
    prelude: () => {
      const get = () => {
        throw new DOMException("blocked by the user", "SecurityError");
      };
      for (const name of ["indexedDB", "sessionStorage", "localStorage", "caches"]) {
        Object.defineProperty(window, name, { get });
      }
    },
  },
]) {
  browserTest(`in a browser that ${name}, all else works`, {}, async (page) => {
    page.server.prelude(prelude);
    await page.open("#i=3");
    await finished(page);
    await page.waitText("recent-problem", problem);
    await runs(page, 4);
    await page.waitText("status", "4 iterations");
    await finished(page);
    assert.equal(await page.text("notices"), "");
  });
}
