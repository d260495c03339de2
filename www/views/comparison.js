/** Reference runs for the tour and the examples, computed by separate workers. */

import { syntheticSource } from "../core/sources.js";
import { Pool } from "../engine/pool.js";

/** @import { Session } from "../core/session.js" */
/** @import { Draft, Measured, Problem, Report } from "../engine/types.js" */

/**
 * @typedef {{
 *   clean: number, metric: number[], utility: number[], before: ArrayLike<number>,
 *   after: ArrayLike<number>, sanitised: number,
 * }} Outcome
 * The compared quantities: the targets' metric on clean data and at every iteration, the utility,
 * and the correlations (m x m) before and after the attack; with a sanitiser the metric under attack.
 */

/** @param {Report} report @returns {Outcome} */
export const outcomeOf = ({ clean, attacked, trace, sanitised }) => ({
  clean: clean.metric,
  metric: [...trace.metric],
  utility: [...trace.utility],
  before: clean.correlation,
  after: attacked.correlation,
  sanitised: sanitised?.attacked ?? NaN,
});

/** @param {Measured} measured @returns {Outcome} */
const fromMeasured = (measured) => ({
  clean: measured.clean ?? NaN,
  metric: measured.metric.map((value) => value ?? NaN),
  utility: measured.utility,
  before: measured.clean_correlation,
  after: measured.attacked_correlation,
  sanitised: measured.sanitised ?? NaN,
});

/**
 * Runs valid drafts on named data sets, each on the first free worker.
 * @param {Session} lab
 * @param {Draft[]} drafts
 * @param {number} workers
 * @param {(draft: number, outcome: Outcome | Problem) => void} onDone
 */
export async function runComparisons(lab, drafts, workers, onDone) {
  const pool = new Pool(lab.engine.module, Math.min(workers, drafts.length));
  /** @type {Map<string, ReturnType<Session["sourceOf"]>>} */
  const sources = new Map();
  try {
    const jobs = await Promise.all(
      drafts.map(async (draft) => {
        const complete = lab.engine.complete(draft);
        if ("errors" in complete) throw complete.errors[0];
        const { spec } = complete;
        if (spec.dataset === "synthetic") return { spec, source: syntheticSource(spec) };
        const name = String(spec.dataset);
        const source = sources.get(name) ?? lab.sourceOf(name);
        sources.set(name, source);
        return { spec, source: await source };
      }),
    );
    await pool.run(
      jobs,
      (job, measured) => onDone(job, fromMeasured(measured)),
      (job, problem) => onDone(job, problem),
    );
  } finally {
    pool.close();
  }
}
