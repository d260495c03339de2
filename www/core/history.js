/**
 * Recent results: keeps the results of runs, and of interrupted ones the beginning, in this browser.
 * Loaded after the first result; the page works without it. No elements: views/history.js has the list.
 */

import * as records from "./database.js";
import * as sweeps from "./sweeps.js";
import { LONG_RUN, noteRun } from "./unload.js";
import { errorMessage } from "./words.js";

/** @import { Kept, LabEvent, Result, RunState } from "../engine/types.js" */
/** @import { Session } from "./session.js" */

/** Milliseconds between two saves of a run in progress. */
const PACE = 1000;
/** Milliseconds between results of runs that started by themselves, which make one series. */
const SERIES = 3000;
/** Bytes of the paths of poisoned points that are kept with a result; longer paths are left out. */
const MAX_PATH_BYTES = 4 << 20;

/** A lock that this tab holds: an unfinished run of a tab without its lock was interrupted. */
const TAB = `tab ${records.unique()}`;

export class History {
  /**
   * @param {Session} session
   * @param {Result[]} early results since the start of the page
   */
  constructor(session, early) {
    this.session = session;
    /** @type {Kept | null} the run in progress */
    this.current = null;
    /** @type {Kept | null} the record of the result that is shown */
    this.shown = null;
    this.timer = 0;
    /** The saves, in order. */
    this.saving = /** @type {Promise<unknown>} */ (Promise.resolve());
    /** @type {Kept[]} results that are not saved yet */
    this.unsaved = [];
    /** Why results cannot be kept; empty if they can. */
    this.problem = "";
    /** @type {() => void} called when records or `problem` may have changed */
    this.onChange = () => {};
    this.otherTabs = new BroadcastChannel("patom-results");
    this.otherTabs.onmessage = () => this.onChange();
    navigator.locks?.request(TAB, () => new Promise(() => {})).catch(() => {});
    addEventListener("pagehide", () => this.save());
    session.subscribe((event) => this.onEvent(event));
    for (const result of early) this.finish("done", result);
    if (session.run) this.begin(session.run);
    if (session.confirmation?.state === "confirmed") this.confirm();
  }

  /** @param {LabEvent} event */
  onEvent(event) {
    if (event.type === "started") this.begin(event.run);
    if (event.type === "done") this.finish("done");
    if (event.type === "ended") this.finish(event.how);
    if (event.type === "confirmation" && this.session.confirmation?.state === "confirmed") this.confirm();
  }

  /** @param {RunState} run */
  begin(run) {
    this.current = {
      id: records.unique(),
      tab: TAB,
      at: Date.now(),
      state: "running",
      run,
      report: null,
    };
    clearInterval(this.timer);
    this.timer = setInterval(() => this.save(), PACE);
  }

  /** Keeps the run in progress. */
  save() {
    const record = this.current;
    if (!record) return;
    const { id, run } = record;
    const { iterations } = run.spec;
    const iteration = run.points.at(-1)?.iteration ?? null;
    const seconds = (performance.now() - run.start) / 1000;
    const expected = iteration ? (seconds * iterations) / iteration : seconds;
    noteRun({ id, link: run.link, iteration, iterations, long: expected > LONG_RUN });
    this.queue(() => records.put(record));
  }

  /**
   * @param {"done" | "cancelled" | "failed"} how
   * @param {Result | null} result
   */
  finish(how, result = this.session.result) {
    clearInterval(this.timer);
    noteRun(null);
    const { current } = this;
    const before = this.shown;
    this.current = null;
    this.shown = result?.kept ?? null;
    if (result?.kept) return;
    // Of the results while a slider moves, the last is kept.
    const follows = how === "done" && result?.run.live && before?.run.live && Date.now() - before.at < SERIES;
    const id = (follows ? before.id : current?.id) ?? records.unique();
    if (current && current.id !== id) this.queue(() => records.remove(current.id));
    const common = { id, tab: TAB, at: Date.now() };
    // The default run is not kept: the page starts with it.
    const start = this.session.engine.complete({});
    const isDefault = !("errors" in start) && result?.link === start.link;
    if (how === "done" && result && !isDefault) {
      const { report } = result;
      const [first] = result.run.points;
      const each = (first?.places.byteLength ?? 0) + (first?.correlation.byteLength ?? 0);
      const pathBytes = result.run.points.length * each;
      const run = pathBytes <= MAX_PATH_BYTES ? result.run : { ...result.run, scene: null, points: [] };
      this.put({ ...common, state: "done", run, report });
    } else if (how === "cancelled" && current && current.run.points.length > 1) {
      this.queue(() => records.put({ ...current, ...common, state: "cancelled" }));
    } else if (current) {
      this.queue(() => records.remove(id));
    }
    this.announce(this.saving);
  }

  /** Notes that a second run gave the same result. */
  confirm() {
    if (!this.shown || this.shown.confirmed) return;
    this.put({ ...this.shown, confirmed: true });
    this.announce(this.saving);
  }

  /** @param {Kept} record of a result */
  put(record) {
    this.shown = record;
    this.unsaved.push(record);
    // Runs may end faster than they are saved.
    if (this.unsaved.length > records.CAPACITY) this.unsaved.shift();
    this.queue(async () => {
      const next = this.unsaved.shift();
      if (next) await records.put(next);
    });
  }

  /** @param {string} id */
  remove(id) {
    this.queue(() => records.remove(id));
    this.announce(this.saving);
  }

  /** Deletes all results, and all runs of figures. */
  clear() {
    this.shown = null;
    this.announce(Promise.all([records.clear(), sweeps.clear()]));
  }

  /**
   * All kept records that are no run in progress, newest first.
   * @returns {Promise<Kept[]>}
   */
  async recent() {
    const [all, open] = await Promise.all([records.all(), openTabs()]);
    return all.filter(({ state, tab }) => state !== "running" || !open.includes(tab));
  }

  /** @param {() => Promise<unknown>} work */
  queue(work) {
    this.saving = this.saving.then(work).then(
      () => this.setProblem(""),
      (problem) => this.setProblem(errorMessage(problem)),
    );
  }

  /** Notifies this tab and the others when the work is done. @param {Promise<unknown>} work */
  announce(work) {
    work.then(
      () => {
        this.otherTabs.postMessage(null);
        this.onChange();
      },
      (problem) => this.setProblem(errorMessage(problem)),
    );
  }

  /** @param {string} problem */
  setProblem(problem) {
    if (problem === this.problem) return;
    this.problem = problem;
    this.onChange();
  }
}

/** The locks of open tabs; none where the browser has no locks. */
async function openTabs() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.map(({ name }) => name ?? "");
}
