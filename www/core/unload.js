/**
 * Leaving the page while something long goes on: the browser asks first. What was left all the
 * same is noted for this tab, so that a reload can say so.
 */

/** @import { CutShort } from "../engine/types.js" */

/** Milliseconds after which it is a pity to lose what goes on. */
const LONG = 3000;
const NOTE = "patom-run";

/** @type {Set<unknown>} */
const going = new Set();
let timer = 0;

const ask = (/** @type {Event} */ event) => event.preventDefault();

/**
 * @param {unknown} what
 * @param {boolean} on
 */
export function goesOn(what, on) {
  const before = going.size;
  if (on) going.add(what);
  else going.delete(what);
  if (going.size === 0) {
    clearTimeout(timer);
    removeEventListener("beforeunload", ask);
  } else if (before === 0) {
    timer = setTimeout(() => addEventListener("beforeunload", ask), LONG);
  }
}

/** Notes how far a run is; null: it is over. @param {CutShort | null} run */
export function noteRun(run) {
  try {
    if (run) sessionStorage.setItem(NOTE, JSON.stringify(run));
    else sessionStorage.removeItem(NOTE);
  } catch {
    // Blocked or full: then a reload starts the run again without a word.
  }
}

/** The run that a reload of this tab cut short. @returns {CutShort | null} */
export function cutShort() {
  try {
    return JSON.parse(sessionStorage.getItem(NOTE) ?? "null");
  } catch {
    return null;
  } finally {
    noteRun(null);
  }
}
