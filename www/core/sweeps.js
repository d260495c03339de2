/** The runs of figures and studies that this browser keeps across reloads. No elements. */

import { transact } from "./database.js";

/** @import { Base } from "./database.js" */

/**
 * @typedef {{engine: string, datasets: string[], seeds: number}} Plan
 * What the sweep of a figure consists of.
 * @typedef {string} Figure
 * The number of a figure and its method, or the name of a study.
 */

/** @type {Base} */
const BASE = {
  name: "patom-lab-figures",
  table: "runs",
  make: (database) => database.createObjectStore("runs", { keyPath: ["figure", "sweep", "run"] }),
};

/** The number of the record that holds the plan. */
const PLAN = -1;

/** All records of a figure: in a key, a list sorts after every name of a sweep. @param {Figure} figure */
const allOf = (figure) => IDBKeyRange.bound([figure], [figure, []]);

/**
 * Keeps results of a sweep. One sweep of a figure is kept, the one added to last: an older one is
 * deleted when the new one has a result.
 * @template R
 * @param {Figure} figure
 * @param {string} sweep its unique name
 * @param {object} plan
 * @param {[number, R][]} fresh results with the numbers of their runs
 * @param {() => [number, R][]} all used if a sweep of another tab replaced this one
 */
export const add = (figure, sweep, plan, fresh, all) =>
  transact(BASE, "readwrite", (table) => {
    const head = table.count([figure, sweep, PLAN]);
    head.onsuccess = () => {
      const known = head.result > 0;
      if (!known) {
        table.delete(allOf(figure));
        table.put({ figure, sweep, run: PLAN, plan });
      }
      for (const [run, result] of known ? fresh : all()) table.put({ figure, sweep, run, result });
    };
    return head;
  });

/**
 * The kept runs of a figure, as they were added.
 * @param {Figure} figure
 * @returns {Promise<{sweep: string, plan: any, results: [number, any][]} | null>}
 */
export async function kept(figure) {
  const records = await transact(BASE, "readonly", (table) => table.getAll(allOf(figure)));
  const head = records.find(({ run }) => run === PLAN);
  if (!head) return null;
  const { sweep, plan } = head;
  const mine = records.filter((record) => record.sweep === sweep && record.run !== PLAN);
  return { sweep, plan, results: mine.map(({ run, result }) => [run, result]) };
}

export const clear = () => transact(BASE, "readwrite", (table) => table.clear());
