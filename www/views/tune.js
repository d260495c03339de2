/**
 * The dialog that chooses λ1 and λ2 by cross-validation on the clean training points. Loaded on demand; a
 * worker computes (src/tuning.rs).
 */

import "../style/columns.css";
import { errorMessage } from "../core/words.js";
import { loadExtras } from "../engine/extras.js";
import { Solver } from "../engine/solver.js";
import { el } from "../ui/dom.js";
import { METRICS, metricDigits, table } from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Tuned } from "../engine/types.js" */

/** Size of the picture, in CSS pixels. */
const SIZE = { width: 560, height: 300 };

/** Opens the dialog and starts. @param {Session} session */
export async function openTuning(session) {
  const { complete } = session;
  if (!complete) return;
  const { spec } = complete;
  const solver = new Solver(session.engine.module);
  const status = el("p", { role: "status", "data-testid": "tune-status" }, "Reading the data …");
  const progress = el("progress", { max: 1, value: 0, "aria-label": "Solved problems" });
  const shown = el("div", { class: "tuning", "data-testid": "tune-result" });
  const button = (/** @type {string} */ id, /** @type {string} */ text, attributes = {}) =>
    el("button", { type: "button", "data-testid": id, ...attributes }, text);
  const multi = button("tune-use", "Use for multi-task learning", { class: "primary", hidden: true });
  const close = button("tune-close", "Cancel");
  const dialog = el(
    "dialog",
    { class: "mapper tune", "aria-labelledby": "tune-title", "data-testid": "tune-dialog" },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "tune-title" }, "Choose λ1 and λ2 by cross-validation"),
      el(
        "p",
        { class: "lead" },
        "Five-fold, on the clean training points only: no test point and no poisoned point is used.",
      ),
      status,
      progress,
      shown,
      el("div", { class: "mapper-end" }, el("div", { class: "actions" }, multi, close)),
    ),
  );
  close.onclick = () => dialog.close();
  dialog.onclose = () => {
    solver.close();
    dialog.remove();
  };
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
  try {
    const source = await session.sourceFor(spec);
    const tuned = await solver.tune(spec, source, (done, total) => {
      progress.max = total;
      progress.value = done;
      status.textContent = `${done} of ${total} problems solved`;
    });
    if (!dialog.open) return;
    progress.hidden = true;
    const { multi_task: best } = tuned.tuning;
    status.textContent = verdict(tuned);
    multi.textContent = `Use λ1 = ${best.lambda1}, λ2 = ${best.lambda2}`;
    multi.hidden = false;
    multi.onclick = () => {
      dialog.close();
      session.choose("lambda1", best.lambda1);
      session.choose("lambda2", best.lambda2);
      session.start();
    };
    close.textContent = "Close";
    shown.append(...(await picture(tuned)), resultTable(tuned));
    multi.focus();
  } catch (problem) {
    progress.hidden = true;
    status.textContent = errorMessage(problem);
    close.textContent = "Close";
  } finally {
    solver.close();
  }
}

/** @param {Tuned} tuned */
function verdict({ tuning }) {
  const { multi_task: multi, single_task: single, given, metric_name: name, at_edge: atEdge } = tuning;
  const { short, stronger } = METRICS[name];
  const value = (/** @type {number | null | undefined} */ metric) => metricDigits(metric ?? NaN);
  const isBetter = ((single.metric ?? NaN) - (multi.metric ?? NaN)) * stronger < 0;
  const parts = [
    `Multi-task learning: λ1 = ${multi.lambda1}, λ2 = ${multi.lambda2}, ${short} ${value(multi.metric)}.`,
    `Single-task learning: λ1 = ${single.lambda1}, ${short} ${value(single.metric)}.`,
  ];
  if (given)
    parts.push(`Now: λ1 = ${given.lambda1}, λ2 = ${given.lambda2}, ${short} ${value(given.metric)}.`);
  if (isBetter) parts.push("Single-task learning is better here: sharing between tasks does not help.");
  if (atEdge) parts.push("The best pair is at the edge of the grid; a wider grid may have a better one.");
  return parts.join(" ");
}

/** @param {Tuned} tuned */
async function picture({ tuning, lambda1, multi_task: multi, single_task: single }) {
  const extras = await loadExtras();
  const scale = devicePixelRatio || 1;
  const { width, height } = SIZE;
  const canvas = el("canvas", {
    width: Math.round(width * scale),
    height: Math.round(height * scale),
    role: "img",
    "aria-label": `Error by cross-validation over λ1. ${verdict({ tuning, lambda1, multi_task: multi, single_task: single })}`,
  });
  const style = { scale, dark: matchMedia("(prefers-color-scheme: dark)").matches, paper_colors: false };
  const { multi_task: chosen, metric_name: name } = tuning;
  extras.draw_tuning(canvas, lambda1, multi, single, chosen.lambda1, name, style);
  return [canvas];
}

/** The metric of every pair. @param {Tuned} tuned */
function resultTable({ tuning }) {
  const { trials, multi_task: best, metric_name: name, folds } = tuning;
  const lambdas2 = [...new Set(trials.map(({ lambda2 }) => lambda2))];
  const rows = [...new Set(trials.map(({ lambda1 }) => lambda1))].map((lambda1) => [
    String(lambda1),
    ...trials
      .filter((trial) => trial.lambda1 === lambda1)
      .map(({ lambda2, metric }) => {
        const text = metricDigits(metric ?? NaN);
        return lambda1 === best.lambda1 && lambda2 === best.lambda2 ? el("strong", {}, text) : text;
      }),
  ]);
  const heads = ["λ1 \\ λ2", ...lambdas2.map((value) => (value === 0 ? "single-task" : String(value)))];
  const caption = `Mean ${METRICS[name].short} over the tasks, ${folds}-fold cross-validation`;
  return el(
    "details",
    {},
    el("summary", {}, "Show as table"),
    el(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Cross-validation, table" },
      table(heads, rows, caption),
    ),
  );
}
