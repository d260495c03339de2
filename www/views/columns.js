/**
 * Asks which column of a user's file is what, and shows what would come of it. Loaded when it is
 * needed. What a choice means is decided by the engine (src/data/mapping.rs): here are only controls.
 */

import { download, el } from "../ui/dom.js";
import { errorMessage } from "../core/words.js";
import { METRICS } from "./report.js";

/** @import { Solver } from "../engine/solver.js" */
/** @import { CheckedColumns, Column, FileLimits, Inspected, Mapping, Reading, Source } from "../engine/types.js" */

/** @typedef {"feature" | "label" | "task" | "split" | "none"} Role */

/** Columns beyond these are set as text. */
const SHOWN_COLUMNS = 60;
/** Values of a column that stand beside its name. */
const SHOWN_VALUES = 4;

/** @type {[Role, string][]} */
const ROLES = [
  ["feature", "Feature"],
  ["label", "Label"],
  ["task", "Task"],
  ["split", "Train or test"],
  ["none", "Not used"],
];

/** @param {number} count @param {string} one */
const count = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;

/**
 * Opens the dialog. Gives the text of the mapping, or null where the user gives up.
 * @param {Solver} solver
 * @param {Source} source
 * @param {Inspected} inspected
 * @param {string | null} columns the mapping to begin with; null: the guess
 * @returns {Promise<string | null>}
 */
export function chooseColumns(solver, source, inspected, columns) {
  return new Promise((resolve) => new Mapper(solver, source, inspected, columns, resolve));
}

class Mapper {
  /**
   * @param {Solver} solver
   * @param {Source} source
   * @param {Inspected} inspected
   * @param {string | null} columns
   * @param {(columns: string | null) => void} done
   */
  constructor(solver, source, inspected, columns, done) {
    this.solver = solver;
    this.source = source;
    this.preview = inspected.preview;
    this.limits = inspected.limits;
    /** @type {Mapping} */
    this.mapping = inspected.preview.guess;
    /** What the engine says of the choice; null while it looks. */
    this.checked = /** @type {CheckedColumns | null} */ (null);
    /** Counts the questions: an answer that comes late is ignored. */
    this.asked = 0;

    this.list = el("ol", { class: "mapper-columns", "data-testid": "mapper-columns" });
    this.reading = el("div", { class: "mapper-reading" });
    this.extras = el("div", { class: "mapper-extras" });
    this.rows = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The first rows of the file" });
    this.size = el("p", { class: "lead", "data-testid": "mapper-size" });
    this.problem = el("p", { class: "field-error", "data-testid": "mapper-problem", id: "mapper-problem", hidden: true });
    this.summary = el("p", { class: "mapper-summary", role: "status", "data-testid": "mapper-summary" });
    this.text = el("input", { type: "text", id: "mapper-text", "data-testid": "mapper-text", spellcheck: "false", autocomplete: "off" });
    this.text.onchange = () => this.check(this.text.value);
    const button = { type: "submit", class: "primary", "data-testid": "mapper-use", value: "use" };
    this.use = el("button", button, "Use this data");
    const cancel = el("button", { type: "button", "data-testid": "mapper-cancel", onclick: () => this.dialog.close() }, "Cancel");
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "mapper-title" }, "Which column is what?"),
      this.size,
      this.reading,
      this.list,
      this.extras,
      el("details", {}, el("summary", {}, "The first rows as they stand"), this.rows),
      el(
        "details",
        { "data-testid": "mapper-as-text" },
        el("summary", {}, "The choice as text"),
        el("label", { for: "mapper-text" }, "Columns, for links and the command line"),
        this.text,
        el("p", { class: "hint" }, "Columns count from 1, as in task:1;label:9;x:2-8. Press Enter to apply."),
      ),
      el("div", { class: "mapper-end" }, this.problem, this.summary, el("div", { class: "actions" }, this.use, cancel)),
    );
    this.text.onkeydown = (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.check(this.text.value);
    };
    form.onsubmit = (event) => {
      if (this.checked?.description) return;
      event.preventDefault();
    };
    this.dialog = el("dialog", { class: "mapper", "aria-labelledby": "mapper-title", "data-testid": "mapper" }, form);
    this.dialog.onclose = () => {
      this.asked++;
      this.dialog.remove();
      const used = this.dialog.returnValue === "use" && this.checked?.description;
      done((used && this.checked?.columns) || null);
    };
    document.body.append(this.dialog);
    this.build();
    this.dialog.showModal();
    this.check(columns ?? this.mapping);
  }

  /** The controls of this preview. */
  build() {
    const { columns, row_count: rows, is_text: isText } = this.preview;
    const name = "name" in this.source.content ? this.source.content.name : "";
    this.size.replaceChildren(
      el("strong", {}, name),
      `: ${count(rows, "row")}, ${count(columns.length, "column")}. This file stays on your computer. `,
      el("small", {}, limitWords(this.limits)),
    );
    this.reading.replaceChildren(...(isText ? this.textControls() : this.variableControls()));
    this.reading.hidden = this.reading.childElementCount === 0;
    this.list.replaceChildren(...columns.slice(0, SHOWN_COLUMNS).map((column, at) => this.item(column, at)));
    const more = columns.length - SHOWN_COLUMNS;
    if (more > 0) {
      this.list.append(
        el("li", { class: "hint" }, `${count(more, "more column")}: see “The choice as text” below to change what they are.`),
      );
    }
    const shown = columns.slice(0, SHOWN_COLUMNS);
    const head = el("tr", {}, el("th", { scope: "col" }, isText ? "line" : "row"));
    for (const { name } of shown) head.append(el("th", { scope: "col" }, name));
    const body = this.preview.rows.map(([line, cells]) => {
      const row = el("tr", {}, el("th", { scope: "row" }, String(line)));
      for (const cell of cells.slice(0, SHOWN_COLUMNS)) row.append(el("td", {}, cell));
      return row;
    });
    this.rows.replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
  }

  /** How a CSV file is read. */
  textControls() {
    const { reading } = this.mapping;
    const separator = select("mapper-separator", reading.separator, [
      ["comma", "commas"],
      ["semicolon", "semicolons"],
      ["tab", "tabs"],
    ]);
    const decimal = select("mapper-decimal", reading.decimal_comma ? "comma" : "point", [
      ["point", "1.5"],
      ["comma", "1,5"],
    ]);
    const header = el("input", { type: "checkbox", id: "mapper-header", "data-testid": "mapper-header" });
    header.checked = reading.header;
    const read = () =>
      this.read({
        separator: /** @type {Reading["separator"]} */ (separator.value),
        decimal_comma: decimal.value === "comma",
        header: header.checked,
        variables: [],
      });
    for (const control of [separator, decimal, header]) control.onchange = read;
    return [
      el("label", {}, "Columns are parted by ", separator),
      el("label", {}, "Numbers look like ", decimal),
      el("label", { class: "switch" }, header, " The first row has the names"),
    ];
  }

  /** Which variables of a MAT file are read. */
  variableControls() {
    const { choices, reading } = this.preview;
    if (choices.length < 2) return [];
    const names = choices.map((variables) => variables.join(" with "));
    const options = names.map((name, at) => /** @type {[string, string]} */ ([String(at), name]));
    const choice = select("mapper-variables", String(names.indexOf(reading.variables.join(" with "))), options);
    choice.onchange = () => this.read({ ...reading, variables: choices[Number(choice.value)] ?? [] });
    return [el("label", {}, "Variables ", choice)];
  }

  /** Reads the file in another way. @param {Reading} reading */
  async read(reading) {
    const asked = ++this.asked;
    this.wait("Reading …");
    const focus = document.activeElement?.id;
    try {
      const { preview } = await this.solver.inspect(this.source, reading);
      if (asked !== this.asked) return;
      this.preview = preview;
      this.mapping = preview.guess;
      this.build();
      document.getElementById(focus ?? "")?.focus();
      await this.check(this.mapping);
    } catch (problem) {
      if (asked === this.asked) this.complain(errorMessage(problem), null);
    }
  }

  /**
   * @param {Column} column
   * @param {number} at
   */
  item(column, at) {
    const id = `mapper-role-${at}`;
    const role = select(id, "none", ROLES);
    role.setAttribute("aria-describedby", `mapper-about-${at} mapper-error-${at}`);
    role.onchange = () => this.choose(at, /** @type {Role} */ (role.value));
    const values = this.preview.rows.slice(0, SHOWN_VALUES).map(([, cells]) => cells[at] ?? "");
    return el(
      "li",
      {},
      el("label", { for: id }, column.name),
      role,
      el(
        "p",
        { class: "hint", id: `mapper-about-${at}` },
        about(column, this.preview.is_text),
        el("span", { class: "values" }, values.map((value) => value || "(empty)").join(" · ")),
      ),
      el("p", { class: "field-error", id: `mapper-error-${at}`, "data-testid": `mapper-error-${at}`, hidden: true }),
    );
  }

  /** @param {number} at @returns {Role} */
  role(at) {
    const { mapping } = this;
    if (mapping.labels.includes(at)) return "label";
    if (mapping.features.includes(at)) return "feature";
    if (mapping.task === at) return "task";
    return mapping.split?.column === at ? "split" : "none";
  }

  /**
   * @param {number} at
   * @param {Role} role
   */
  choose(at, role) {
    const without = (/** @type {number[]} */ all) => all.filter((one) => one !== at);
    const withIt = (/** @type {number[]} */ all) => [...without(all), at].sort((a, b) => a - b);
    const { mapping } = this;
    const { task, split } = mapping;
    /** @type {Mapping} */
    const next = {
      ...mapping,
      labels: (role === "label" ? withIt : without)(mapping.labels),
      features: (role === "feature" ? withIt : without)(mapping.features),
      task: role === "task" ? at : task === at ? null : task,
      split: split?.column === at ? null : split,
    };
    if (role === "split") {
      const known = (this.preview.columns[at]?.words ?? []).map(([word]) => word);
      const test = known.find((word) => /test/i.test(word)) ?? known[0] ?? "test";
      next.split = { column: at, test };
    }
    this.check(next);
  }

  /** Controls that only some choices need. */
  showExtras() {
    const { mapping, preview } = this;
    const focus = document.activeElement?.id;
    /** @type {Node[]} */
    const controls = [];
    /** @param {number} column */
    const wordsOf = (column) => (preview.columns[column]?.words ?? []).map(([word]) => word);
    const { split } = mapping;
    if (split) {
      const word = wordSelect("mapper-test", split.test, wordsOf(split.column), (test) =>
        this.check({ ...mapping, split: { ...split, test } }),
      );
      controls.push(el("label", {}, "A test point says ", word));
    }
    const [label] = mapping.labels;
    const known = label === undefined ? [] : wordsOf(label);
    if (label !== undefined && (mapping.classes || known.length > 1)) {
      const kind = select("mapper-kind", mapping.classes ? "classes" : "numbers", [
        ["numbers", "numbers (regression)"],
        ["classes", "one of two words (classification)"],
      ]);
      kind.onchange = () => {
        const [low = "", high = ""] = [...known].sort();
        this.check({ ...mapping, classes: kind.value === "classes" ? [low, high] : null });
      };
      controls.push(el("label", {}, "A label is ", kind));
    }
    const { classes } = mapping;
    if (classes) {
      const [low, high] = classes;
      controls.push(
        el("label", {}, "−1 is ", wordSelect("mapper-low", low, known, (word) => this.check({ ...mapping, classes: [word, word === high ? low : high] }))),
        el("label", {}, "+1 is ", wordSelect("mapper-high", high, known, (word) => this.check({ ...mapping, classes: [word === low ? high : low, word] }))),
      );
    }
    const lacks = preview.columns.some(({ missing }, at) => missing > 0 && this.role(at) !== "none");
    if (lacks || mapping.drop_missing) {
      const drop = el("input", { type: "checkbox", id: "mapper-drop", "data-testid": "mapper-drop" });
      drop.checked = mapping.drop_missing;
      drop.onchange = () => this.check({ ...mapping, drop_missing: drop.checked });
      controls.push(el("label", { class: "switch" }, drop, " Leave out rows that lack a value"));
    }
    this.extras.replaceChildren(...controls);
    this.extras.hidden = controls.length === 0;
    if (focus) document.getElementById(focus)?.focus();
  }

  /** @param {string} text */
  wait(text) {
    this.checked = null;
    this.use.setAttribute("aria-disabled", "true");
    this.summary.textContent = text;
  }

  /** Asks the engine what comes of a choice. @param {Mapping | string} columns */
  async check(columns) {
    const asked = ++this.asked;
    if (typeof columns !== "string") this.show(columns);
    this.wait("Checking …");
    try {
      const checked = await this.solver.check(this.source, columns);
      if (asked !== this.asked) return;
      const reading = JSON.stringify(this.preview.reading);
      if (checked.mapping && JSON.stringify(checked.mapping.reading) !== reading) {
        // A text that reads the file in another way.
        const { preview } = await this.solver.inspect(this.source, checked.mapping.reading);
        if (asked !== this.asked) return;
        this.preview = preview;
        this.mapping = checked.mapping;
        this.build();
      }
      if (checked.mapping) this.show(checked.mapping);
      if (checked.columns !== null) this.text.value = checked.columns;
      this.complain("", null);
      if (checked.problem) return this.complain(checked.problem.message, checked.column ?? null);
      this.checked = checked;
      this.use.removeAttribute("aria-disabled");
      this.summary.textContent = outcome(checked);
    } catch (problem) {
      if (asked === this.asked) this.complain(errorMessage(problem), null);
    }
  }

  /** @param {Mapping} mapping */
  show(mapping) {
    this.mapping = mapping;
    for (const [at, item] of [...this.list.children].entries()) {
      const control = item.querySelector("select");
      if (!control) continue;
      control.value = this.role(at);
      item.setAttribute("data-role", control.value);
    }
    this.showExtras();
  }

  /**
   * Says what is wrong, beside the column that it is about.
   * @param {string} text
   * @param {number | null} column
   */
  complain(text, column) {
    for (const [at, item] of [...this.list.children].entries()) {
      const error = item.querySelector(".field-error");
      if (!(error instanceof HTMLElement)) continue;
      const about = at === column && text !== "";
      error.textContent = about ? text : "";
      error.hidden = !about;
      item.querySelector("select")?.setAttribute("aria-invalid", String(about));
    }
    const beside = column !== null && column < SHOWN_COLUMNS;
    const place = this.preview.columns[column ?? -1]?.name;
    this.problem.textContent = text;
    this.problem.hidden = text === "" || beside;
    if (text !== "") {
      this.summary.textContent = beside ? `“${place}” needs another look: see above.` : "This choice cannot be used yet.";
    }
  }
}

/**
 * @param {string} id
 * @param {string} value
 * @param {[string, string][]} options
 */
function select(id, value, options) {
  const control = el("select", { id, "data-testid": id });
  for (const [word, title] of options) control.append(el("option", { value: word }, title));
  control.value = value;
  return control;
}

/**
 * A word of a column; to be typed where there are too many to choose from.
 * @param {string} id
 * @param {string} value
 * @param {string[]} known
 * @param {(word: string) => void} choose
 */
function wordSelect(id, value, known, choose) {
  const control =
    known.length > 0
      ? select(id, value, (known.includes(value) ? known : [value, ...known]).map((word) => [word, word]))
      : el("input", { type: "text", id, "data-testid": id, value });
  control.addEventListener("change", () => choose(control.value.trim()));
  return control;
}

/**
 * What stands in a column.
 * @param {Column} column
 * @param {boolean} isText
 */
function about(column, isText) {
  const line = isText ? "line" : "row";
  const parts = [];
  if (column.kind === "empty") parts.push("empty");
  else if (column.kind === "number") parts.push(`numbers from ${column.min} to ${column.max}`);
  else {
    const some = column.words.slice(0, 3).map(([word]) => word);
    const number = column.distinct === null ? "more than 100 different words" : count(column.distinct, "word");
    parts.push(some.length > 0 ? `${number}: ${some.join(", ")}${column.words.length > 3 ? ", …" : ""}` : number);
  }
  const { first_word: word } = column;
  if (word) parts.push(`but ${line} ${word.line} says “${word.text}”`);
  if (column.missing > 0) {
    parts.push(`${count(column.missing, "value")} missing, the first in ${line} ${column.first_missing}`);
  }
  const text = `${parts.join("; ")}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {CheckedColumns} checked */
function outcome({ description, dropped }) {
  if (!description) return "";
  const { shape, features, points, kind, metric, task_names: names } = description;
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  const out = dropped ? ` ${count(dropped, "row")} without a value ${dropped === 1 ? "is" : "are"} left out.` : "";
  return (
    `${count(shape.tasks, "task")} (${shown}), ${count(features, "feature")}, ${count(points, "point")}: ` +
    `${kind}, measured by ${METRICS[metric].short}.${out}`
  );
}

/** @param {FileLimits} limits */
function limitWords({ bytes, tasks, features, values }) {
  const number = (/** @type {number} */ value) => value.toLocaleString("en");
  const size = Math.round(bytes / (1 << 20));
  return `At most ${size} MiB, ${number(tasks)} tasks, ${number(features)} features, ${number(values)} numbers.`;
}

/**
 * Which files can be opened, their limits, and one to look at.
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
      el("li", {}, "CSV: a point a row; commas, semicolons or tabs; names in the first row or none. Columns called task, label, x1, x2, … are understood as they are; for any others you are asked which is what."),
      el("li", {}, "Several label columns are a task each, on the same points. Two words as labels make a classification."),
      el("li", {}, "MAT (version 5 to 7): matrices or cells of them."),
      el("li", {}, limitWords(limits)),
      el("li", {}, "Nothing leaves your computer: the page calculates here."),
    ),
    el("button", { type: "button", "data-testid": "example-csv", onclick: save }, "See an example CSV"),
  );
}
