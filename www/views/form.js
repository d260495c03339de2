/**
 * The settings form. Fields, texts and ranges come from Rust; this file only chooses the control of
 * each field and where it is shown.
 */

import { el } from "../ui/dom.js";
import { readable } from "../ui/text.js";
import { shortNames } from "./report.js";

/** @import { Complete, Draft, Field, Problem, Spec } from "../engine/types.js" */

/**
 * Groups of fields, in order: those that are seen, and those that are folded. Fields of no group are folded
 * in the first one.
 */
const GROUPS = [
  { title: "Attack", fields: ["attack", "budget", "targets", "attackers", "method", "iterations"], more: [] },
  { title: "Defence", fields: ["learner", "pull_cap", "sanitise", "sanitise_share"], more: [] },
  {
    title: "Learner",
    fields: ["lambda1", "lambda2", "seed"],
    more: ["epsilon", "loss", "solver"],
  },
  {
    title: "Data",
    fields: [],
    more: [
      "train_per_task",
      "train_share",
      "test_per_task",
      "shared_rows",
      "target_scaling",
      "feature_scaling",
    ],
  },
];
const NOT_IN_FORM = ["version", "dataset"];
/** Choices shown as a row of buttons; all others are drop-down lists. */
const SEGMENTED = ["attack", "method", "learner", "sanitise", "step", "loss", "solver", "target_scaling"];
/** Fields that count only with a value of another one: they are hidden where they do not. */
const ONLY_WITH = /** @type {Record<string, (spec: Spec) => boolean>} */ ({
  pull_cap: ({ learner }) => learner === "capped",
  sanitise_share: ({ sanitise }) => sanitise !== "none",
});
/** Changing a field resets the fields that depend on it. */
const RESETS = /** @type {Record<string, string[]>} */ ({
  attack: ["attackers"],
  targets: ["attackers"],
  loss: ["injected_labels", "target_scaling", "utility"],
  learner: ["pull_cap"],
  sanitise: ["sanitise_share"],
});

/** @param {number} value */
const formatted = (value) =>
  value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)
    ? value.toExponential().replace("e+", "e")
    : String(value);

/** @param {string} id */
const named = (id) => ({ id, "data-testid": id });

/**
 * @typedef {{
 *   field: Field, box: HTMLElement, error: HTMLElement,
 *   show: (complete: Complete) => void, mark: (invalid: boolean) => void, focus: () => void,
 * }} Control
 */

export class Form {
  /**
   * @param {HTMLElement} box
   * @param {Field[]} fields
   * @param {(name: string, value: any) => void} onChange a field changed; undefined: its default
   */
  constructor(box, fields, onChange) {
    this.onChange = onChange;
    /** @type {Map<string, Control>} */
    this.controls = new Map();
    /** @type {string[]} */
    this.taskNames = [];
    const placed = [...NOT_IN_FORM, ...GROUPS.flatMap(({ fields, more }) => [...fields, ...more])];
    const rest = fields.map(({ name }) => name).filter((name) => !placed.includes(name));
    /** @type {{root: HTMLDetailsElement, summary: HTMLElement, title: string, fields: Field[]}[]} */
    this.folds = [];
    GROUPS.forEach((group, k) => {
      const find = (/** @type {string[]} */ names) =>
        names.flatMap((name) => fields.filter((field) => field.name === name));
      // The group of the data has a place in the document.
      const isData = group.title === "Data";
      const set = (isData && box.previousElementSibling) || el("fieldset", {}, el("legend", {}, group.title));
      set.append(...find(group.fields).map((field) => this.control(field)));
      if (!isData) box.append(set);
      const folded = find(k === 0 ? rest : group.more);
      if (folded.length === 0) return;
      const title = isData ? "Sample" : "More";
      const summary = el("summary", {}, title);
      const root = el("details", named(`more-${group.title.toLowerCase()}`), summary);
      root.append(...folded.map((field) => this.control(field)));
      set.append(root);
      this.folds.push({ root, summary, title, fields: folded });
    });
  }

  /** Puts a button below a field. @param {string} name @param {HTMLElement} button */
  addAction(name, button) {
    this.controls.get(name)?.box.after(button);
  }

  /** @param {Field} field */
  control(field) {
    const error = el("p", { class: "field-error", ...named(`error-${field.name}`), hidden: true });
    const hint = el("p", { class: "hint", id: `hint-${field.name}` }, field.purpose);
    const described = `hint-${field.name} error-${field.name}`;
    const made =
      field.type === "tasks"
        ? this.chips(field, described)
        : field.type === "choice"
          ? this.choice(field, described)
          : field.type === "flag"
            ? this.flag(field, described)
            : this.number(field, described);
    const box = made.box;
    box.classList.add("field");
    box.dataset.field = field.name;
    box.append(hint, error);
    this.controls.set(field.name, { field, error, ...made });
    return box;
  }

  /**
   * @param {string} name
   * @param {any} value
   */
  changed(name, value) {
    for (const other of RESETS[name] ?? []) this.onChange(other, undefined);
    this.onChange(name, value);
  }

  /**
   * @param {Extract<Field, {type: "choice"}>} field
   * @param {string} described
   */
  choice(field, described) {
    const values = field.words;
    if (!SEGMENTED.includes(field.name)) {
      const select = el(
        "select",
        { ...named(`field-${field.name}`), "aria-describedby": described },
        ...values.map((value, k) => el("option", { value }, `${readable(value)}: ${field.texts[k]}`)),
      );
      select.onchange = () => this.changed(field.name, select.value);
      const label = el("label", { for: select.id }, field.title);
      return {
        box: el("div", {}, label, select),
        show: (/** @type {Complete} */ { spec }) => {
          select.value = /** @type {any} */ (spec)[field.name];
        },
        mark: (/** @type {boolean} */ bad) => select.setAttribute("aria-invalid", String(bad)),
        focus: () => select.focus(),
      };
    }
    const inputs = values.map((value) =>
      el("input", {
        type: "radio",
        name: field.name,
        value,
        ...named(`field-${field.name}-${value}`),
        "aria-describedby": described,
        onchange: () => this.changed(field.name, value),
      }),
    );
    const segments = el("div", { class: "segments" });
    inputs.forEach((input) => segments.append(input, el("label", { for: input.id }, readable(input.value))));
    const box = el(
      "div",
      { role: "radiogroup", "aria-labelledby": `label-${field.name}` },
      el("span", { class: "label", id: `label-${field.name}` }, field.title),
      segments,
    );
    return {
      box,
      show: (/** @type {Complete} */ { spec }) => {
        const value = /** @type {any} */ (spec)[field.name];
        inputs.forEach((input) => (input.checked = input.value === value));
      },
      mark: (/** @type {boolean} */ bad) => {
        box.setAttribute("aria-invalid", String(bad));
      },
      focus: () => (inputs.find((input) => input.checked) ?? inputs[0])?.focus(),
    };
  }

  /**
   * @param {Field} field
   * @param {string} described
   */
  flag(field, described) {
    const input = el("input", {
      type: "checkbox",
      ...named(`field-${field.name}`),
      "aria-describedby": described,
      onchange: () => this.changed(field.name, input.checked),
    });
    return {
      box: el("div", {}, el("label", { for: input.id }, input, " ", field.title)),
      show: (/** @type {Complete} */ { spec }) => {
        input.checked = /** @type {any} */ (spec)[field.name];
      },
      mark: (/** @type {boolean} */ bad) => input.setAttribute("aria-invalid", String(bad)),
      focus: () => input.focus(),
    };
  }

  /**
   * @param {Field} field
   * @param {string} described
   */
  number(field, described) {
    const input = el("input", {
      ...named(`field-${field.name}`),
      type: "text",
      inputmode: field.type === "integer" ? "numeric" : "decimal",
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": described,
    });
    const slider =
      field.name === "budget"
        ? el("input", { type: "range", min: 0, max: 1, step: 0.05, "aria-label": field.title })
        : null;
    const read = (/** @type {string} */ text) => {
      const trimmed = text.trim().replace(",", ".");
      if (trimmed === "") return undefined;
      const value = Number(trimmed);
      // Text that is not a number is passed on; the check in Rust rejects it with a message.
      return Number.isFinite(value) ? value : text;
    };
    input.oninput = () => {
      const value = read(input.value);
      if (slider && typeof value === "number") slider.value = String(value);
      this.changed(field.name, value);
    };
    input.onblur = () => {
      if (input.value.trim() === "") this.changed(field.name, undefined);
    };
    if (slider) {
      slider.oninput = () => {
        input.value = slider.value;
        this.changed(field.name, Number(slider.value));
      };
    }
    const label = el("label", { for: input.id }, field.title);
    const row = el("div", { class: slider ? "with-slider" : "" }, slider, input);
    return {
      box: el("div", { class: slider ? "wide" : "" }, label, row),
      show: (/** @type {Complete} */ { spec }) => {
        const value = /** @type {any} */ (spec)[field.name];
        if (document.activeElement !== input) input.value = value === null ? "" : formatted(value);
        if (slider && document.activeElement !== slider) slider.value = String(value);
        input.placeholder = value === null ? "none" : "";
      },
      mark: (/** @type {boolean} */ bad) => input.setAttribute("aria-invalid", String(bad)),
      focus: () => input.focus(),
    };
  }

  /**
   * @param {Field} field
   * @param {string} described
   */
  chips(field, described) {
    const list = el("div", { class: "chips" });
    const note = el("p", { class: "same", hidden: true }, "Same as the target tasks.");
    const box = el(
      "div",
      { role: "group", "aria-labelledby": `label-${field.name}`, "aria-describedby": described },
      el("span", { class: `label mark-${field.name}`, id: `label-${field.name}` }, field.title),
      note,
      list,
    );
    /** @type {HTMLInputElement[]} */
    let inputs = [];
    // One stop of the Tab key for the group; arrow keys go from task to task.
    const rove = (/** @type {HTMLInputElement | undefined} */ stop) => {
      for (const input of inputs) input.tabIndex = input === stop ? 0 : -1;
    };
    list.addEventListener("focusin", ({ target }) => target instanceof HTMLInputElement && rove(target));
    list.addEventListener("keydown", (event) => {
      const enabled = inputs.filter(({ disabled }) => !disabled);
      const at = enabled.findIndex((input) => input === document.activeElement);
      const last = enabled.length - 1;
      const next = {
        ArrowRight: at + 1,
        ArrowDown: at + 1,
        ArrowLeft: at - 1,
        ArrowUp: at - 1,
        Home: 0,
        End: last,
      }[event.key];
      if (at < 0 || next === undefined) return;
      event.preventDefault();
      enabled[Math.min(Math.max(next, 0), last)]?.focus();
    });
    const build = (/** @type {number} */ tasks) => {
      inputs = Array.from({ length: tasks }, (_, task) =>
        el("input", {
          type: "checkbox",
          ...named(`${field.name}-${task}`),
          onchange: () =>
            this.changed(
              field.name,
              inputs.flatMap((input, k) => (input.checked ? [k] : [])),
            ),
        }),
      );
      list.replaceChildren(
        ...inputs.flatMap((input, task) => [input, el("label", { for: input.id }, `T${task + 1}`)]),
      );
    };
    return {
      box,
      show: (/** @type {Complete} */ { spec, shape }) => {
        if (inputs.length !== shape.tasks) build(shape.tasks);
        const chosen = field.name === "targets" ? spec.targets : spec.attackers;
        const attackers = field.name === "attackers";
        const short = shortNames(this.taskNames);
        const same = attackers && spec.attack === "direct";
        list.hidden = same;
        note.hidden = !same;
        inputs.forEach((input, task) => {
          input.checked = chosen.includes(task);
          input.disabled = attackers && spec.attack === "indirect" && spec.targets.includes(task);
          const label = input.nextElementSibling;
          const name = this.taskNames[task];
          if (label) label.textContent = short[task] ?? `T${task + 1}`;
          if (name) label?.setAttribute("title", name);
          else label?.removeAttribute("title");
        });
        const stop = inputs.find(({ tabIndex, disabled }) => tabIndex === 0 && !disabled);
        const first = inputs.find((input) => input.checked && !input.disabled);
        rove(stop && inputs.some(({ tabIndex }) => tabIndex === -1) ? stop : (first ?? inputs[0]));
      },
      mark: (/** @type {boolean} */ bad) => {
        box.setAttribute("data-invalid", String(bad));
        inputs.forEach((input) => input.setAttribute("aria-invalid", String(bad)));
      },
      focus: () => inputs.find((input) => !input.disabled)?.focus(),
    };
  }

  /**
   * Shows the values of a checked specification.
   * @param {Complete} complete
   * @param {string[]} taskNames
   */
  show(complete, taskNames) {
    this.taskNames = taskNames;
    for (const [name, control] of this.controls) {
      control.show(complete);
      control.box.hidden = ONLY_WITH[name]?.(complete.spec) === false;
    }
    for (const { summary, title, fields } of this.folds) {
      const changed = fields.filter(({ name }) => name in complete.differences);
      summary.textContent = [title, changed.map((field) => field.title).join(", ")]
        .filter(Boolean)
        .join(" · ");
    }
    this.complain([]);
  }

  /**
   * Shows errors next to their fields; returns those that belong to no field of the form.
   * @param {Problem[]} problems
   */
  complain(problems) {
    const rest = problems.filter(({ field }) => !field || !this.controls.has(field));
    for (const [name, control] of this.controls) {
      const found = problems.filter(({ field }) => field === name);
      control.error.textContent = found.map(({ message }) => message).join("; ");
      control.error.hidden = found.length === 0;
      control.mark(found.length > 0);
      if (found.length === 0) continue;
      control.box.hidden = false;
      const fold = control.box.closest("details");
      if (fold) fold.open = true;
    }
    return rest;
  }

  /** @param {string} name */
  focus(name) {
    this.controls.get(name)?.focus();
  }
}
