/** A report as text: headline, summaries, tables, facts. Pure functions; they read no page state. */

import { el } from "../ui/dom.js";
import { duration } from "../core/words.js";
import { SOLVER_STATUS, STOP, minus, readable, textOf } from "../ui/text.js";

/** @import { Model, Problem, Report, Spec, Warning } from "../engine/types.js" */

export { duration };

export const METRICS = {
  nmse: {
    short: "NMSE",
    long: "normalised mean squared error",
    stronger: 1,
    guess: 1,
    ruined: "worse than guessing the average",
    plain: "test error",
    scale: "0 is perfect; 1 (dashed) is no better than guessing the mean.",
  },
  auc: {
    short: "AUC",
    long: "area under the ROC curve",
    stronger: -1,
    guess: 0.5,
    ruined: "worse than guessing",
    plain: "ability to separate the classes",
    scale: "1 is perfect; 0.5 (dashed) is chance; below, the order is inverted.",
  },
};

/** @param {number} value */
export function digits(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toPrecision(3);
  return minus(text);
}

/**
 * A metric with three decimals where they carry enough digits, so that values align.
 * @param {number} value
 */
export const metricDigits = (value) =>
  Math.abs(value) >= 0.1 && Math.abs(value) < 10 ? value.toFixed(3) : digits(value);

/** @param {number} value */
export const signed = (value) => (value > 0 ? "+" : "") + digits(value);

/** A change of a metric, with as many decimals as the metric. @param {number} value */
export const changeDigits = (value) =>
  Math.abs(value) < 5e-4 ? "0.000" : (value > 0 ? "+" : "") + metricDecimals(value);

/** @param {number} value */
const metricDecimals = (value) =>
  Math.abs(value) < 1000 ? minus(value.toFixed(3)) : minus(Math.round(value).toLocaleString("en"));

/** @param {number} value */
export const twoDecimals = (value) => minus(value.toFixed(2).replace("-0.00", "0.00"));

/**
 * Names that are short enough for charts and buttons, such as digits ("0" of "digit 0"); empty: T1 to Tm.
 * @param {string[]} names
 */
export function shortNames(names) {
  const last = names.map((name) => name.replace(/^.* /, ""));
  const isOneKind = new Set(names.map((name, task) => name.slice(0, -(last[task] ?? "").length))).size === 1;
  const differ = last.some((name, task) => ![`T${task + 1}`, String(task + 1)].includes(name));
  return isOneKind && differ && last.every((name) => name && name.length <= 2) ? last : [];
}

/** @param {number} task @param {string[]} [names] */
export function taskName(task, names = []) {
  const short = shortNames(names)[task];
  return short === undefined ? `T${task + 1}` : `“${short}”`;
}

/** "task T4", "tasks T1–T3". @param {number[]} tasks @param {string[]} [names] */
export const tasksText = (tasks, names) =>
  `task${tasks.length === 1 ? "" : "s"}\u00a0${taskList(tasks, names)}`;

/** "1 iteration", "2 iterations". @param {number} count */
export const iterationsOf = (count) => `${count} iteration${count === 1 ? "" : "s"}`;

/**
 * 0, 1, 2, 6 -> T1–T3, T7; word joiners prevent line breaks inside T1–T3.
 * @param {number[]} tasks
 * @param {string[]} [names]
 */
export function taskList(tasks, names) {
  /** @type {string[]} */
  const parts = [];
  for (let k = 0; k < tasks.length; ) {
    let end = k;
    while (tasks[end + 1] === (tasks[end] ?? NaN) + 1) end++;
    const [first, last] = [tasks[k] ?? 0, tasks[end] ?? 0];
    if (end - k >= 2) parts.push(`${taskName(first, names)}\u2060–\u2060${taskName(last, names)}`);
    else for (let j = k; j <= end; j++) parts.push(taskName(tasks[j] ?? 0, names));
    k = end + 1;
  }
  return parts.join(", ");
}

/** Which tasks were poisoned, if not the targets themselves. @param {Report} report */
function where({ spec, task_names: names }) {
  if (spec.attack === "direct") return "";
  return ` in ${tasksText(spec.attackers, names)}${spec.attack === "indirect" ? " alone" : ""}`;
}

/**
 * The result in one sentence: the effect first, then the metric. A model that knew nothing before the
 * attack is the news: an attack on it shows nothing.
 * @param {Report} report
 */
export function headline(report) {
  const { spec, clean, attacked } = report;
  const metric = METRICS[report.metric_name];
  const list = taskList(spec.targets, report.task_names);
  const targets = spec.attack === "direct" ? tasksText(spec.targets, report.task_names) : list;
  if ((clean.metric - metric.guess) * metric.stronger >= 0) {
    return (
      `No conclusion: without any attack, the predictions for ${targets} are no better than guessing ` +
      `(${metric.short} ${metricDigits(clean.metric)}, guessing has ${metric.guess}).`
    );
  }
  if (spec.budget === 0) {
    return `No poisoned points: the ${metric.plain} of ${targets} is ${metricDigits(clean.metric)} (${metric.short}).`;
  }
  const change = attacked.metric - clean.metric;
  const one = report.injected === 1;
  const kind = `${spec.method === "random" ? "random" : "poisoned"} point${one ? "" : "s"}`;
  // A recalled result may be older than the count.
  const count = report.injected ? `${report.injected.toLocaleString("en")} ${kind}` : capital(kind);
  const points = `${count}${where(report)}`;
  if (!Number.isFinite(change))
    return `${points} attacked ${targets}, but ${metric.short} is undefined there.`;
  const small = Math.abs(change) < 5e-4 * Math.max(1, Math.abs(clean.metric));
  const isRuined = (attacked.metric - metric.guess) * metric.stronger >= 0;
  const effect = small
    ? `did not change the predictions for ${targets}`
    : change * metric.stronger > 0
      ? isRuined
        ? `ruined ${targets}`
        : `made the predictions for ${targets} worse`
      : `improved the predictions for ${targets}`;
  const verb = small ? "stayed nearly constant, going" : change > 0 ? "rose" : "fell";
  const numbers = `from ${metricDigits(clean.metric)} to ${metricDigits(attacked.metric)} (${metric.short})`;
  const ruin = isRuined && !small ? `, ${metric.ruined}` : "";
  const their = spec.targets.length === 1 ? "its" : "their";
  return `${points} ${effect}: ${their} ${metric.plain} ${verb} ${numbers}${ruin}.${beside(report)}`;
}

/**
 * What stands beside clean and attacked: the metric of single-task learning and, where there is one, with the
 * sanitiser and certified; else not a number. A recalled result may be older.
 * @param {Report} report
 * @returns {[number, number, number]}
 */
export const levels = (report) => [
  report.spec.learner === "single_task" ? NaN : (report.single_task?.metric ?? NaN),
  report.sanitised?.attacked ?? NaN,
  isEmpty(report) ? NaN : (report.certified_metric ?? NaN),
];

/** Does the certificate promise no more than guessing? @param {Report} report */
const isEmpty = ({ certified_metric: certified, metric_name: name }) =>
  ((certified ?? NaN) - METRICS[name].guess) * METRICS[name].stronger >= 0;

/** @param {Report} report */
const beside = (report) =>
  levels(report)
    .map((value, k) => (Number.isFinite(value) ? ` ${BESIDE[k]}: ${metricDigits(value)}.` : ""))
    .join("") + (isEmpty(report) ? " The certificate promises no more than guessing." : "");
const BESIDE = ["Single-task learning", "With the sanitiser", "Certified bound for points in other tasks"];

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** What can make the result meaningless. @param {Warning[]} warnings */
export const warningItems = (warnings) =>
  warnings.map(({ message, code }) => {
    const tune = el("button", { type: "button", class: "quiet" }, "Choose λ");
    tune.onclick = () => document.getElementById("tune")?.click();
    return el("li", { "data-code": code }, message, TUNED.includes(code) ? tune : null);
  });

/** Warnings that another λ may cure. */
const TUNED = ["no_better_than_guessing", "worse_than_single_task"];

/** @param {Report} report */
export function curveSummary(report) {
  const metric = METRICS[report.metric_name];
  const { metric: values, utility } = report.trace;
  const last = values.length - 1;
  return (
    `Attack over ${iterationsOf(last)}: mean ${metric.short} of the target tasks from ` +
    `${metricDigits(values[0] ?? NaN)} at the random start to ${metricDigits(values[last] ?? NaN)} ` +
    `(clean ${metricDigits(report.clean.metric)}), the attacker's utility from ` +
    `${digits(utility[0] ?? NaN)} to ${digits(utility[last] ?? NaN)}.`
  );
}

/**
 * @param {Report} report
 * @returns {import("../ui/charts.js").Heatmap[]}
 */
export function heatmaps(report) {
  const { clean, attacked, true_correlation: truth } = report;
  const maps = [
    { name: "clean", title: "Learned from clean data", values: clean.correlation, openEnded: false },
    { name: "attacked", title: "Learned under attack", values: attacked.correlation, openEnded: false },
    {
      name: "difference",
      title: "Difference: attacked − clean",
      values: attacked.correlation.map((value, k) => value - (clean.correlation[k] ?? NaN)),
      openEnded: true,
    },
  ];
  if (truth) maps.unshift({ name: "true", title: "True", values: truth, openEnded: false });
  return maps;
}

/**
 * @param {import("../ui/charts.js").Heatmap} map
 * @param {number} m
 * @param {string[]} [names]
 */
export function heatmapSummary(map, m, names) {
  let [low, high] = [Infinity, -Infinity];
  let [lowAt, highAt] = [
    [0, 0],
    [0, 0],
  ];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < i; j++) {
      const value = map.values[i * m + j] ?? NaN;
      if (value < low) [low, lowAt] = [value, [j, i]];
      if (value > high) [high, highAt] = [value, [j, i]];
    }
  }
  const what = `${map.title}, correlation of ${m} task${m === 1 ? "" : "s"}`;
  if (m < 2) return `${what}.`;
  const pair = (/** @type {number[]} */ tasks) => tasks.map((task) => taskName(task, names)).join(" and ");
  return `${what}: from ${twoDecimals(low)} (${pair(lowAt)}) to ${twoDecimals(high)} (${pair(highAt)}). Use the arrow keys to read cells.`;
}

/**
 * @param {import("../ui/charts.js").Heatmap[]} maps
 * @param {[number, number]} cell
 * @param {number} m
 * @param {Report | undefined} [report] for the roles and names of the tasks
 */
export function cellText(maps, [row, column], m, report) {
  const values = maps.map((map) => `${map.name} ${twoDecimals(map.values[row * m + column] ?? NaN)}`);
  const [one, other] = [row, column].map((task) => roleText(task, report));
  return `${row === column ? one : `${one} and ${other}`}: ${values.join(", ")}`;
}

/** "T4 “field 4” (attacking)". @param {number} task @param {Report | undefined} [report] */
export function roleText(task, report) {
  if (!report) return taskName(task);
  const { spec, task_names: names } = report;
  const roles = [
    ...(spec.targets.includes(task) ? ["target"] : []),
    ...(spec.budget > 0 && spec.attackers.includes(task) ? ["attacking"] : []),
  ];
  const name = names[task] === `T${task + 1}` || shortNames(names).length > 0 ? "" : ` “${names[task]}”`;
  return `${taskName(task, names)}${name}${roles.length > 0 ? ` (${roles.join(", ")})` : ""}`;
}

/**
 * @param {string[]} heads
 * @param {(string | Node)[][]} rows
 * @param {string} caption
 */
export function table(heads, rows, caption) {
  const cell = (/** @type {string | Node} */ value, /** @type {number} */ k) =>
    k === 0 ? el("th", { scope: "row" }, value) : el("td", {}, value);
  return el(
    "table",
    {},
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map(cell)))),
  );
}

/**
 * @param {Report} report
 * @param {boolean} eachTarget one column per target
 */
export function traceTable(report, eachTarget) {
  const { trace } = report;
  const metric = METRICS[report.metric_name];
  const m = report.task_names.length;
  const targets = eachTarget ? report.target_tasks : [];
  const rows = Array.from(trace.iteration, (iteration, k) => [
    String(iteration),
    metricDigits(trace.metric[k] ?? NaN),
    ...targets.map((task) => metricDigits(trace.metric_per_task[k * m + task] ?? NaN)),
    digits(trace.utility[k] ?? NaN),
    digits(trace.objective[k] ?? NaN),
    digits(trace.certificate[k] ?? NaN),
    duration(trace.seconds[k] ?? 0),
  ]);
  return table(
    [
      "Iteration",
      `${metric.short} of the target tasks`,
      ...targets.map((task) => taskName(task, report.task_names)),
      "Utility",
      "Objective",
      "Error bound",
      "Time",
    ],
    rows,
    "Attack progress",
  );
}

/**
 * @param {import("../ui/charts.js").Heatmap[]} maps
 * @param {number} m
 * @param {string[]} [names]
 */
export function correlationTables(maps, m, names) {
  const tasks = Array.from({ length: m }, (_, task) => taskName(task, names));
  return maps.map((map) =>
    table(
      ["Task", ...tasks],
      tasks.map((name, i) => [name, ...Array.from(map.values.slice(i * m, i * m + m), twoDecimals)]),
      map.title,
    ),
  );
}

/** @param {Report} report */
export function taskTable(report) {
  // A recalled result may be older.
  const { spec, clean, attacked, task_names: names, single_task: alone, sanitised, certified } = report;
  const defended = [sanitised?.per_task, certified].filter(
    (values) => values !== undefined && values !== null,
  );
  const metric = METRICS[report.metric_name];
  const changes = Array.from(
    attacked.metric_per_task,
    (value, task) => value - (clean.metric_per_task[task] ?? NaN),
  );
  const short = shortNames(names).length > 0;
  const largest = Math.max(1e-9, ...changes.filter(Number.isFinite).map(Math.abs));
  const rows = names.map((name, task) => {
    const role = el("span", { class: "roles" });
    if (spec.targets.includes(task)) role.append(el("span", { class: "role target" }, "target"));
    if (spec.budget > 0 && spec.attackers.includes(task)) {
      role.append(el("span", { class: "role attacker" }, "attacking"));
    }
    const change = changes[task] ?? NaN;
    const number = (/** @type {number} */ value) =>
      Number.isFinite(value) ? metricDigits(value) : "undefined: only one class";
    const bar = el("span", { class: change * metric.stronger > 0 ? "bar worse" : "bar better" });
    bar.style.setProperty("--share", String(Number.isFinite(change) ? Math.abs(change) / largest : 0));
    return [
      el("span", {}, el("b", {}, taskName(task, names)), short || name === `T${task + 1}` ? "" : ` ${name}`),
      role,
      number(clean.metric_per_task[task] ?? NaN),
      number(attacked.metric_per_task[task] ?? NaN),
      ...(alone
        ? [`${metricDigits(alone.clean[task] ?? NaN)} → ${metricDigits(alone.attacked[task] ?? NaN)}`]
        : []),
      ...defended.map((values) => metricDigits(values[task] ?? NaN)),
      el("span", { class: "change" }, Number.isFinite(change) ? changeDigits(change) : "–", bar),
    ];
  });
  const direction = metric.stronger > 0 ? "higher is a stronger attack" : "lower is a stronger attack";
  return table(
    [
      "Task",
      "Role",
      `${metric.short} clean`,
      `${metric.short} attacked`,
      ...(alone ? ["Single-task learning, clean → attacked"] : []),
      ...(sanitised?.per_task ? ["Sanitised"] : []),
      ...(certified ? ["Certified"] : []),
      "Change",
    ],
    rows,
    `${metric.short} (${metric.long}) on the test set; ${direction}`,
  );
}

/**
 * The metric of the targets before the attack, at its random start and after it, on one scale.
 * @param {Report} report
 */
export function bars(report) {
  const metric = METRICS[report.metric_name];
  const { clean, attacked, trace } = report;
  const start = trace.metric[0] ?? NaN;
  const change = attacked.metric - clean.metric;
  const worse = change * metric.stronger > 0;
  const others = levels(report);
  const finite = [clean.metric, start, attacked.metric, ...others].filter(Number.isFinite);
  // The whole scale of AUC; of NMSE, at least a little beyond the value of guessing.
  const end = report.metric_name === "auc" ? 1 : Math.max(1.1 * metric.guess, ...finite);
  const percent = (100 * change) / Math.abs(clean.metric);
  const relative =
    Math.abs(percent) < 0.05
      ? "0\u00a0%"
      : Number.isFinite(percent)
        ? `${percent > 0 ? "+" : "−"}${Math.abs(percent).toFixed(Math.abs(percent) < 10 ? 1 : 0)}\u00a0%`
        : "–";
  const bar = (
    /** @type {string} */ label,
    /** @type {number} */ value,
    /** @type {string} */ kind,
    /** @type {string} */ note,
  ) => {
    const line = el("span", { class: "track" }, el("span", { class: "fill" }));
    line.style.setProperty("--value", String(Number.isFinite(value) ? Math.max(value, 0) / end : 0));
    line.style.setProperty("--guess", String(metric.guess / end));
    return el(
      "div",
      { class: `tile ${kind}` },
      el("dt", {}, label),
      el("dd", {}, line, el("strong", {}, metricDigits(value)), note && el("small", {}, note)),
    );
  };
  if (report.spec.budget === 0) return [bar(metric.short, clean.metric, "before", "")];
  return [
    bar(`${metric.short} before`, clean.metric, "before", ""),
    bar("Random points", start, "start", ""),
    bar(`${metric.short} after`, attacked.metric, worse ? "after bad" : "after", relative),
    ...["Single-task", "Sanitised", "Certified"].flatMap((label, k) => {
      const value = others[k] ?? NaN;
      return Number.isFinite(value) ? [bar(label, value, "", "")] : [];
    }),
  ];
}

/** @param {Model} model */
const solverText = ({ solver_status: status, objective, certificate }) =>
  `${textOf(SOLVER_STATUS, status)}; objective ${digits(objective)}, at most ${digits(certificate)} above the optimum`;

/** An attacker beyond the paper's. @param {Report} report @returns {[string, string][]} */
function attackerRows({ won, spec: { starts, knowledge } }) {
  /** @type {[string, string][]} */
  const rows = [];
  // A recalled result may be older than these fields.
  if (typeof won === "number") rows.push(["Starts", `start ${won + 1} of ${starts} has the largest utility`]);
  if (knowledge < 1) {
    rows.push([
      "Knowledge",
      `${digits(100 * knowledge)} % of the clean points; the utility is of a model of these`,
    ]);
  }
  return rows;
}

/** What a defence achieves. @param {Report} report @returns {[string, string][]} */
function defenceRows({ certified, sanitised, target_tasks: targets, metric_name: name, clean, task_names }) {
  const { short } = METRICS[name];
  /** @type {[string, string][]} */
  const rows = [];
  if (certified) {
    // Tasks with poisoned points of their own have no certificate.
    const held = targets.filter((task) => Number.isFinite(certified[task] ?? NaN));
    const text = held
      .map((task) => `${taskName(task, task_names)} ${metricDigits(certified[task] ?? NaN)}`)
      .join(", ");
    rows.push([
      "Certified",
      held.length > 0
        ? `worst ${short} that points in other tasks can cause: ${text}`
        : "no target is certified: each has poisoned points of its own",
    ]);
  }
  if (sanitised) {
    const { dropped } = sanitised;
    const counts = dropped
      ? `; dropped ${dropped.caught} of ${dropped.injected} poisoned and ${dropped.lost} of ${dropped.clean} clean points`
      : "";
    rows.push([
      "Sanitised",
      `${short} ${metricDigits(sanitised.clean ?? NaN)} on clean data (${metricDigits(clean.metric)} without), ` +
        `${metricDigits(sanitised.attacked ?? NaN)} under attack${counts}`,
    ]);
  }
  return rows;
}

/** @param {Report} report */
export function facts(report) {
  const { spec } = report;
  const rows = /** @type {[string, Node | string][]} */ ([
    ["Digest", el("code", { id: "digest" }, report.digest)],
    ["Engine", report.engine],
    ["Data", el("code", { class: "long" }, `SHA-256 ${report.data_sha256}`)],
    ...(report.columns ? [["Columns", el("code", { class: "long" }, report.columns)]] : []),
    ["Attack stopped", textOf(STOP, report.stop)],
    ["Clean model", solverText(report.clean)],
    ["Attacked model", solverText(report.attacked)],
    ...attackerRows(report),
    ...defenceRows(report),
    ["Solver, gradient, step", `${spec.solver}, ${readable(spec.gradient)}, ${spec.step}`],
  ]);
  return rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
}

/**
 * The command that repeats a run.
 * @param {Report} report
 * @param {string} link
 */
export function command({ columns, spec }, link) {
  const mapping = columns ? ` --columns '${columns.replaceAll("'", `'\\''`)}'` : "";
  const what = typeof spec.dataset === "string" ? `'#${link}'` : `spec.json${mapping}`;
  return `cargo run --release -- run ${what} --out out`;
}
