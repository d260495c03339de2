/** What several files of cases say about the lab: its states, digests, menus and texts. No cases here. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** A run that takes seconds on any machine, with 1000 iterations. */
export const LONG = "#p=constant&i=1000&g=implicit_total&pb=100";

/** Texts of the page that several files of cases rely on. */
export const TEXTS = {
  reproduced: "Reproduced bit for bit",
  offline: "Works offline",
};

/** `starting`, `idle`, `running`, `done`, `cancelled` or `failed`. */
export const state = (page) => page.execute(() => document.getElementById("results")?.dataset.state);

/** Waits for a state. */
export async function reached(page, wanted, seconds = 15) {
  await page.waitFor(`the state ${wanted}`, async () => (await state(page)) === wanted, seconds);
}

/** Waits for the end of the run and returns its digest. */
export async function finished(page, seconds = 30) {
  await reached(page, "done", seconds);
  const digest = await page.execute(() => document.getElementById("results")?.dataset.digest);
  assert.match(digest, /^[0-9a-f]{16}$/);
  return digest;
}

/** Waits for a state of the confirmation: `computed`, `confirming`, `confirmed` or `differs`. */
export const confirmation = (page, wanted, id = "confirmation") =>
  page.waitFor(
    `the confirmation to be ${wanted}`,
    async () => (await page.isVisible(id)) && (await page.property(id, "dataset")).state === wanted,
    30,
  );

/** Waits until a run has reached this iteration or a later one, and returns that. */
export const iteration = (page, least) =>
  page.waitFor(`iteration ${least} or a later one`, async () => {
    const found = Number(/^Iteration (\d+)/.exec(await page.text("status"))?.[1] ?? 0);
    return found >= least ? found : 0;
  });

/** Waits until a notice shows this. */
export const notice = (page, part) => page.waitText("notices", part);

/** Waits until the fragment of the address contains all of these, and returns it. */
export async function address(page, ...parts) {
  const check = async () => {
    const fragment = await page.fragment();
    return parts.every((part) => fragment.includes(part)) && fragment;
  };
  return page.waitFor(`${parts.join(", ")} in the address`, check);
}

/** Whether all that is loaded after the first result has arrived. */
export const complete = (page) => page.execute(() => document.querySelector("#where canvas") !== null);

/** Clicks an item; if it is in a closed menu, opens that first. */
export async function chooseItem(page, id) {
  await page.execute(
    (item) => {
      const menu = item.closest("details");
      if (menu?.open === false) menu.querySelector("summary").click();
    },
    await page.find(id),
  );
  await page.click(id);
}

/** A raw file of a published data set, if this machine has it. */
export function rawFile(page, name) {
  const folders = [process.env.PATOM_DATA ?? "", "../shared/data", "target/data"];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  return found ?? page.skip(`${name} is not on this machine`);
}

/** The report that the native program writes for a link; files of the case are in its reach. */
export async function nativeReport(page, link) {
  const program = process.env.PATOM_CLI || page.skip("PATOM_CLI names no native program");
  const out = join(page.folder, "native");
  const run = promisify(execFile)(program, ["run", link, "--out", out, "--data", page.folder]);
  // 1: a solver did not converge, and the report is written all the same.
  await run.catch((error) => assert.equal(error.code, 1, `patom run ${link}: ${error.stderr}`));
  return JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
}

/** Has the page believe that the build has no data sets: its table of them then has other names. */
export function withoutData(page) {
  const replace = (script) => `${script}`.replace(/(["'`])(landmine|mnist|sarcos)(\.bundle\1)/g, "$1no-$2$3");
  page.server.fault(/\.js$/, { replace });
}

// ---- figures of the paper

/** Opens a figure, waits until it can be run, and leaves only these data sets chosen. */
export async function openFigure(page, number, datasets, method = "") {
  await page.open(`#view=figure${number}${method ? `&method=${method}` : ""}`);
  await page.waitText("figure-status", /\S/);
  if (!datasets) return;
  await page.execute((datasets) => {
    for (const box of document.querySelectorAll("[data-testid^=figure-data-]")) {
      if (!box.disabled && box.checked !== datasets.includes(box.name)) box.click();
    }
  }, datasets);
}

/** State and digest of a figure: `idle`, `running`, `done`, `cancelled`, `failed` or `kept`. */
export const figureState = (page) =>
  page.execute(() => ({ ...document.querySelector("[data-testid=figure]").dataset }));

/** Waits for a state of the figure, and returns the digest of its results if all are there. */
export async function figureReached(page, wanted, seconds = 150) {
  const reached = async () => (await figureState(page)).state === wanted;
  await page.waitFor(`the figure to be ${wanted}`, reached, seconds);
  return (await figureState(page)).digest ?? "";
}

/** Runs the figure to its end and returns its digest. */
export async function runFigure(page) {
  await page.click("figure-run");
  const hasBegun = async () => !["idle", "kept"].includes((await figureState(page)).state);
  await page.waitFor("the figure to begin", hasBegun);
  const digest = await figureReached(page, "done");
  assert.match(digest, /^[0-9a-f]{16}$/);
  return digest;
}

/** How many workers live: each holds a lock. */
export const workersAlive = (page) =>
  page.execute(async () => {
    const { held } = await navigator.locks.query();
    return held.filter(({ name }) => name.startsWith("patom-")).length;
  });

/** Waits until the workers of a figure are gone: the lab's own one may stay. */
export const noWorkerIsLeft = (page) =>
  page.waitFor("the workers to be gone", async () => (await workersAlive(page)) <= 1);
