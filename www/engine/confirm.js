/**
 * Confirms results by repeating runs. When the page is idle, a second worker repeats the run and the digests are
 * compared. If they differ, a third run in a freshly compiled engine decides, and its result replaces
 * a wrong one. Not here: the runs of a figure (`confirm_runs`); elements, which `views/confirmation.js`
 * shows.
 */

import { LONG_RUN, isBusy, onBusyChange } from "../core/unload.js";
import { errorMessage } from "../core/words.js";
import { Solver } from "./solver.js";

/** @import { Session } from "../core/session.js" */
/** @import { Confirmation, LabEvent, Measured, Result, RunState, Source, Spec } from "./types.js" */

/** Milliseconds of idleness before the second run: longer where it could disturb the user. */
const connection = /** @type {{saveData?: boolean} | undefined} */ (Reflect.get(navigator, "connection"));
const IDLE = connection?.saveData || navigator.hardwareConcurrency === 1 ? 5000 : 800;

/** Confirms the result of the lab. */
export class Confirmer {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Solver | null} repeats the run */
    this.solver = null;
    /** Counts the repeated runs: an older one that fails late is ignored. */
    this.attempt = 0;
    this.timer = 0;
    /** Is a second run wanted as soon as the page is idle? */
    this.wanted = false;
    session.subscribe((event) => this.onEvent(event));
    onBusyChange(() => (isBusy() ? this.stop() : this.schedule()));
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", () => this.schedule());
    // There may be a result already.
    if (!session.run) this.onResult();
  }

  /** @param {LabEvent} event */
  onEvent(event) {
    if (event.type === "done" && !event.corrected) this.onResult();
    else if (["started", "ended", "empty"].includes(event.type)) {
      this.stop();
      this.wanted = false;
      this.enter(null);
    }
  }

  /** Confirms the result that is shown, if there is one: at once when idle, or on request. */
  onResult() {
    const { result } = this.session;
    if (!result) return;
    this.stop();
    this.wanted = false;
    if (result.kept?.confirmed) return this.enter({ state: "confirmed" });
    const onRequest = Boolean(result.kept) || performance.now() - result.run.start > LONG_RUN * 1000;
    this.wanted = !onRequest;
    this.enter({ state: "computed", onRequest: onRequest && this.isPossible() });
    this.schedule();
  }

  /** A recalled result may be that of an older engine, or of a file that is not open. */
  isPossible() {
    const { result, engine } = this.session;
    return (
      result !== null &&
      result.report.engine === engine.version &&
      this.session.isThere(result.run.spec.dataset)
    );
  }

  /** @param {Confirmation | null} state */
  enter(state) {
    this.session.confirmation = state;
    this.session.emit({ type: "confirmation" });
  }

  /** Repeats the run on request: at once, or when other work is over. */
  request() {
    this.wanted = true;
    if (!isBusy()) this.confirm();
  }

  /** Starts the second run when the page has been idle for a while. */
  schedule() {
    clearTimeout(this.timer);
    if (!this.wanted || this.solver || isBusy()) return;
    this.timer = setTimeout(() => this.confirm(), IDLE);
  }

  /** Ends the repeated run at once; it starts again when the page is idle. */
  stop() {
    clearTimeout(this.timer);
    if (!this.solver) return;
    this.close();
    this.enter({ state: "computed" });
  }

  close() {
    this.attempt++;
    this.solver?.close();
    this.solver = null;
  }

  async confirm() {
    const { result } = this.session;
    clearTimeout(this.timer);
    if (!result || this.solver) return;
    const solver = (this.solver = new Solver(this.session.engine.module));
    const attempt = ++this.attempt;
    const isCurrent = () => attempt === this.attempt;
    this.enter({ state: "confirming" });
    try {
      const source = await this.session.sourceFor(result.run.spec);
      if (!isCurrent()) return;
      const second = await solver.measure(result.run.spec, source);
      if (!isCurrent()) return;
      if (second.digest === result.report.digest) return this.end({ state: "confirmed" });
      const runs = [
        { digest: result.report.digest, metric: result.report.attacked.metric },
        { digest: second.digest, metric: second.metric.at(-1) ?? NaN },
      ];
      this.enter({ state: "differs", runs });
      const third = await this.repeatFresh(result.run, source);
      if (!isCurrent()) return;
      const { digest } = third.report;
      const agrees = runs.findIndex((run) => run.digest === digest);
      runs.push({ digest, metric: third.report.attacked.metric });
      if (agrees === 1) this.session.correct(third);
      this.end({ state: "differs", runs, agrees: agrees < 0 ? null : agrees });
    } catch (problem) {
      if (isCurrent()) this.end({ state: "computed", problem: errorMessage(problem), onRequest: true });
    }
  }

  /**
   * The third run, with an engine that is compiled again.
   * @param {RunState} first
   * @param {Source} source
   * @returns {Promise<Result>}
   */
  repeatFresh({ spec, link, metric }, source) {
    this.solver?.close();
    const solver = (this.solver = new Solver(this.session.engine.module, true));
    /** @type {RunState} */
    const run = { spec, link, metric, clean: null, scene: null, points: [], start: performance.now() };
    return new Promise((resolve, reject) =>
      solver.run(spec, source, {
        onClean: (clean, scene) => Object.assign(run, { clean, scene }),
        onProgress: (points) => run.points.push(...points),
        onDone: (report) => resolve({ report, link, run }),
        onError: reject,
      }),
    );
  }

  /** @param {Confirmation} state */
  end(state) {
    this.wanted = false;
    this.close();
    this.enter(state);
  }
}
