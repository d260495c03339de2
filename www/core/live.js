/**
 * Runs changed settings by themselves where a run is fast, so that a slider answers while it is moved.
 * Where runs take longer, the user starts them. No elements.
 */

/** @import { LabEvent } from "../engine/types.js" */
/** @import { Session } from "./session.js" */

/** Milliseconds: a run that takes longer is started by the user alone. */
export const FAST = 500;
/** Milliseconds without another change before the run starts. */
const PAUSE = 200;

export class Live {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** Milliseconds and iterations of the last run, by data set. @type {Map<string, [number, number]>} */
    this.times = new Map();
    /** The same of the last run on any of them. @type {[number, number]} */
    this.last = [Infinity, 1];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    session.subscribe((event) => this.onEvent(event));
  }

  /** @param {LabEvent} event */
  onEvent(event) {
    const { session } = this;
    if (event.type === "changed") return this.schedule();
    if (["started", "ended", "empty"].includes(event.type)) return this.cancel();
    if (event.type !== "done") return;
    this.cancel();
    // A recalled result took no time.
    if (!session.result?.at && !event.corrected) {
      const iterations = Math.max(event.run.spec.iterations, 1);
      // What the engine took to start is no part of the run.
      const start = Math.max(event.run.start, session.solver.readyAt ?? 0);
      this.last = [performance.now() - start, iterations];
      this.times.set(key(event.run.spec.dataset), this.last);
    }
    // The settings changed during the run.
    this.schedule();
  }

  /** Is a run of the current settings expected to be fast? */
  get isFast() {
    const { spec } = this.session.complete ?? {};
    if (!spec) return false;
    // A file of one's own is looked at before its first run.
    const known = this.times.get(key(spec.dataset)) ?? (typeof spec.dataset === "string" && this.last);
    if (!known) return false;
    const [time, iterations] = known;
    return time * Math.max(spec.iterations / iterations, 1) < FAST;
  }

  schedule() {
    const { session } = this;
    this.cancel();
    // With `run`, the end of that run decides.
    if (!session.stale || !session.ready || !this.isFast) return;
    session.willRun = true;
    this.timer = setTimeout(() => {
      this.cancel();
      if (session.stale && session.ready) session.start({ live: true });
    }, PAUSE);
  }

  cancel() {
    clearTimeout(this.timer);
    this.session.willRun = false;
  }
}

/** @param {import("../engine/types.js").DatasetRef} ref */
const key = (ref) => (typeof ref === "string" ? ref : ref.sha256);
