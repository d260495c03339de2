/** Compares two runs: settings, curves, correlations and per-task results. */

import "../style/figures.css";
import "../style/compare.css";
import { comparisonLink } from "../core/route.js";
import { Heatmaps, isDark, onLookChange, resize, style } from "../ui/charts.js";
import { download, el, onSinglePress } from "../ui/dom.js";
import { loadExtras } from "../engine/extras.js";
import { readable } from "../ui/text.js";
import { RecentChoice } from "./recent.js";
import { setBusy } from "../core/unload.js";
import { errorMessage } from "../core/words.js";
import { Solver } from "../engine/solver.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Engine } from "../engine/engine.js" */
/** @import { Extras } from "../engine/extras.js" */
/** @import { Complete, DatasetRef, Problem, Report, Shape, Source, Spec } from "../engine/types.js" */

/**
 * @typedef {{
 *   sourceFor: (spec: Spec) => Promise<Source>,
 *   shape: (dataset: DatasetRef | undefined) => Shape | undefined,
 *   finished: (link: string) => Report | undefined,
 *   session: Session,
 * }} PageContext
 * What the view needs from the page: data, the shape of an opened file, finished reports.
 */

/** @typedef {{link: string, report: Report, verdict: string}} Side  `verdict`: on the digest in the link, if there is one. */

const NAMES = /** @type {const} */ (["A", "B"]);
/** Letters of a run's name. */
const MAX_NAME = 40;
/** Of an iframe and of a saved picture, in CSS pixels: 16:9. */
const FRAME = { width: 960, height: 540 };

/** @typedef {Compare} View */

/**
 * Loads its wasm module, then the view.
 * @param {Engine} engine
 * @param {PageContext} page
 */
export async function openCompare(engine, page) {
  return new Compare(engine, await loadExtras(), page);
}

class Compare {
  /**
   * @param {Engine} engine
   * @param {Extras} pictures
   * @param {PageContext} page
   */
  constructor(engine, pictures, page) {
    this.engine = engine;
    this.pictures = pictures;
    this.page = page;
    /** @type {Solver[]} */
    this.solvers = [];
    /** Counts requests, so that the answer to an older one is ignored. */
    this.asked = 0;
    /** The address that the view shows. */
    this.address = "";
    /** @type {[Side, Side] | null} */
    this.sides = null;

    this.inputs = NAMES.map((name) =>
      el("input", {
        type: "text",
        id: `compare-${name}`,
        "data-testid": `compare-${name}`,
        spellcheck: "false",
        autocomplete: "off",
        placeholder: "a link of this page",
      }),
    );
    this.names = NAMES.map((name, k) =>
      el("input", {
        type: "text",
        id: `compare-name-${name}`,
        "data-testid": `compare-name-${name}`,
        maxlength: MAX_NAME,
        autocomplete: "off",
        placeholder: `name of ${name}`,
        "aria-label": `Name of run ${NAMES[k]}`,
        onchange: () => this.go(this.values()),
      }),
    );
    const fields = this.inputs.map((input, k) =>
      el(
        "div",
        {},
        el("label", { for: input.id }, mark(k), ` Run ${NAMES[k]}`),
        el("div", { class: "compare-run" }, input, this.names[k]),
      ),
    );
    this.runButton = el("button", { class: "primary", "data-testid": "compare-run" }, "Compare");
    this.cancelButton = el(
      "button",
      { type: "button", class: "danger", "data-testid": "compare-cancel" },
      "Cancel",
    );
    this.cancelButton.onclick = onSinglePress(() => this.cancel());
    const swap = el("button", { type: "button", "data-testid": "compare-swap" }, "Swap A and B");
    swap.onclick = () => {
      const [a, b] = this.names;
      if (a && b) [a.value, b.value] = [b.value, a.value];
      this.go([...this.values()].reverse());
    };
    this.status = el("p", { class: "status", role: "status", "data-testid": "compare-status" });
    this.problems = el("div", {
      class: "field-error",
      role: "alert",
      hidden: true,
      "data-testid": "compare-problems",
    });
    const form = el(
      "form",
      { "aria-label": "The two runs" },
      el("div", { class: "compare-links" }, ...fields),
      el("div", { class: "actions" }, this.runButton, this.cancelButton, swap),
    );
    form.onsubmit = (event) => {
      event.preventDefault();
      this.go(this.values());
    };

    this.verdict = el("p", { "data-testid": "compare-verdict" });
    this.differences = scroll("Differences between the two runs", "compare-differences");
    this.canvas = el("canvas", { role: "img", "data-testid": "compare-curves" });
    this.canvasBox = el("div", { class: "canvas-box" }, this.canvas);
    this.curveTable = scroll("Both attacks, table", "compare-curve-table");
    this.readout = el("p", { class: "readout", "aria-live": "polite" });
    // Two boxes: the runs may have different numbers of tasks.
    this.maps = NAMES.map(() => {
      const box = el("div", { class: "heatmaps" });
      const maps = new Heatmaps(engine, box, (cell) => {
        const shown = maps.shown.map(({ map }) => map);
        this.readout.textContent = cell ? views.cellText(shown, cell, maps.tasks) : "";
      });
      return maps;
    });
    this.mapTables = scroll("Task correlations, tables", "compare-map-tables");
    this.tasks = scroll("Metric per task in both runs", "compare-tasks");
    this.results = el(
      "div",
      { class: "figure-cards", hidden: true, "data-testid": "compare-results" },
      card("Differences", this.verdict, this.saving(), this.differences),
      card("Attack progress", this.canvasBox, disclosure("Show as table", this.curveTable)),
      card(
        "Task correlations learned under attack",
        ...this.maps.map(({ box }) => box),
        this.readout,
        disclosure("Show as tables", this.mapTables),
      ),
      card("Results per task", this.tasks),
    );
    this.recent = new RecentChoice(page.session, (side, link) =>
      this.go(this.values().map((other, k) => (k === side ? link : other))),
    );
    const head = card("Compare two runs", form, this.recent.root, this.status, this.problems);
    head
      .querySelector("h2")
      ?.after(
        el(
          "p",
          { class: "lead" },
          "Choose two recent results, or paste two links. The address of this view contains both.",
        ),
      );
    this.root = el("div", { class: "figure-view", "data-testid": "compare-view" }, head, this.results);
    onLookChange(this.canvasBox, () => this.draw());
    this.enter("idle", "");
  }

  values() {
    return this.inputs.map(({ value }) => value.trim());
  }

  /** The names in the address. */
  namesText() {
    const names = this.names.map(({ value }) => value.replaceAll("|", " ").trim());
    return names.some(Boolean) ? names.join("|") : "";
  }

  /** What a run is called: A, or A with its name. @param {number} run */
  label(run) {
    const name = this.names[run]?.value.trim();
    return name ? `${NAMES[run]} (${name})` : (NAMES[run] ?? "");
  }

  /** Buttons that save the comparison. */
  saving() {
    const done = el("span", { role: "status", "data-testid": "compare-copied" });
    /** @param {string} id @param {string} text @param {() => Promise<string> | string} act */
    const button = (id, text, act) => {
      const onclick = async () => {
        try {
          done.textContent = await act();
        } catch (problem) {
          done.textContent = `${errorMessage(problem)}.`;
        }
      };
      return el("button", { type: "button", "data-testid": `compare-${id}`, onclick }, text);
    };
    const copy = async (/** @type {string} */ text, /** @type {string} */ what) => {
      try {
        await navigator.clipboard.writeText(text);
        return `${what} copied`;
      } catch {
        return "The browser does not allow access to the clipboard here.";
      }
    };
    return el(
      "div",
      { class: "actions compare-save" },
      button("png", "Curves (PNG)", () => this.savePicture()),
      button("csv", "Per task (CSV)", () => this.saveTasks()),
      button("curve-csv", "Curves (CSV)", () => this.saveCurves()),
      button("copy-link", "Copy link", () => copy(this.url(), "Link")),
      button("embed", "Copy iframe", () => copy(this.frame(), "iframe")),
      done,
    );
  }

  /** The address of the comparison, with the digests of both results. */
  url() {
    const [a = "", b = ""] = (this.sides ?? []).map(({ link, report }) =>
      this.page.session.fragmentOf({ link, report }),
    );
    return `${location.href.split("#")[0]}${comparisonLink(a, b, this.namesText())}`;
  }

  frame() {
    const theme = isDark() ? "dark" : "light";
    return el("iframe", {
      src: `${this.url()}&embed=1&theme=${theme}`,
      title: `PATOM Lab: ${this.verdict.querySelector("b")?.textContent ?? "two equal runs"}`,
      width: FRAME.width,
      height: FRAME.height,
      loading: "lazy",
    }).outerHTML;
  }

  async savePicture() {
    const { savePicture } = await import("./export.js");
    const canvas = el("canvas", {});
    resize(canvas, FRAME.width, this.engine.curveLayout(FRAME.width)[0] ?? 0, 2);
    this.drawPair(canvas, { scale: 2, dark: false, paper_colors: false });
    const digests = (this.sides ?? []).map(({ report }) => report.digest);
    const note = { software: `PATOM Lab ${this.engine.version}`, link: this.url(), digests };
    await savePicture("comparison", canvas, this.verdict.textContent ?? "", note);
    return "Saved as comparison.png";
  }

  saveTasks() {
    const [a, b] = this.reports();
    const longer = a.task_names.length >= b.task_names.length ? a : b;
    const role = (/** @type {Report} */ { spec, task_names: names }, /** @type {number} */ task) =>
      task < names.length ? roleOf(spec, task) : "";
    const rows = longer.task_names.map((name, task) => [
      name,
      ...[a, b].map((report) => role(report, task)),
      ...[a, b].map(({ clean }) => clean.metric_per_task[task]),
      ...[a, b].map(({ attacked }) => attacked.metric_per_task[task]),
    ]);
    const metrics = [a, b].map(({ metric_name: name }, k) => `${name}_attacked_${k ? "b" : "a"}`);
    const cleans = [a, b].map(({ metric_name: name }, k) => `${name}_clean_${k ? "b" : "a"}`);
    return saveCsv("comparison-tasks.csv", ["task", "role_a", "role_b", ...cleans, ...metrics], rows);
  }

  saveCurves() {
    const [a, b] = this.reports();
    const rows = [a, b].flatMap(({ trace }, k) =>
      Array.from(trace.iteration, (iteration, i) => [
        this.names[k]?.value.trim() || NAMES[k],
        iteration,
        trace.metric[i],
        trace.utility[i],
      ]),
    );
    return saveCsv("comparison-curves.csv", ["run", "iteration", "metric", "utility"], rows);
  }

  /** @returns {[Report, Report]} */
  reports() {
    const [a, b] = this.sides ?? [];
    if (!a || !b) throw { message: "there are no results" };
    return [a.report, b.report];
  }

  /** Sets the address, which opens the comparison. @param {string[]} links */
  go([a = "", b = ""]) {
    // Accepts full addresses; only the fragment is used.
    const bare = (/** @type {string} */ link) => link.slice(link.indexOf("#") + 1);
    const address = comparisonLink(bare(a), bare(b), this.namesText());
    if (location.hash === address) {
      this.address = "";
      this.open({ left: a, right: b, names: this.namesText() });
    } else location.hash = address;
  }

  /** @param {"idle" | "running" | "done" | "failed" | "cancelled"} state @param {string} text */
  enter(state, text) {
    this.root.dataset.state = state;
    setBusy(this, state === "running");
    this.cancelButton.hidden = state !== "running";
    this.runButton.hidden = state === "running";
    this.status.textContent = text;
  }

  close() {
    this.asked++;
    for (const solver of this.solvers) solver.close();
    this.solvers = [];
  }

  cancel() {
    this.close();
    this.enter("cancelled", "Cancelled.");
    this.runButton.focus();
  }

  /**
   * Beside a run whose other one is missing, its counterpart is shown.
   * @param {{left: string, right: string, names?: string}} route untrusted links, or empty
   */
  async open({ left, right, names = "" }) {
    const address = comparisonLink(left, right);
    this.recent.show([left, right]);
    const given = names.split("|");
    this.names.forEach((input, k) => (input.value = (given[k] ?? "").slice(0, MAX_NAME)));
    // Other names of the same runs.
    if (address === this.address) return this.sides && this.show();
    this.close();
    const asked = this.asked;
    this.address = address;
    [left, right].forEach((link, k) => {
      const input = this.inputs[k];
      if (input) input.value = link;
    });
    const missing = NAMES.filter((_, k) => ![left, right][k]);
    // The counterpart of no link at all is the default run with random points.
    left ||= this.counterpart(right || this.counterpart(""));
    right ||= this.counterpart(left);
    this.problems.hidden = true;
    this.results.hidden = true;
    this.enter("running", "Running both …");
    /** @type {string[]} */
    const progress = ["", ""];
    const found = await Promise.allSettled(
      [left, right].map((link, k) =>
        this.side(link, (text) => {
          progress[k] = `${NAMES[k]}: ${text}`;
          if (asked === this.asked) this.status.textContent = progress.filter(Boolean).join(" · ");
        }),
      ),
    );
    if (asked !== this.asked) return;
    this.close();
    const [a, b] = found;
    if (a?.status === "fulfilled" && b?.status === "fulfilled") {
      this.sides = [a.value, b.value];
      const verdicts = this.sides.map(({ verdict }, k) => verdict && `${NAMES[k]}: ${verdict}`);
      if (missing.length > 0) {
        const other = `Choose another run ${missing.join(" or ")} above.`;
        verdicts.push(`Optimised points beside random ones, all other settings equal. ${other}`);
      }
      this.enter("done", verdicts.filter(Boolean).join(" ") || "Both runs are done.");
      return this.show();
    }
    const complaints = found.flatMap((one, k) =>
      one.status === "rejected" ? [el("p", {}, `Run ${NAMES[k]}: ${errorMessage(one.reason)}`)] : [],
    );
    this.problems.replaceChildren(...complaints);
    this.problems.hidden = false;
    this.enter("failed", "");
  }

  /**
   * The link of a run with the same settings and random points; beside random ones, with optimised
   * points. A link that is none is given back: it is refused with the reason.
   * @param {string} link
   */
  counterpart(link) {
    const read = this.engine.readLink(link);
    if ("errors" in read) return link;
    const { draft } = read;
    const method = draft.method === "random" ? "patom" : "random";
    const complete = this.engine.complete({ ...draft, method }, this.page.shape(draft.dataset));
    return "errors" in complete ? link : complete.link;
  }

  /**
   * The result of a link: reused from the lab if it exists there, otherwise computed.
   * @param {string} text
   * @param {(progress: string) => void} onProgress
   * @returns {Promise<Side>}
   */
  async side(text, onProgress) {
    const link = this.engine.readLink(text);
    if ("errors" in link) throw { message: link.errors.map(({ message }) => message).join("; ") };
    const checked = this.engine.complete(link.draft, this.page.shape(link.draft.dataset));
    if ("errors" in checked) throw { message: checked.errors.map(({ message }) => message).join("; ") };
    const report = this.page.finished(checked.link) ?? (await this.run(checked, onProgress));
    const claims = this.pictures.compare_claims(link.claim, report.claim, report.metric_name);
    return { link: checked.link, report, verdict: claims?.words ?? "" };
  }

  /**
   * @param {Complete} complete
   * @param {(progress: string) => void} onProgress
   * @returns {Promise<Report>}
   */
  async run({ spec }, onProgress) {
    onProgress("loading the data");
    const asked = this.asked;
    const source = await this.page.sourceFor(spec);
    if (asked !== this.asked) throw { message: "cancelled" };
    const solver = new Solver(this.engine.module);
    this.solvers.push(solver);
    return new Promise((resolve, reject) => {
      solver.run(spec, source, {
        onProgress: (points) => onProgress(`iteration ${points.at(-1)?.iteration} of ${spec.iterations}`),
        onDone: resolve,
        onError: (/** @type {Problem} */ problem) => reject(problem),
      });
    });
  }

  show() {
    if (!this.sides) return;
    const [a, b] = this.sides.map(({ report }) => report);
    if (!a || !b) return;
    this.results.hidden = false;
    this.verdict.replaceChildren(
      ...(a.digest === b.digest
        ? [`Bit-identical results: both digests are ${a.digest}.`]
        : [
            el(
              "b",
              { "data-testid": "compare-sentence" },
              sentence(a, b, this.differing(a.spec, b.spec), [this.label(0), this.label(1)]),
            ),
            ` Different results: digest ${a.digest} (A), ${b.digest} (B).`,
          ]),
    );
    this.differences.replaceChildren(this.differenceTable(a.spec, b.spec));
    const labels = [this.label(0), this.label(1)];
    const [one, other] = labels;
    this.canvas.setAttribute(
      "aria-label",
      `${one}: ${views.curveSummary(a)} ${other}: ${views.curveSummary(b)}`,
    );
    this.draw();
    this.curveTable.replaceChildren(curveTable(a, b, labels));
    this.showMaps(a, b);
    this.tasks.replaceChildren(taskTable(a, b, labels));
  }

  /** The fields that differ. @param {Spec} a @param {Spec} b */
  differing(a, b) {
    return this.engine.fields.filter(
      ({ name }) => JSON.stringify(value(a, name)) !== JSON.stringify(value(b, name)),
    );
  }

  /** A table of the fields that differ. @param {Spec} a @param {Spec} b */
  differenceTable(a, b) {
    /** @param {any} given */
    const shown = (given) =>
      given === null || given === undefined
        ? "not set"
        : Array.isArray(given)
          ? views.taskList(given)
          : typeof given === "object"
            ? given.name
            : readable(String(given));
    const rows = this.differing(a, b).map(({ name, title }) => [
      title,
      shown(value(a, name)),
      shown(value(b, name)),
    ]);
    if (rows.length === 0) return el("p", {}, "None: both links have the same settings.");
    return views.table(
      ["Setting", this.label(0), this.label(1)],
      rows,
      "Settings that differ; all others are equal",
    );
  }

  /** @param {Report} a @param {Report} b */
  showMaps(a, b) {
    const [first, second] = this.maps;
    const [m, n] = [a.task_names.length, b.task_names.length];
    const roles = [a, b].map(({ spec: { targets, attackers } }) => ({ targets, attackers }));
    const [of, ofB] = roles;
    if (!first || !second || !of || !ofB) return;
    const one = {
      name: "A",
      title: `${this.label(0)}, under attack`,
      values: a.attacked.correlation,
      openEnded: false,
      roles: of,
    };
    const two = {
      name: "B",
      title: `${this.label(1)}, under attack`,
      values: b.attacked.correlation,
      openEnded: false,
      roles: ofB,
    };
    const difference = {
      name: "B − A",
      title: "Difference: B − A",
      values: two.values.map((value, k) => value - (one.values[k] ?? NaN)),
      openEnded: true,
      roles: JSON.stringify(of) === JSON.stringify(ofB) ? of : { targets: [], attackers: [] },
    };
    const same = m === n;
    second.box.hidden = same;
    const summary = (/** @type {number} */ count) => (/** @type {any} */ map) =>
      views.heatmapSummary(map, count);
    first.show(same ? [one, two, difference] : [one], m, a.spec, summary(m));
    if (!same) second.show([two], n, b.spec, summary(n));
    this.mapTables.replaceChildren(
      ...views.correlationTables(same ? [one, two, difference] : [one], m),
      ...(same ? [] : views.correlationTables([two], n)),
    );
  }

  draw() {
    const width = this.canvasBox.clientWidth;
    if (!this.sides || width < 50) return;
    const look = style(false);
    resize(this.canvas, width, this.engine.curveLayout(width)[0] ?? 0, look.scale);
    this.drawPair(this.canvas, look);
  }

  /** @param {HTMLCanvasElement} canvas @param {ReturnType<typeof style>} look */
  drawPair(canvas, look) {
    const [a, b] = this.reports();
    const [s, t] = [a.trace, b.trace];
    this.pictures.draw_pair(canvas, s.metric, t.metric, s.utility, t.utility, {
      style: look,
      metric_names: [a.metric_name, b.metric_name],
      clean_metrics: [a.clean.metric, b.clean.metric],
    });
  }
}

/** The mark of a run: colour and shape. @param {number} run */
const mark = (run) => el("span", { class: `run-mark ${run ? "b" : "a"}`, "aria-hidden": "true" });

/** @param {string} title @param {...Node} content */
const card = (title, ...content) => el("section", { class: "card" }, el("h2", {}, title), ...content);

/** @param {string} label @param {string} id */
const scroll = (label, id) =>
  el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label, "data-testid": id });

/** @param {string} title @param {Node} content */
const disclosure = (title, content) => el("details", {}, el("summary", {}, title), content);

/** @param {string} name @param {string[]} heads @param {unknown[][]} rows */
function saveCsv(name, heads, rows) {
  const cell = (/** @type {unknown} */ value) => {
    const text = typeof value === "number" && !Number.isFinite(value) ? "" : String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = [heads, ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
  download(name, new Blob([text], { type: "text/csv" }));
  return `Saved as ${name}`;
}

/** @param {Spec} spec @param {number} task */
const roleOf = (spec, task) =>
  [spec.targets.includes(task) && "target", spec.attackers.includes(task) && "attacking"]
    .filter(Boolean)
    .join(", ");

/** @param {Report} a @param {Report} b @param {string[]} labels */
function curveTable(a, b, [one, other]) {
  const [s, t] = [a.trace, b.trace];
  const names = [a, b].map(({ metric_name: name }) => views.METRICS[name].short);
  const rows = Array.from({ length: Math.max(s.metric.length, t.metric.length) }, (_, k) => [
    String(k),
    ...[s.metric[k], t.metric[k]].map((value) => views.metricDigits(value ?? NaN)),
    ...[s.utility[k], t.utility[k]].map((value) => views.digits(value ?? NaN)),
  ]);
  const heads = [
    "Iteration",
    `${names[0]}, ${one}`,
    `${names[1]}, ${other}`,
    `Utility, ${one}`,
    `Utility, ${other}`,
  ];
  return views.table(heads, rows, "Metric of the target tasks and utility of the attacker");
}

/** @param {Report} a @param {Report} b @param {string[]} labels */
function taskTable(a, b, [one, other]) {
  const metric = views.METRICS[a.metric_name];
  const comparable = a.metric_name === b.metric_name;
  const role = (/** @type {Report} */ { spec }, /** @type {number} */ task) => roleOf(spec, task);
  const value = (/** @type {Float64Array} */ of, /** @type {number} */ task) => of[task] ?? NaN;
  const names = a.task_names.length >= b.task_names.length ? a.task_names : b.task_names;
  const tasks = names.map((_, task) => task);
  const sameRoles = tasks.every((task) => role(a, task) === role(b, task));
  const cleans = [a, b].map(({ clean }) => clean.metric_per_task);
  const sameClean = comparable && String(cleans[0]) === String(cleans[1]);
  const rows = tasks.map((task) => {
    const [before, after] = [
      value(a.attacked.metric_per_task, task),
      value(b.attacked.metric_per_task, task),
    ];
    return [
      views.taskName(task, names),
      ...(sameRoles ? [role(a, task)] : [role(a, task), role(b, task)]),
      ...(sameClean ? cleans.slice(0, 1) : cleans).map((of) => views.metricDigits(value(of, task))),
      views.metricDigits(before),
      views.metricDigits(after),
      comparable && Number.isFinite(after - before) ? views.changeDigits(after - before) : "–",
    ];
  });
  const heads = [
    "Task",
    ...(sameRoles ? ["Role"] : [`Role in ${one}`, `Role in ${other}`]),
    ...(sameClean ? ["Clean"] : [`Clean, ${one}`, `Clean, ${other}`]),
    `Attacked, ${one}`,
    `Attacked, ${other}`,
    "B − A",
  ];
  const unlike = comparable
    ? ""
    : `; B uses ${views.METRICS[b.metric_name].short}, so there is no difference`;
  return views.table(heads, rows, `${metric.short} (${metric.long}) on the test set${unlike}`);
}

/** @param {Spec} spec @param {string} name of a field */
const value = (spec, name) => /** @type {Record<string, any>} */ (spec)[name];

/**
 * Which attack hurts more, by which numbers, and what is different about it.
 * @param {Report} a
 * @param {Report} b
 * @param {{title: string}[]} fields that differ
 * @param {string[]} labels
 */
function sentence(a, b, fields, labels) {
  const titles = fields.map(({ title }) => title.charAt(0).toLowerCase() + title.slice(1));
  const more = titles.length - 3;
  const few = more > 1 ? `${titles.slice(0, 3).join(", ")} and ${more} more settings` : titles.join(", ");
  const differ = titles.length > 0 ? `they differ in ${few}` : "their settings are the same";
  const { short, stronger } = views.METRICS[a.metric_name];
  const [one, other] = [a.attacked.metric, b.attacked.metric];
  if (a.metric_name !== b.metric_name) return `${labels.join(" and ")} have different metrics; ${differ}.`;
  if (!Number.isFinite(one - other)) return `${short} is undefined in one of them; ${differ}.`;
  const [first, second] = [one, other].map(views.metricDigits);
  if (first === second) return `Both hurt alike: ${short} ${first}; ${differ}.`;
  const isA = (one - other) * stronger > 0;
  const numbers = isA ? `${first} against ${second}` : `${second} against ${first}`;
  return `${labels[isA ? 0 : 1]} hurts more: ${short} ${numbers}; ${differ}.`;
}
