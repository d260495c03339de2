/** Long use of one tab: memory and workers do not accumulate. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { finished, noWorkerIsLeft, openFigure, workersAlive } from "../lab.mjs";

/** Runs in one tab. */
const RUNS = 1000;
/**
 * What they may add to the memory of all processes of the browser, in MiB: a leak of one report a run
 * (about 200 kB) would be three times as much. Most of what is measured is garbage of the worker, which
 * no command collects.
 */
const GROWTH = 64;

/** Presses Run so many times (a multiple of 50), with another seed each time, and waits for each result. */
async function run(page, count) {
  // A script may take 30 s.
  for (let done = 0; done < count; done += 50) {
    const states = await page.execute(async () => {
      const results = document.getElementById("results");
      const seed = document.getElementById("field-seed");
      const ended = () =>
        new Promise((resolve) => {
          const observer = new MutationObserver(() => {
            if (results.dataset.state === "running") return;
            observer.disconnect();
            resolve(results.dataset.state);
          });
          observer.observe(results, { attributeFilter: ["data-state"] });
        });
      const states = new Set();
      for (let k = 0; k < 50; k++) {
        seed.value = String((k % 40) + 1);
        for (const type of ["input", "change"]) seed.dispatchEvent(new Event(type, { bubbles: true }));
        const state = ended();
        document.getElementById("controls").requestSubmit();
        states.add(await state);
      }
      return [...states];
    });
    assert.deepEqual(states, ["done"]);
  }
}

/** What all processes of this browser hold now, in MiB, without pages of files, which they share. */
function resident(page) {
  const processes = new Map();
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const read = (name) => readFileSync(join("/proc", id, name), "utf8");
      const own = read("cmdline").includes(page.browser.folder);
      // After the name, which may hold anything: state, then the parent.
      const parent = read("stat").split(") ").at(-1).split(" ")[1];
      const sizes = [...read("status").matchAll(/Rss(?:Anon|Shmem):\s+(\d+) kB/g)];
      processes.set(id, { own, parent, kilobytes: sizes.reduce((sum, [, size]) => sum + Number(size), 0) });
    } catch {
      // It has just ended.
    }
  }
  const belongs = (process) => process && (process.own || belongs(processes.get(process.parent)));
  const own = [...processes.values()].filter(belongs);
  return own.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / 1024;
}

/** The same after garbage collections of the page, once results that wait to be stored are stored. */
async function memory(page) {
  const sizes = [];
  for (let looks = 0; looks < 5; looks++) {
    await sleep(1000);
    await page.cdp("HeapProfiler.collectGarbage");
    sizes.push(resident(page));
  }
  console.log(`memory in MiB: ${sizes.map((size) => size.toFixed()).join(", ")}`);
  return Math.min(...sizes);
}

const MEMORY = { timeout: 600, engines: CHROMIUM };

browserTest("a thousand runs leave the memory as it was", MEMORY, async (page) => {
  await page.open("#i=2&n=20&nt=20");
  await finished(page);
  // Until caches and stored results are as large as they become.
  await run(page, RUNS / 2);
  const before = await memory(page);
  await run(page, RUNS);
  const after = await memory(page);
  assert(before > 10, "no process was found");
  assert(after - before < GROWTH, `${RUNS} runs added ${after - before} MiB to ${before} MiB`);
  await noWorkerIsLeft(page);
  const marks = await page.execute(() => performance.getEntriesByType("mark").length);
  assert(marks <= 4, `${marks} marks of earlier runs`);
});

const FIGURE = { timeout: 300, data: ["sarcos"] };

browserTest("fifty cancelled figures leave no worker", FIGURE, async (page) => {
  page.setCores(2);
  await openFigure(page, 2, ["sarcos"]);
  await page.set("figure-seeds", 10);
  for (let sweeps = 0; sweeps < 50; sweeps++) {
    await page.click("figure-run");
    await page.waitFor("two workers", async () => (await workersAlive(page)) >= 2);
    await page.click("figure-cancel");
  }
  await noWorkerIsLeft(page);
});
