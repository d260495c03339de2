/** What the parts of a risk study show: the answer with its remedies, the map, the curves. */

import { Heatmaps } from "../ui/charts.js";
import { el } from "../ui/dom.js";
import { metricDigits, shortNames, table, twoDecimals } from "./report.js";

/** @import { Study } from "./risk_part.js" */
/** @import { View } from "./risk.js" */

/**
 * @typedef {{
 *   lead: string, unit: string, isLive: boolean, nodes: HTMLElement[], box: HTMLElement,
 *   canvas: HTMLCanvasElement | null,
 *   show: (study: Study, sentences: string[]) => void, tables: (study: Study) => HTMLElement[],
 * }} Content
 * `unit`: what is counted; `isLive`: drawn while it is computed; `canvas`: drawn by the engine as the picture of
 * the part, null where the part draws itself when it is shown.
 */

/** @param {number | null | undefined} value */
const digits = (value) => metricDigits(value ?? NaN);
/** @param {number | undefined} task */
const nameOf = (task) => (task === undefined ? "–" : `T${task + 1}`);

/** A picture of the engine. @param {string} name @param {string} title */
function picture(name, title) {
  const canvas = el("canvas", { role: "img", "aria-label": title, "data-testid": `risk-${name}-picture` });
  return { canvas, box: el("div", { class: "picture-box" }, canvas) };
}

/** The answer to "is my data at risk?". @param {string} title @returns {Content} */
export function exposureContent(title) {
  const { canvas, box } = picture("exposure", title);
  const learners = el("div", {
    class: "scroll",
    tabindex: 0,
    role: "region",
    "aria-label": "Learners compared",
    "data-testid": "risk-learners",
  });
  return {
    lead:
      "Poisoned points in the target tasks themselves, in all other tasks, and random ones, at 5 to 30 % of the " +
      "clean points; then the same attacks, at 20 %, on learners that may resist. Means over 3 seeds.",
    unit: "runs",
    isLive: true,
    nodes: [el("div", { class: "risk-answer" }, box, learners)],
    canvas,
    box,
    show(study, sentences) {
      canvas.setAttribute("aria-label", [`${title}.`, ...sentences].join(" "));
      const rows = study
        .learners()
        .map(({ name, clean, indirect, direct }) => [name, digits(clean), digits(indirect), digits(direct)]);
      const heads = ["Learner", "Clean", "Others poisoned", "Targets poisoned"];
      learners.replaceChildren(table(heads, rows, "Mean metric of the targets, 20 % poisoned points"));
    },
    tables(study) {
      const lines = study.lines();
      const heads = [
        "Poisoned",
        ...(lines[0]?.budgets ?? []).map((budget) => `${Math.round(100 * budget)} %`),
      ];
      const rows = lines.map(({ name, mean, low, high }) => [
        name,
        ...Array.from(mean, (value, at) => `${digits(value)} (${digits(low[at])} to ${digits(high[at])})`),
      ]);
      return [table(heads, rows, "Mean metric of the targets over the seeds (smallest to largest)")];
    },
  };
}

/**
 * The map beside the learned correlations; a cell opens its run.
 * @param {View} view
 * @returns {Content}
 */
export function mapContent(view) {
  const box = el("div", { class: "heatmaps risk-maps", "data-testid": "risk-maps" });
  const text = el("span");
  const link = el("a", { hidden: true, "data-testid": "risk-cell-link" }, "Open this run");
  const readout = el(
    "p",
    { class: "readout", "aria-live": "polite", "data-testid": "risk-readout" },
    text,
    " ",
    link,
  );
  /** @type {Study | null} */
  let shown = null;
  /** The cell that was read last: a link to its run stays when the pointer leaves the map. */
  const maps = new Heatmaps(view.engine, box, (cell) => {
    if (!cell || !shown) return;
    text.textContent = shown.cell(...cell);
    const address = view.cellAddress(...cell);
    link.hidden = !address;
    link.href = address;
  });
  const open = () => maps.cursor && !link.hidden && link.click();
  return {
    lead:
      "Left: what poisoned points in one task (row) do to one target (column); the diagonal is a direct attack. " +
      "Right: how the learner relates the tasks. A click or Enter opens the run of a cell.",
    unit: "rows",
    isLive: true,
    nodes: [box, readout],
    canvas: null,
    box,
    show(study, sentences) {
      shown = study;
      const { damage, correlation, range, open_ended: openEnded, legend } = study.map();
      const names = study.task_names();
      maps.names = shortNames(names);
      const roles = { targets: [], attackers: [] };
      const titles = ["Damage by one poisoned task", "Learned correlations, clean data"];
      const { cursor } = maps;
      maps.show(
        [
          { name: "damage", title: titles[0] ?? "", values: damage, openEnded, roles, range, legend },
          { name: "correlation", title: titles[1] ?? "", values: correlation, openEnded: false, roles },
        ],
        names.length,
        study.spec(),
        (map) =>
          `${map.title}, ${names.length} tasks. ${sentences.join(". ")}. Use the arrow keys to read cells.`,
      );
      if (cursor) maps.moveTo(cursor);
      for (const { canvas } of maps.shown) {
        // A tap reads a cell; its link opens it.
        canvas.onclick = (event) => {
          if (!(event instanceof PointerEvent && event.pointerType === "touch")) open();
        };
        canvas.onkeydown = (event) => event.key === "Enter" && open();
      }
    },
    tables(study) {
      const { damage, correlation } = study.map();
      const m = study.task_names().length;
      const heads = ["Poisoned \\ target", ...Array.from({ length: m }, (_, task) => nameOf(task))];
      const rows = (/** @type {Float64Array} */ values) =>
        Array.from({ length: m }, (_, row) => [
          nameOf(row),
          ...Array.from(values.subarray(row * m, (row + 1) * m), (value) =>
            Number.isFinite(value) ? twoDecimals(value) : "–",
          ),
        ]);
      return [
        table(heads, rows(damage), "Damage by one poisoned task"),
        table(heads, rows(correlation), "Learned correlations, clean data"),
      ];
    },
  };
}

/**
 * What sharing costs, over λ2 or the pull cap.
 * @param {"lambda2" | "pull_cap"} name
 * @param {string} title
 * @returns {Content}
 */
export function curveContent(name, title) {
  const { canvas, box } = picture(name, title);
  const knob = name === "lambda2" ? "λ2" : "Pull cap μ";
  return {
    lead:
      name === "lambda2"
        ? "A larger λ2 couples the tasks more: it can lower the error without an attack, and it lets one task drag others."
        : "The capped learner limits how hard other tasks can pull at a task: from single-task learning (left) to no cap.",
    unit: "rows",
    isLive: true,
    nodes: [box],
    canvas,
    box,
    show(_, sentences) {
      canvas.setAttribute("aria-label", [`${title}.`, ...sentences].join(" "));
    },
    tables(study) {
      const rows = study.points(name).map((point) => {
        const [attacker, target, damage] = point.worst_indirect ?? [];
        const pair = damage === undefined ? "" : ` (${nameOf(attacker)} → ${nameOf(target)})`;
        return [
          point.value === null ? "none" : String(point.value),
          digits(point.clean),
          `${digits(damage)}${pair}`,
          digits(point.mean_indirect),
          digits(point.worst_direct?.[1]),
        ];
      });
      const heads = [
        knob,
        "Mean, no attack",
        "Worst indirect damage",
        "Mean indirect damage",
        "Worst direct damage",
      ];
      return [table(heads, rows, title)];
    },
  };
}
