/**
 * Work in progress: runs, sweeps, comparisons. The browser asks before the page is left during long
 * work, and a run that a reload interrupts is noted for this tab.
 */

/** @import { InterruptedRun } from "../engine/types.js" */

/** Seconds of a run beyond which the page does not repeat it without asking. */
export const LONG_RUN = 30;
/** Milliseconds of work after which the browser asks. */
const PATIENCE = 3000;
const NOTE = "patom-run";

/** @type {Set<unknown>} */
const workers = new Set();
/** @type {(() => void)[]} */
const listeners = [];
let timer = 0;

const ask = (/** @type {Event} */ event) => event.preventDefault();

/** Is a run, a sweep or a comparison in progress? */
export const isBusy = () => workers.size > 0;

/** @param {() => void} listener called when work begins, and when all of it is over */
export const onBusyChange = (listener) => listeners.push(listener);

/**
 * @param {unknown} owner of the work
 * @param {boolean} busy
 */
export function setBusy(owner, busy) {
  const before = isBusy();
  if (busy) workers.add(owner);
  else workers.delete(owner);
  if (isBusy() === before) return;
  clearTimeout(timer);
  if (busy) timer = setTimeout(() => addEventListener("beforeunload", ask), PATIENCE);
  else removeEventListener("beforeunload", ask);
  for (const listener of listeners) listener();
}

/** Notes the run in progress; null: it is over. @param {InterruptedRun | null} run */
export function noteRun(run) {
  try {
    if (run) sessionStorage.setItem(NOTE, JSON.stringify(run));
    else sessionStorage.removeItem(NOTE);
  } catch {
    // Storage is blocked or full: a reload then starts the run again without asking.
  }
}

/** The run that a reload of this tab interrupted. @returns {InterruptedRun | null} */
export function interruptedRun() {
  try {
    return JSON.parse(sessionStorage.getItem(NOTE) ?? "null");
  } catch {
    return null;
  } finally {
    noteRun(null);
  }
}
