/**
 * What was read from a user's file: tasks with their points, columns, what was left out, warnings; from here
 * the run starts. Loaded when a file is opened.
 */

import { $, el } from "../ui/dom.js";
import { METRICS, warningItems } from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Opened } from "../core/store.js" */
/** @import { LeftOut, Mapping, Preview } from "../engine/types.js" */

/** Tasks and names that are listed before "and 12 more". */
const MANY = { tasks: 12, names: 8 };

/** @param {number} count @param {string} one */
export const countOf = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;

/** @param {string[]} names @param {number} [total] of which `names` are the first */
function few(names, total = names.length) {
  const shown = names.slice(0, MANY.names);
  const more = total - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Shows what was read, above the result; a second call replaces the first. */
export class Summary {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.root = el("details", {
      class: "card data-summary",
      "data-testid": "data-summary",
      "data-terms": "",
      hidden: true,
    });
    $("results").querySelector(".summary")?.before(this.root);
    session.subscribe(({ type }) => {
      if (type === "started") this.root.open = false;
      // Another data set was chosen.
      if (type === "changed") this.root.hidden = this.shown !== session.description();
    });
    /** @type {unknown} the description of the data set that is shown */
    this.shown = null;
  }

  /** @param {Opened} opened */
  show({ source, description, reading }) {
    this.shown = description;
    const { session } = this;
    const run = el("button", { type: "button", class: "primary", "data-testid": "summary-run" }, "Run the attack");
    run.onclick = () => session.ready && session.start();
    const change = el("button", { type: "button", "data-testid": "summary-columns" }, "Change columns");
    change.onclick = () => session.changeColumns(source);
    const { warnings, left_out: leftOut } = description;
    this.root.replaceChildren(
      el("summary", {}, el("h2", {}, title(description))),
      el("p", { class: "lead" }, predicts(description, reading)),
      ...(warnings.length > 0
        ? [el("ul", { class: "warnings", "data-testid": "summary-warnings" }, ...warningItems(warnings))]
        : []),
      el("div", { class: "actions" }, run, change),
      el("h3", {}, "Points per task"),
      taskBars(description),
      ...(reading ? [el("h3", {}, "Columns"), roles(reading)] : []),
      ...(leftOut.length > 0
        ? [el("h3", {}, "Left out"), el("ul", { "data-testid": "summary-left-out" }, ...leftOut.map(leftOutItem))]
        : []),
    );
    this.root.hidden = false;
    this.root.open = !session.run;
    if (this.root.open) run.focus({ preventScroll: true });
  }
}

/** @param {Opened["description"]} description */
const title = ({ name, shape, points, features }) =>
  `${name}: ${countOf(shape.tasks, "task")}, ${countOf(points, "point")}, ${countOf(features, "feature")}`;

/**
 * @param {Opened["description"]} description
 * @param {Opened["reading"]} reading
 */
function predicts({ kind, metric }, reading) {
  const what = `${METRICS[metric].long} (${METRICS[metric].short})`;
  if (!reading) return `A ${kind}, measured by ${what}. The file stays on your computer.`;
  const { preview, mapping } = reading;
  const label = few(mapping.labels.map((at) => preview.columns[at]?.name ?? ""));
  const classes = mapping.classes ? ` (${few(mapping.classes)})` : "";
  return `A ${kind}: predicts ${label}${classes}, measured by ${what}. The file stays on your computer.`;
}

/** A bar for each task, as long as it has points; its test points are a lighter part. @param {Opened["description"]} description */
function taskBars({ task_names: names, task_points: points, test_points: tests }) {
  const most = Math.max(...points, 1);
  const rows = names.map((name, task) => {
    const all = points[task] ?? 0;
    const test = tests?.[task] ?? 0;
    const bar = el("span", { class: "task-bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String(all / most));
    bar.style.setProperty("--test", String(all > 0 ? test / all : 0));
    const text = tests ? `${all - test} to train, ${test} to test` : String(all);
    return el("tr", {}, el("th", { scope: "row" }, `T${task + 1} ${name}`), el("td", {}, text), el("td", {}, bar));
  });
  const shown = rows.slice(0, MANY.tasks);
  const rest = rows.slice(MANY.tasks);
  const table = (/** @type {HTMLElement[]} */ body) =>
    el("table", { class: "task-bars" }, el("tbody", {}, ...body));
  const more = el("details", {}, el("summary", {}, `${rest.length} more tasks`), table(rest));
  return el("div", { "data-testid": "summary-tasks" }, table(shown), ...(rest.length > 0 ? [more] : []));
}

/** What each column is used for. @param {{preview: Preview, mapping: Mapping}} reading */
function roles({ preview, mapping }) {
  const nameOf = (/** @type {number} */ at) => preview.columns[at]?.name ?? `column ${at + 1}`;
  const used = new Set([...mapping.labels, ...mapping.features, mapping.task, mapping.split?.column]);
  const unused = preview.columns.map((_, at) => at).filter((at) => !used.has(at));
  /** @type {[string, number[]][]} */
  const groups = [
    ["Task", mapping.task === null ? [] : [mapping.task]],
    ["Label", mapping.labels],
    ["Train or test", mapping.split ? [mapping.split.column] : []],
    ["Features", mapping.features],
    ["Unused", unused],
  ];
  return el(
    "dl",
    { class: "facts", "data-testid": "summary-columns-list" },
    ...groups.flatMap(([role, columns]) =>
      columns.length === 0
        ? []
        : [el("dt", {}, role), el("dd", {}, few(columns.map(nameOf), columns.length))],
    ),
  );
}

/** @param {LeftOut} leftOut */
function leftOutItem({ what, names, count, reason }) {
  const named = names.length > 0 ? ` (${few(names, count)})` : "";
  return el("li", {}, `${countOf(count, what)}${named}: ${reason}`);
}
