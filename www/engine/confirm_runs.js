/** Confirms the runs of a figure, on request, by repeating them. Not here: the result of the lab (`confirm`). */

import { Solver } from "./solver.js";

/** @import { Pool } from "./pool.js" */
/** @import { Measured, Source, Spec } from "./types.js" */

/**
 * Repeats the runs of a figure, which have these digests. In a fresh engine repeats those that differ.
 * @param {Pool} pool closing it ends the second runs
 * @param {{spec: Spec, source: Source}[]} jobs
 * @param {string[]} digests
 * @param {() => void} onRun a run was repeated
 * @returns {Promise<{job: number, agreed: Measured | null}[]>} the runs that differ, each with what two of
 *   three runs agree on
 */
export async function confirmRuns(pool, jobs, digests, onRun) {
  /** @type {[number, Measured][]} */
  const differing = [];
  /** @type {unknown} */
  let failure = null;
  await pool.run(
    jobs,
    (job, measured) => {
      onRun();
      if (measured.digest !== digests[job]) differing.push([job, measured]);
    },
    (_, problem) => (failure ??= problem),
  );
  if (failure) throw failure;
  const found = [];
  for (const [job, second] of differing) {
    const { spec, source } = /** @type {typeof jobs[number]} */ (jobs[job]);
    const solver = new Solver(pool.module, true);
    try {
      const third = await solver.measure(spec, source);
      const agrees = third.digest === second.digest || third.digest === digests[job];
      found.push({ job, agreed: agrees ? third : null });
    } finally {
      solver.close();
    }
  }
  return found;
}
