/** The help on file formats: what can be opened, the limits, and an example file. */

import { download, el } from "../ui/dom.js";

/** @import { Solver } from "../engine/solver.js" */
/** @import { FileLimits } from "../engine/types.js" */

/** @param {FileLimits} limits */
export function limitText({ bytes, tasks, features, values }) {
  const number = (/** @type {number} */ value) => value.toLocaleString("en");
  const size = Math.round(bytes / (1 << 20));
  return `At most ${size} MiB, ${number(tasks)} tasks, ${number(features)} features, ${number(values)} numbers.`;
}

/**
 * Fills the help on file formats: formats, limits and an example.
 * @param {Solver} solver
 * @param {HTMLElement} box
 */
export async function showHelp(solver, box) {
  if (box.childElementCount > 0) return;
  const { csv, limits } = await solver.example();
  if (box.childElementCount > 0) return;
  const save = () => download("example.csv", new Blob([csv], { type: "text/csv" }));
  box.append(
    el(
      "ul",
      {},
      el(
        "li",
        {},
        "Text tables (.csv, .tsv, .txt, .data), plain or compressed by gzip: one point per row. Delimiter, header, decimal sign and missing values are detected; what each column is, is guessed and shown before anything runs.",
      ),
      el(
        "li",
        {},
        "MAT (version 5 to 7), NumPy (.npy, .npz), svmlight, ARFF, JSON lines or a JSON list of objects.",
      ),
      el(
        "li",
        {},
        "Each label column becomes a task on the same points. Two different labels make a classification; three or more words are a task each, one against the rest.",
      ),
      el("li", {}, limitText(limits)),
      el("li", {}, "Your data never leaves this computer: all computations run in the browser."),
    ),
    el("button", { type: "button", "data-testid": "example-csv", onclick: save }, "Download an example CSV"),
  );
}
