/**
 * What was read from a user's file: tasks with their points, columns, what was left out, warnings; from here
 * the run starts. Loaded when a file is opened.
 */

import { viewAddress } from "../core/route.js";
import { countOf } from "../core/words.js";
import { $, el } from "../ui/dom.js";
import { warningItems } from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Opened, Reading } from "../core/store.js" */
/** @import { LeftOut, Summary } from "../engine/types.js" */

/** Tasks and names that are listed before "and 12 more". */
const MANY = { tasks: 12, names: 8 };

/** @param {string[]} names @param {number} [total] of which `names` are the first */
function few(names, total = names.length) {
  const shown = names.slice(0, MANY.names);
  const more = total - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Shows what was read, above the result; a second call replaces the first. */
export class DataSummary {
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
    if (!reading) return;
    this.shown = description;
    const { session } = this;
    const { warnings, left_out: leftOut } = reading.summary;
    const risk = el(
      "button",
      { type: "button", class: "primary", "data-testid": "summary-risk" },
      "Is my data at risk?",
    );
    risk.onclick = () => {
      const { complete } = session;
      if (complete) location.hash = viewAddress("risk", complete.link);
    };
    const run = el("button", { type: "button", "data-testid": "summary-run" }, "Run the attack");
    run.onclick = () => session.ready && session.start();
    const change = el("button", { type: "button", "data-testid": "summary-columns" }, "Change columns");
    change.onclick = () => session.changeColumns(source);
    // The same as in the form.
    const tune = el(
      "button",
      { type: "button", "data-testid": "summary-tune" },
      "Choose λ by cross-validation",
    );
    tune.onclick = () => $("tune").click();
    /** @type {(title: string, content: Node, shown?: boolean) => Node[]} */
    const part = (title, content, shown = true) => (shown ? [el("h3", {}, title), content] : []);
    this.root.replaceChildren(
      el("summary", {}, el("h2", {}, titleOf(description.name, reading.summary))),
      el("p", { class: "lead" }, predicts(reading)),
      el("ul", { class: "warnings", "data-testid": "summary-warnings" }, ...warningItems(warnings)),
      el("div", { class: "actions" }, risk, run, tune, change),
      ...part("Points per task", taskBars(reading.summary)),
      ...part("Columns", roles(reading)),
      ...part(
        "Left out",
        el("ul", { "data-testid": "summary-left-out" }, ...leftOut.map(leftOutItem)),
        leftOut.length > 0,
      ),
    );
    this.root.hidden = false;
    this.root.open = !session.run;
    if (this.root.open) risk.focus({ preventScroll: true });
  }
}

/** @param {string} name @param {Summary} summary */
const titleOf = (name, { tasks, rows, features }) =>
  `${name}: ${countOf(tasks.length, "task")}, ${countOf(rows, "row")}, ${countOf(features.length, "feature")}`;

/** @param {Reading} reading */
function predicts({ preview, mapping, summary }) {
  const label = few(mapping.labels.map((at) => preview.columns[at]?.name ?? ""));
  const what = summary.kind === "regression" ? "regression (NMSE)" : "classification (AUC)";
  const { classes } = summary;
  const words =
    classes.length === 2
      ? ` Classes: ${classes[0]} is −1, ${classes[1]} is +1.`
      : classes.length > 2
        ? ` Each of the ${classes.length} classes is a task: it against the rest.`
        : "";
  return `Predicts ${label}, a ${what}.${words} The file stays on your computer.`;
}

/** A bar for each task, as long as it has points; test points are a lighter part. @param {Summary} summary */
function taskBars({ tasks }) {
  const most = Math.max(...tasks.map(({ points }) => points), 1);
  const rows = tasks.map(({ name, points, test, positive }, task) => {
    const bar = el("span", { class: "task-bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String(points / most));
    bar.style.setProperty("--test", String((test ?? 0) / Math.max(points, 1)));
    const parts = [test === null ? countOf(points, "point") : `${points - test} to train, ${test} to test`];
    if (positive !== null) parts.push(`${positive} of class +1`);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, `T${task + 1} ${name}`),
      el("td", {}, parts.join(", ")),
      el("td", {}, bar),
    );
  });
  const table = (/** @type {HTMLElement[]} */ body) =>
    el("table", { class: "task-bars" }, el("tbody", {}, ...body));
  const rest = rows.slice(MANY.tasks);
  const more = el("details", {}, el("summary", {}, `${countOf(rest.length, "more task")}`), table(rest));
  return el(
    "div",
    { "data-testid": "summary-tasks" },
    table(rows.slice(0, MANY.tasks)),
    ...(rest.length > 0 ? [more] : []),
  );
}

/** What each column is used for. @param {Reading} reading */
function roles({ preview, mapping }) {
  const { task, labels, split, features } = mapping;
  const used = [task, split?.column, ...labels, ...features];
  const unused = [...preview.columns.keys()].filter((at) => !used.includes(at));
  const nameOf = (/** @type {number} */ at) => preview.columns[at]?.name ?? `column ${at + 1}`;
  /** @type {[string, number[]][]} */
  const groups = [
    ["Task", task === null ? [] : [task]],
    ["Label", labels],
    ["Train or test", split ? [split.column] : []],
    ["Features", features],
    ["Unused", unused],
  ];
  return el(
    "dl",
    { class: "facts", "data-testid": "summary-roles" },
    ...groups.flatMap(([role, columns]) =>
      columns.length > 0 ? [el("dt", {}, role), el("dd", {}, few(columns.map(nameOf)))] : [],
    ),
  );
}

/** @param {LeftOut} leftOut */
function leftOutItem({ what, names, count, reason }) {
  const named = names.length > 0 ? ` (${few(names, count)})` : "";
  return el("li", {}, `${countOf(count, what)}${named}: ${reason}`);
}
