/**
 * The dialog that assigns roles to the columns of a user's file and previews the resulting data set.
 * Loaded on demand. The engine interprets the choices (src/data/mapping.rs); here are only controls.
 */

import "../style/columns.css";
import { el } from "../ui/dom.js";
import { countOf, errorMessage } from "../core/words.js";
import { limitText } from "./formats.js";
import { METRICS } from "./report.js";

/** @import { Solver } from "../engine/solver.js" */
/** @import { Reading } from "../core/store.js" */
/** @import { CheckedColumns, Column, Dialect, Inspected, Mapping, Source } from "../engine/types.js" */

/**
 * @typedef {"feature" | "label" | "task" | "split" | "none"} Role
 * @typedef {Omit<Reading, "asked"> & {columns: string}} Chosen
 */

/** Further columns can only be assigned in the text form. */
const SHOWN_COLUMNS = 60;
/** Sample values shown per column. */
const SHOWN_VALUES = 4;

/** @type {[Role, string][]} */
const ROLES = [
  ["feature", "Feature"],
  ["label", "Label"],
  ["task", "Task"],
  ["split", "Train or test"],
  ["none", "Unused"],
];

/**
 * Opens the dialog. Resolves to the mapping and its text, or to null if the user cancels.
 * @param {Solver} solver
 * @param {Source} source
 * @param {Inspected} inspected
 * @param {string | null} columns the initial mapping; null: the engine's guess
 * @returns {Promise<Chosen | null>}
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
   * @param {(chosen: Chosen | null) => void} done
   */
  constructor(solver, source, inspected, columns, done) {
    this.solver = solver;
    this.source = source;
    this.preview = inspected.preview;
    this.limits = inspected.limits;
    /** @type {Mapping} */
    this.mapping = inspected.preview.guess;
    /** The engine's verdict on the current choice; null while it is being checked. */
    this.checked = /** @type {CheckedColumns | null} */ (null);
    /** Counts requests, so that the answer to an older one is ignored. */
    this.asked = 0;

    this.list = el("ol", { class: "mapper-columns", "data-testid": "mapper-columns" });
    this.reading = el("div", { class: "mapper-reading" });
    this.extras = el("div", { class: "mapper-extras" });
    this.rows = el("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "First rows of the file",
    });
    this.size = el("p", { class: "lead", "data-testid": "mapper-size" });
    this.question = el("p", { class: "mapper-question", "data-testid": "mapper-question" });
    this.problem = el("p", {
      class: "field-error",
      "data-testid": "mapper-problem",
      id: "mapper-problem",
      hidden: true,
    });
    this.summary = el("p", { class: "mapper-summary", role: "status", "data-testid": "mapper-summary" });
    this.text = el("input", {
      type: "text",
      id: "mapper-text",
      "data-testid": "mapper-text",
      spellcheck: "false",
      autocomplete: "off",
    });
    this.text.onchange = () => this.check(this.text.value);
    const button = { type: "submit", class: "primary", "data-testid": "mapper-use", value: "use" };
    this.use = el("button", button, "Use this data");
    const cancel = el(
      "button",
      { type: "button", "data-testid": "mapper-cancel", onclick: () => this.dialog.close() },
      "Cancel",
    );
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "mapper-title" }, "Assign columns"),
      this.size,
      this.question,
      this.reading,
      this.list,
      this.extras,
      el("details", {}, el("summary", {}, "First rows of the file, unchanged"), this.rows),
      el(
        "details",
        { "data-testid": "mapper-as-text" },
        el("summary", {}, "Column assignment as text"),
        el("label", { for: "mapper-text" }, "For links and the command line"),
        this.text,
        el(
          "p",
          { class: "hint" },
          "Columns are numbered from 1, for example task:1;label:9;x:2-8. Press Enter to apply.",
        ),
      ),
      el(
        "div",
        { class: "mapper-end" },
        this.problem,
        this.summary,
        el("div", { class: "actions" }, this.use, cancel),
      ),
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
    this.dialog = el(
      "dialog",
      { class: "mapper", "aria-labelledby": "mapper-title", "data-testid": "mapper" },
      form,
    );
    this.dialog.onclose = () => {
      this.asked++;
      this.dialog.remove();
      const { checked, preview } = this;
      const { columns, mapping, summary } = checked ?? {};
      const used = this.dialog.returnValue === "use" && columns && mapping && summary;
      done(used ? { columns, mapping, summary, preview } : null);
    };
    document.body.append(this.dialog);
    this.build();
    this.dialog.showModal();
    this.check(columns ?? this.mapping);
  }

  /** Builds the controls for the current preview. */
  build() {
    const { columns, row_count: rows, is_text: isText } = this.preview;
    const name = "name" in this.source.content ? this.source.content.name : "";
    this.size.replaceChildren(
      el("strong", {}, name),
      `: ${countOf(rows, "row")}, ${countOf(columns.length, "column")}. The file stays on your computer. `,
      el("small", {}, limitText(this.limits)),
    );
    const { question } = this.preview;
    this.question.textContent = question ?? "";
    this.question.hidden = !question;
    this.reading.replaceChildren(...(isText ? this.textControls() : this.variableControls()));
    this.reading.hidden = this.reading.childElementCount === 0;
    this.list.replaceChildren(...columns.slice(0, SHOWN_COLUMNS).map((column, at) => this.item(column, at)));
    const more = columns.length - SHOWN_COLUMNS;
    if (more > 0) {
      this.list.append(
        el(
          "li",
          { class: "hint" },
          `${countOf(more, "more column")}: use “Column assignment as text” below to assign them.`,
        ),
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

  /** Controls for reading a text table. */
  textControls() {
    const { reading } = this.mapping;
    const separator = select("mapper-separator", reading.separator, [
      ["comma", "comma"],
      ["semicolon", "semicolon"],
      ["tab", "tab"],
      ["space", "blanks"],
      ["pipe", "pipe |"],
    ]);
    const decimal = select("mapper-decimal", reading.decimal_comma ? "comma" : "point", [
      ["point", "1.5"],
      ["comma", "1,5"],
    ]);
    const thousands = select("mapper-thousands", reading.thousands ?? "", [
      ["", "1000"],
      ["comma", "1,000"],
      ["point", "1.000"],
      ["space", "1 000"],
      ["apostrophe", "1'000"],
    ]);
    const skip = el("input", {
      type: "number",
      min: 0,
      step: 1,
      id: "mapper-skip",
      "data-testid": "mapper-skip",
      value: reading.skip,
    });
    const header = el("input", { type: "checkbox", id: "mapper-header", "data-testid": "mapper-header" });
    header.checked = reading.header;
    const read = () =>
      this.read({
        ...reading,
        separator: /** @type {Dialect["separator"]} */ (separator.value),
        decimal_comma: decimal.value === "comma",
        comma_columns: decimal.value === "comma" ? reading.comma_columns : [],
        thousands: /** @type {Dialect["thousands"]} */ (thousands.value || null),
        skip: Math.max(0, Math.trunc(Number(skip.value) || 0)),
        header: header.checked,
      });
    for (const control of [separator, decimal, thousands, skip, header]) control.onchange = read;
    return [
      el("label", {}, "Delimiter ", separator),
      el("label", {}, "Decimals ", decimal),
      el("label", {}, "Thousands ", thousands),
      el("label", {}, "Skip lines ", skip),
      el("label", { class: "switch" }, header, " First row contains column names"),
    ];
  }

  /** Control for the variables of a MAT file. */
  variableControls() {
    const { choices, reading } = this.preview;
    if (choices.length < 2) return [];
    const names = choices.map((variables) => variables.join(" with "));
    const options = names.map((name, at) => /** @type {[string, string]} */ ([String(at), name]));
    const choice = select(
      "mapper-variables",
      String(names.indexOf(reading.variables.join(" with "))),
      options,
    );
    choice.onchange = () => this.read({ ...reading, variables: choices[Number(choice.value)] ?? [] });
    return [el("label", {}, "Variables ", choice)];
  }

  /** Reads the file again with other settings. @param {Dialect} reading */
  async read(reading) {
    const asked = ++this.asked;
    this.wait("Reading the file …");
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
      el("p", {
        class: "field-error",
        id: `mapper-error-${at}`,
        "data-testid": `mapper-error-${at}`,
        hidden: true,
      }),
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
      next.split = { column: at, test, leave: [] };
    }
    this.check(next);
  }

  /** Controls that depend on the chosen roles. */
  showExtras() {
    const { mapping, preview } = this;
    const focus = document.activeElement?.id;
    /** @type {Node[]} */
    const controls = [];
    /** @param {number} column */
    const valuesOf = (column) => (preview.columns[column]?.words ?? []).map(([value]) => value);
    const { split } = mapping;
    if (split) {
      const words = valuesOf(split.column);
      const value = valueSelect("mapper-test", split.test, words, (test) =>
        this.check({
          ...mapping,
          split: { ...split, test, leave: split.leave.filter((word) => word !== test) },
        }),
      );
      controls.push(el("label", {}, "Test points have the value ", value));
      const others = words.filter((word) => word !== split.test);
      if (others.length > 1 || split.leave.length > 0) {
        const left = wordList("mapper-leave", split.leave, (leave) =>
          this.check({ ...mapping, split: { ...split, leave } }),
        );
        controls.push(el("label", {}, "Leave out rows with ", left));
      }
    }
    const [label] = mapping.labels;
    const known = label === undefined ? [] : valuesOf(label);
    const { classes } = mapping;
    if (label !== undefined && (classes || known.length > 1)) {
      const kinds = /** @type {[string, string][]} */ ([
        ["numbers", "numbers (regression)"],
        ["two", "two classes (classification)"],
      ]);
      if (known.length > 2 || (classes?.length ?? 0) > 2)
        kinds.push(["many", "classes, each against the rest"]);
      const chosen = !classes ? "numbers" : classes.length > 2 ? "many" : "two";
      const kind = select("mapper-kind", chosen, kinds);
      kind.onchange = () => {
        const sorted = [...known].sort();
        const next = { numbers: null, two: sorted.slice(0, 2), many: sorted }[kind.value] ?? null;
        this.check({ ...mapping, classes: next });
      };
      controls.push(el("label", {}, "Labels are ", kind));
    }
    if (classes?.length === 2) {
      const [low = "", high = ""] = classes;
      controls.push(
        el(
          "label",
          {},
          "Class −1: ",
          valueSelect("mapper-low", low, known, (value) =>
            this.check({ ...mapping, classes: [value, value === high ? low : high] }),
          ),
        ),
        el(
          "label",
          {},
          "Class +1: ",
          valueSelect("mapper-high", high, known, (value) =>
            this.check({ ...mapping, classes: [value === low ? high : low, value] }),
          ),
        ),
      );
    }
    if (classes && classes.length > 2) {
      const words = wordList("mapper-classes", classes, (next) => this.check({ ...mapping, classes: next }));
      controls.push(el("label", {}, "Classes ", words));
    }
    const missing = wordList("mapper-missing", mapping.missing, (next) =>
      this.check({ ...mapping, missing: next, drop_missing: mapping.drop_missing || next.length > 0 }),
    );
    controls.push(el("label", {}, "Also missing: ", missing));
    const incomplete = preview.columns.some(({ missing }, at) => missing > 0 && this.role(at) !== "none");
    if (incomplete || mapping.drop_missing) {
      const drop = el("input", { type: "checkbox", id: "mapper-drop", "data-testid": "mapper-drop" });
      drop.checked = mapping.drop_missing;
      drop.onchange = () => this.check({ ...mapping, drop_missing: drop.checked });
      controls.push(el("label", { class: "switch" }, drop, " Drop rows with missing values"));
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

  /** Lets the engine check a choice, and shows the outcome. @param {Mapping | string} columns */
  async check(columns) {
    const asked = ++this.asked;
    if (typeof columns !== "string") this.show(columns);
    this.wait("Checking …");
    try {
      const checked = await this.solver.check(this.source, columns);
      if (asked !== this.asked) return;
      const reading = JSON.stringify(this.preview.reading);
      if (checked.mapping && JSON.stringify(checked.mapping.reading) !== reading) {
        // The text changed how the file is read.
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
   * Shows an error next to the column that it concerns.
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
    const atColumn = column !== null && column < SHOWN_COLUMNS;
    const place = this.preview.columns[column ?? -1]?.name;
    this.problem.textContent = text;
    this.problem.hidden = text === "" || atColumn;
    if (text !== "") {
      this.summary.textContent = atColumn
        ? `Column “${place}” has an error, see above.`
        : "The current assignment is not valid.";
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
 * A choice among the values of a column; a text field if there are too many of them.
 * @param {string} id
 * @param {string} value
 * @param {string[]} known
 * @param {(value: string) => void} choose
 */
function valueSelect(id, value, known, choose) {
  const control =
    known.length > 0
      ? select(
          id,
          value,
          (known.includes(value) ? known : [value, ...known]).map((one) => [one, one]),
        )
      : el("input", { type: "text", id, "data-testid": id, value });
  control.addEventListener("change", () => choose(control.value.trim()));
  return control;
}

/**
 * A text field for words with commas between them.
 * @param {string} id
 * @param {string[]} words
 * @param {(words: string[]) => void} choose
 */
function wordList(id, words, choose) {
  const field = el("input", { type: "text", id, "data-testid": id, value: words.join(", "), size: 12 });
  field.onchange = () => choose(field.value.split(",").flatMap((word) => word.trim() || []));
  return field;
}

/**
 * A summary of a column's values.
 * @param {Column} column
 * @param {boolean} isText
 */
function about(column, isText) {
  const line = isText ? "line" : "row";
  const parts = [];
  if (column.kind === "empty") parts.push("empty");
  else if (column.kind === "number") parts.push(`numbers from ${column.min} to ${column.max}`);
  else {
    const some = column.words.slice(0, 3).map(([value]) => value);
    const number =
      column.distinct === null ? "more than 100 distinct values" : countOf(column.distinct, "distinct value");
    parts.push(
      some.length > 0 ? `${number}: ${some.join(", ")}${column.words.length > 3 ? ", …" : ""}` : number,
    );
  }
  const { first_word: word } = column;
  if (word) parts.push(`but ${line} ${word.line} contains “${word.text}”`);
  if (column.missing > 0) {
    parts.push(`${countOf(column.missing, "missing value")}, first in ${line} ${column.first_missing}`);
  }
  const text = `${parts.join("; ")}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {CheckedColumns} checked */
function outcome({ description, dropped }) {
  if (!description) return "";
  const { shape, features, points, kind, metric, task_names: names } = description;
  const shown = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
  const out = dropped ? ` ${countOf(dropped, "row")} with missing values dropped.` : "";
  return (
    `${countOf(shape.tasks, "task")} (${shown}), ${countOf(features, "feature")}, ${countOf(points, "point")}: ` +
    `${kind}, metric ${METRICS[metric].short}.${out}`
  );
}
