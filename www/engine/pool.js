/** Runs many jobs on several workers, which share one compiled module. */

import { setBusy } from "../core/unload.js";
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
    this.module = module;
    this.solvers = Array.from({ length: size }, () => new Solver(module));
    this.open = true;
  }

  /**
   * Assigns the jobs to workers in their order: with the jobs of a data set in sequence, each worker
   * reads the data once. A failed job does not stop the others. Resolves when all are done; after
   * `close`, never.
   * @template {{spec: Spec, source: Source}} J
   * @template [R=Measured]
   * @param {J[]} jobs
   * @param {(job: number, result: R) => void} onDone
   * @param {(job: number, problem: Problem) => void} onError
   * @param {(solver: Solver, job: J) => Promise<any>} [work] by default a brief run
   */
  async run(jobs, onDone, onError, work = (solver, { spec, source }) => solver.measure(spec, source)) {
    let next = 0;
    setBusy(this, true);
    /** @param {Solver} solver */
    const serve = async (solver) => {
      for (let k = next++; this.open; k = next++) {
        const job = jobs[k];
        if (!job) return solver.close();
        try {
          onDone(k, await work(solver, job));
        } catch (problem) {
          onError(k, /** @type {Problem} */ (problem));
        }
      }
    };
    await Promise.all(this.solvers.map(serve));
    setBusy(this, false);
  }

  /** Ends every worker at once. */
  close() {
    this.open = false;
    setBusy(this, false);
    for (const solver of this.solvers) solver.close();
  }
}
