/** Many specifications on several workers, which share one compiled module. */

import { Solver } from "./solver.js";

/** @import { Measured, Problem, Source, Spec } from "./types.js" */

/** Workers that run at the same time, at most. */
export const WORKERS = Math.min(Math.max(navigator.hardwareConcurrency || 2, 1), 8);

export class Pool {
  /**
   * @param {WebAssembly.Module} module
   * @param {number} size
   */
  constructor(module, size) {
    this.solvers = Array.from({ length: size }, () => new Solver(module));
    this.open = true;
  }

  /**
   * Hands the jobs out one by one, in their order: with the jobs of a data set side by side, each
   * worker reads it once. One that fails is told of; the others go on. Returns when all are over,
   * after `close` never.
   * @param {{spec: Spec, source: Source}[]} jobs
   * @param {(job: number, measured: Measured) => void} onMeasured
   * @param {(job: number, problem: Problem) => void} onError
   */
  async run(jobs, onMeasured, onError) {
    let next = 0;
    /** @param {Solver} solver */
    const work = async (solver) => {
      for (let k = next++; this.open; k = next++) {
        const job = jobs[k];
        if (!job) return solver.close();
        try {
          onMeasured(k, await solver.measure(job.spec, job.source));
        } catch (problem) {
          onError(k, /** @type {Problem} */ (problem));
        }
      }
    };
    await Promise.all(this.solvers.map(work));
  }

  /** Ends every worker at once, whatever it does. */
  close() {
    this.open = false;
    for (const solver of this.solvers) solver.close();
  }
}
