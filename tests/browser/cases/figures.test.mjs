/** Figures of the paper: they fill while runs finish, are kept and continued, and are reproducible. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Key } from "selenium-webdriver";

import { browserTest } from "../harness.mjs";
import {
  chooseItem,
  figureReached,
  figureState,
  finished,
  notice,
  noWorkerIsLeft,
  openFigure,
  runFigure,
  TEXTS,
  withoutData,
  workersAlive,
} from "../lab.mjs";
import { FILES } from "../server.mjs";

const DATA = { data: ["sarcos"], timeout: 180 };

/** The label of a figure's canvas, and its pixels. */
const drawn = (page) =>
  page.execute(() => {
    const canvas = document.querySelector("[data-testid=figure-picture-sarcos]");
    return { label: canvas.getAttribute("aria-label"), pixels: canvas.toDataURL() };
  });

/** How many runs are done. */
const done = async (page) => Number(/: (\d+) of/.exec((await drawn(page)).label)[1]);

/** Opens the tables and the list of runs. */
const unfold = (page) =>
  page.execute(() => {
    for (const box of document.querySelectorAll(".figure-cards details:not(.menu)")) box.open = true;
  });

browserTest("figure 1 completes, and its curves are saved", { ...DATA, tier: "default" }, async (page) => {
  await openFigure(page, 1, ["sarcos"]);
  await page.waitText("figure-claim", "less than 10 iterations");
  await page.waitText("figure-status", "6 runs");
  await runFigure(page);
  assert.match((await drawn(page)).label, /6 of 6 runs/);
  assert.match(await page.text("figure-findings-sarcos"), /iteration \d/);
  await unfold(page);
  await page.waitText("figure-numbers-sarcos", "indirect");
  await page.waitText("figure-runs-sarcos", "budget 20 %, seed 1");
  await page.screenshotWhole("figure-1");
  await page.click("figure-csv");
  const csv = readFileSync(await page.downloaded("figure1-paper.csv"), "utf8");
  assert(csv.startsWith("dataset,gradient,step,attack"), csv);
  assert(csv.split("\n").length > 6 * 2, csv);
  await chooseItem(page, "figure-png-sarcos");
  await page.downloaded("figure1-paper-sarcos.png");
  await noWorkerIsLeft(page);
});

browserTest(
  "published results are shown at once, and recomputed ones have their digests",
  { ...DATA, tier: "default" },
  async (page) => {
    await openFigure(page, 1, ["sarcos"]);
    const engine = await page.text("engine-version");
    const source = await page.text("figure-source");
    assert.match(source, /^Published results: \d+ seeds, /);
    assert(source.includes(`engine ${engine}, computed on `), source);
    assert.match(source, /on \d{4}-\d\d-\d\d · digest [0-9a-f]{16}$/);
    for (const name of ["1-paper", "1-exact", "2-paper", "2-exact", "3-paper", "3-exact"]) {
      const file = join(page.dist, `published/figure${name}.json`);
      assert.equal(JSON.parse(readFileSync(file, "utf8")).engine, engine, file);
    }
    const runs = 6 * Number(/(\d+) seeds/.exec(source)[1]);
    const all = new RegExp(`${runs} of ${runs} runs`);
    assert.equal(await page.text("figure-run"), "Recompute here");
    assert.match((await drawn(page)).label, all);
    assert.match(await page.text("figure-findings-landmine"), /iteration \d/);
    await runFigure(page);
    await page.waitText("figure-source", "all 6 digests equal the published results");
    await page.click("figure-show-published");
    assert.match((await drawn(page)).label, all);
  },
);

browserTest(
  "the claims fit their card after the examples were seen",
  { data: ["landmine"] },
  async (page) => {
    await page.open("#i=2");
    await finished(page);
    await page.click("all-examples");
    await page.waitVisible("examples-close");
    await page.press(Key.ESCAPE);
    await page.click("to-figures");
    const fits = () =>
      page.execute(() => {
        const claims = document.querySelector("[data-testid=figure-claims]");
        return claims?.querySelectorAll(".verdict").length === 2 && claims.scrollWidth <= claims.clientWidth;
      });
    await page.waitFor("both verdicts, nothing cut off", fits);
  },
);

browserTest(
  "claims have a verdict by both methods, and a link opens a method",
  { ...DATA, tier: "default" },
  async (page) => {
    await openFigure(page, 3, ["sarcos"]);
    await page.waitText("figure-method", "constant step of 100");
    const claims = () =>
      page.execute(() =>
        [...document.querySelectorAll("[data-testid=figure-claims] tbody tr")].map((row) =>
          [...row.cells].map(({ textContent }) => textContent),
        ),
      );
    const before = await claims();
    assert.equal(before.length, 3);
    for (const [claim, paper, ...verdicts] of before) {
      assert(claim && paper, String(before));
      assert.equal(verdicts.length, 2);
      for (const verdict of verdicts) assert.match(verdict, /^(Agrees: |(In part|Differs): .*, because )/);
    }
    assert.match(before[1][1], /0\.99/, "the paper's number stands beside");
    assert.match(await page.property("figure-paper", "href"), /^https:\/\/doi\.org\//);
    await page.set("figure-method-exact", true);
    await page.waitText("figure-method", "backtracking");
    assert.equal(await page.fragment(), "#view=figure3&method=exact");
    assert.deepEqual(await claims(), before);
    // Recomputed: of the exact method only.
    await page.execute(() => document.querySelector("[data-testid=figure-data-landmine]")?.click());
    await runFigure(page);
    const after = await claims();
    assert.match(after[1][3], /of 3 attacks/);
    for (const k of [0, 1, 2]) assert.equal(after[k][2], before[k][2]);
    assert.match(await page.text("figure-claims"), /computed here, 1 seed/);
    await openFigure(page, 3, undefined, "exact");
    await figureReached(page, "kept");
    await openFigure(page, 3);
    await page.waitText("figure-method", "constant step of 100");
  },
);

browserTest("without its published results a figure can still be run", DATA, async (page) => {
  page.expectConsoleError("404");
  page.server.fault(/published\/figure3-paper\.json/, { status: 404 });
  await openFigure(page, 3, ["sarcos"]);
  await page.waitText("figure-status", "3 runs");
  await runFigure(page);
  assert.equal(await page.text("figure-source"), "");
});

browserTest("figure 2 fills while runs finish, and cancel keeps them", DATA, async (page) => {
  page.setCores(2);
  await openFigure(page, 2, ["sarcos"]);
  await page.set("figure-seeds", 10);
  await page.waitText("figure-status", "960 runs on 2 workers");
  await page.click("figure-run");
  let last = (await drawn(page)).pixels;
  for (let changes = 0; changes < 3; changes++) {
    const differs = async () => {
      const { pixels } = await drawn(page);
      return pixels !== last && pixels;
    };
    last = await page.waitFor("another picture while runs finish", differs);
    assert.equal((await figureState(page)).state, "running");
  }
  assert(await page.isVisible("figure-progress"));
  await page.screenshot("figure-running");
  assert((await workersAlive(page)) >= 2, "workers are known by their locks");
  await page.click("figure-cancel");
  await figureReached(page, "cancelled");
  await noWorkerIsLeft(page);
  assert((await done(page)) > 0);
  await page.click("figure-csv");
  const csv = readFileSync(await page.downloaded("figure2-paper.csv"), "utf8");
  assert(csv.split("\n").length > 4, csv);
  // And it runs again.
  await page.set("figure-seeds", 1);
  await runFigure(page);
});

browserTest("where storage is slow, the runs of a figure that is done are kept", DATA, async (page) => {
  page.slowStorage(500);
  await openFigure(page, 3, ["sarcos"]);
  const digest = await runFigure(page);
  await openFigure(page, 3);
  assert.equal(await figureReached(page, "kept", 15), digest);
});

browserTest("a run of figure 3 opens in the lab and reproduces", DATA, async (page) => {
  await openFigure(page, 3);
  const digest = await runFigure(page);
  assert.match(await page.text("figure-findings-sarcos"), /T2 and T3/);
  await page.screenshotWhole("figure-3");
  await unfold(page);
  await page.waitText("figure-runs-sarcos", "hybrid");
  await page.execute(() => document.querySelector("[data-testid=figure-runs-sarcos] a").click());
  await finished(page);
  await notice(page, TEXTS.reproduced);
  assert.equal(await page.property("field-budget", "value"), "0.3");
  await page.driver.navigate().back();
  await page.waitText("figure-status", digest);
});

browserTest("figures do not depend on the number of workers", { ...DATA, timeout: 300 }, async (page) => {
  // (1, 2 and 4 workers are compared by tests of the engine.)
  const digests = { 1: [], 2: [], 3: [] };
  for (const cores of [1, 4]) {
    page.setCores(cores);
    for (const [figure, seeds] of [
      // More runs than workers, several of one setting once, and few enough: 12, 96 and 9.
      [1, 2],
      [2, 1],
      [3, 3],
    ]) {
      await openFigure(page, figure, ["sarcos"]);
      await page.set("figure-seeds", seeds);
      digests[figure].push(await runFigure(page));
      assert.match(await page.text("figure-status"), new RegExp(`on ${cores} worker`));
    }
  }
  for (const [one, four] of Object.values(digests)) assert.equal(one, four);
});

browserTest("back and forward go between the views", {}, async (page) => {
  await page.open("#b=0.35");
  const digest = await finished(page);
  await page.click("to-figures");
  await page.waitVisible("figure");
  assert.equal(await page.fragment(), "#view=figure1");
  assert(!(await page.isVisible("results")));
  await page.click("to-figure3");
  await page.waitText("figure-claim", "subverted");
  await page.driver.navigate().back();
  await page.waitText("figure-claim", "converges");
  await page.driver.navigate().back();
  await page.waitVisible("results");
  // As it was left: nothing is run again.
  assert.equal(await finished(page), digest);
  assert.equal(await page.property("field-budget", "value"), "0.35");
  await page.driver.navigate().forward();
  await page.waitText("figure-claim", "converges");
  await page.click("to-lab");
  await page.waitVisible("results");
  assert.match(await page.fragment(), /b=0\.35/);
  // A link to a figure that also has a specification leads to the lab with it.
  await page.open("#d=synthetic&s=5&view=figure2");
  await page.waitText("figure-claim", "30 %");
  await page.click("to-lab");
  await finished(page);
  assert.equal(await page.property("field-seed", "value"), "5");
});

for (const { fault, cores, faults, part } of [
  // With one worker, two panics also fail a run that is tried twice.
  { fault: "panics", cores: 1, faults: ["panic", "panic"], part: "a panic was injected" },
  { fault: "dies", cores: 2, faults: ["close"], part: /browser (ended|stopped)/i },
]) {
  browserTest(`a worker that ${fault} fails its runs alone`, DATA, async (page) => {
    page.expectConsoleError("a panic was injected", "RuntimeError");
    page.setCores(cores);
    page.failRuns(...faults);
    await openFigure(page, 1, ["sarcos"]);
    await runFigure(page);
    await page.waitText("figure", part);
    assert.match((await drawn(page)).label, /6 of 6/);
    assert.match(await page.text("figure-findings-sarcos"), /hybrid/);
  });
}

browserTest("a figure asks again for a bundle that was altered", DATA, async (page) => {
  page.server.fault(FILES.bundle("sarcos"), { alter: 5000 });
  await openFigure(page, 1, ["sarcos"]);
  await page.click("figure-run");
  await page.waitText("figure", "failed");
  page.server.heal();
  await page.waitFor("the end of the runs", async () => (await figureState(page)).state === "done");
  await runFigure(page);
  assert.match((await drawn(page)).label, /6 of 6/);
});

browserTest("figures work with the keyboard alone", DATA, async (page) => {
  const tabTo = async (wanted) => {
    for (let presses = 0; presses < 80; presses++) {
      if ((await page.focused()) === wanted) return;
      await page.press(Key.TAB);
    }
    assert.fail(`the focus never reached ${wanted}`);
  };
  await page.open();
  await finished(page);
  for (const [id, shown] of [
    ["to-figures", "converges"],
    ["to-figure3", "subverted"],
  ]) {
    await tabTo(id);
    await page.press(Key.ENTER);
    await page.waitText("figure-claim", shown);
  }
  await tabTo("figure-run");
  await page.press(Key.ENTER);
  await figureReached(page, "done");
});

browserTest("a figure without its data cannot be run, and says why", {}, async (page) => {
  withoutData(page);
  await openFigure(page, 2);
  assert.equal(await page.property("figure-data-sarcos", "disabled"), true);
  await page.waitText("figure", /not (in|included in) this/);
});

browserTest("the results of a figure are kept and continued", DATA, async (page) => {
  page.setCores(1);
  await openFigure(page, 1, ["sarcos"]);
  await page.set("figure-seeds", 2);
  const digest = await runFigure(page);
  assert(!(await page.isVisible("figure-continue")), "nothing is left");
  // Cancelled as soon as there are results.
  await page.execute(() => {
    const byId = (id) => document.querySelector(`[data-testid=figure-${id}]`);
    byId("run").click();
    const timer = setInterval(() => {
      if (!(byId("progress").value > 0)) return;
      clearInterval(timer);
      byId("cancel").click();
    }, 5);
  });
  await figureReached(page, "cancelled");
  const before = await done(page);
  assert(before >= 1 && before < 12, `${before} of 12`);
  await page.click("figure-continue");
  assert.equal(await figureReached(page, "done"), digest);
  assert.equal(await done(page), 12);
  await openFigure(page, 1);
  assert.equal(await figureReached(page, "kept"), digest);
  assert.equal(await done(page), 12);
  assert.equal(await page.property("figure-seeds", "value"), "2");
  // They are forgotten with the recent results.
  await page.open("#i=2");
  await finished(page);
  await page.waitVisible("recent");
  await page.execute((recent) => void (recent.open = true), await page.find("recent"));
  await page.click("forget-all");
  await page.waitHidden("recent");
  await openFigure(page, 1);
  await figureReached(page, "idle");
});

browserTest("an interrupted figure continues after a reload", DATA, async (page) => {
  page.expectConsoleError("Blocked attempt to show a 'beforeunload'");
  page.setCores(1);
  await openFigure(page, 2, ["sarcos"]);
  await page.set("figure-seeds", 10);
  await page.click("figure-run");
  await page.waitFor("some runs", async () => (await done(page)) >= 10);
  // Results are saved every second.
  await sleep(1500);
  assert.equal((await figureState(page)).state, "running", "too short for this");
  await openFigure(page, 2);
  await figureReached(page, "kept");
  const before = await done(page);
  assert(before >= 10 && before < 960, `${before} of 960`);
  await page.screenshotWhole("figure-interrupted");
  await page.click("figure-continue");
  await page.waitFor("more runs", async () => (await done(page)) > before + 10);
  await page.click("figure-cancel");
  await figureReached(page, "cancelled");
  assert.equal(await page.text("notices"), "");
});

browserTest("a figure cancelled before its first run leaves the results before", DATA, async (page) => {
  await openFigure(page, 1, ["sarcos"]);
  const digest = await runFigure(page);
  await page.execute(() => {
    for (const id of ["run", "cancel"]) document.querySelector(`[data-testid=figure-${id}]`).click();
  });
  await figureReached(page, "cancelled");
  assert.equal(await done(page), 0);
  await openFigure(page, 1);
  assert.equal(await figureReached(page, "kept"), digest);
  // A double click starts it once, and does not cancel it.
  const button = await page.find("figure-run");
  await page.execute((button) => button.scrollIntoView({ block: "center" }), button);
  await page.driver.actions().doubleClick(button).perform();
  assert.equal(await figureReached(page, "done"), digest);
});
