/**
 * A figure of the paper: its published results, and the choice, progress and results of a recomputation.
 * What one data set shows is in figure_card.js.
 */

import "../style/confirmation.css";
import "../style/figures.css";
import { download, el, onSinglePress } from "../ui/dom.js";
import { loadExtras } from "../engine/extras.js";
import { confirmRuns } from "../engine/confirm_runs.js";
import { Pool, WORKERS } from "../engine/pool.js";
import { unique } from "../core/database.js";
import { figureAddress } from "../core/route.js";
import * as sweeps from "../core/sweeps.js";
import { DatasetCard, isMeasured, runTitle } from "./figure_card.js";
import { table } from "./report.js";
import { compareDigests, loadPublished } from "./published.js";
import { duration } from "../core/words.js";

/** @import { Engine } from "../engine/engine.js" */
/** @import { Extras } from "../engine/extras.js" */
/** @import { Figure, FigureMethod, Measured, Planned, Problem, Source } from "../engine/types.js" */
/** @import { Route } from "../core/route.js" */
/** @import { Published } from "./published.js" */

/**
 * @typedef {{
 *   has: (dataset: string) => boolean, source: (dataset: string) => Promise<Source>,
 *   distrust: (dataset: string) => void,
 * }} PageContext
 * What a figure needs from the page.
 */

/** Milliseconds between two redraws, and between two saves, during a sweep. */
const PACE = { draw: 250, save: 1000 };

/**
 * @param {Engine} engine
 * @param {Figure} about
 * @param {PageContext} page
 */
export async function openFigure(engine, about, page) {
  const extras = await loadExtras();
  const { methods, paper } = extras.figure_methods();
  const load = (/** @type {FigureMethod} */ { word }) => loadPublished(about.number, word).catch(() => null);
  const published = await Promise.all(methods.map(load));
  const views = methods.map(
    (method, k) => new FigureView(engine, extras, about, method, page, published[k] ?? null),
  );
  for (const view of views) if (!(await view.restore())) view.showPublished();
  return new FigurePage(about, views, paper);
}

/** A figure with the verdicts by each method, and the runs by the chosen one. */
class FigurePage {
  /** @param {Figure} about @param {FigureView[]} views one a method @param {string} paper its address */
  constructor(about, views, paper) {
    this.views = views;
    this.inputs = views.map(({ method: { word } }, k) =>
      el("input", {
        type: "radio",
        name: `method-${about.number}`,
        id: `figure-${about.number}-${word}`,
        value: word,
        "data-testid": `figure-method-${word}`,
        onchange: () => (location.hash = figureAddress(about.number, k > 0 ? word : "")),
      }),
    );
    const labels = this.inputs.map((input, k) => el("label", { for: input.id }, views[k]?.method.text ?? ""));
    this.summary = el("p", { class: "lead", "data-testid": "figure-method" });
    this.claims = el("div", {
      class: "scroll figure-claims",
      tabindex: 0,
      role: "region",
      "aria-label": "The paper's claims and what was measured",
      "data-testid": "figure-claims",
    });
    this.shown = el("div", { class: "figure-view" });
    const group = { class: "segments methods", role: "radiogroup", "aria-label": "Method" };
    this.root = el(
      "div",
      { class: "figure-view" },
      el(
        "section",
        { class: "card", "aria-labelledby": "figure-title" },
        el(
          "h2",
          { id: "figure-title", tabindex: -1 },
          `Figure ${about.number}: ${about.title.toLowerCase()}`,
        ),
        el(
          "figure",
          { class: "claim" },
          el(
            "figcaption",
            {},
            "The claim of ",
            el("a", { href: paper, "data-testid": "figure-paper" }, "Zhao et al., AAAI 2018"),
          ),
          el("blockquote", { "data-testid": "figure-claim" }, about.claim),
        ),
        el("div", group, ...this.inputs.flatMap((input, k) => [input, labels[k] ?? ""])),
        this.summary,
        this.claims,
      ),
      this.shown,
    );
    for (const view of views) view.onResults = () => this.showClaims();
    this.showClaims();
  }

  /** Shows the method of the address, by default the paper's. @param {Route} route */
  open(route) {
    const wanted = this.views.findIndex(({ method }) => method.word === route.method);
    const number = Math.max(wanted, 0);
    const [view, input] = [this.views[number], this.inputs[number]];
    if (!view || !input) return;
    input.checked = true;
    this.summary.textContent = `By ${view.method.text}: ${view.method.summary}.`;
    if (this.shown.firstChild !== view.root) this.shown.replaceChildren(view.root);
    view.open(route);
  }

  showClaims() {
    const columns = this.views.map((view) => ({ view, claims: view.claims() }));
    const heads = columns.map(({ view }) => `${view.method.text}, ${view.origin()}`);
    const known = columns.find(({ claims }) => claims.length > 0);
    const rows = (known?.claims ?? []).map(({ text, paper }, k) => [
      text,
      paper,
      ...columns.map(({ claims }) => {
        const { verdict, sentence } = claims[k] ?? { verdict: null, sentence: "" };
        return el("span", { class: "verdict", "data-verdict": verdict ?? "" }, sentence || "not run");
      }),
    ]);
    this.claims.replaceChildren(
      table(["Claim", "The paper", ...heads], rows, "The paper's claims, and what was measured"),
    );
  }
}

/** @typedef {FigureView} View */

class FigureView {
  /**
   * @param {Engine} engine
   * @param {Extras} extras
   * @param {Figure} about
   * @param {FigureMethod} method
   * @param {PageContext} page
   * @param {Published | null} published null: could not be loaded
   */
  constructor(engine, extras, about, method, page, published) {
    this.engine = engine;
    this.extras = extras;
    this.about = about;
    this.method = method;
    this.page = page;
    this.published = published;
    /** Under this key results are kept in the browser. */
    this.key = `${about.number}-${method.word}`;
    this.onResults = () => {};
    /** The published results, once results of this browser are shown. @type {InstanceType<Extras["Sweep"]> | null} */
    this.reference = null;
    /** Are the published results shown? Otherwise those of this browser. */
    this.showsPublished = false;
    this.name = `Figure ${about.number}`;
    /** @type {Pool | null} */
    this.pool = null;
    /** @type {InstanceType<Extras["Sweep"]> | null} */
    this.sweep = null;
    /** @type {Planned[]} */
    this.runs = [];
    /** @type {(Measured | Problem | undefined)[]} in the order of the runs */
    this.results = [];
    /** @type {Map<string, DatasetCard>} */
    this.cards = new Map();
    /** Data sets with results that have not been drawn. */
    this.stale = /** @type {Set<string>} */ (new Set());
    /** The sweep's key in the browser's database. */
    this.id = "";
    /** @type {sweeps.Plan | null} the plan stored with it */
    this.kept = null;
    /** @type {[number, Measured][]} results that are not saved yet */
    this.unsaved = [];
    /** Serialises saves. */
    this.saving = /** @type {Promise<unknown>} */ (Promise.resolve());
    /** Number of results before the current run of the sweep. */
    this.before = 0;
    this.start = 0;
    /** Duration of the runs. */
    this.seconds = 0;
    this.timer = 0;
    this.saver = 0;
    this.spokenAt = 0;

    /** @type {HTMLInputElement[]} */
    this.boxes = about.datasets.map((dataset) =>
      el("input", {
        type: "checkbox",
        name: dataset,
        "data-testid": `figure-data-${dataset}`,
        onchange: () => this.plan(),
      }),
    );
    this.notes = about.datasets.map(() => el("small"));
    this.seeds = el("input", {
      type: "range",
      min: 1,
      max: 10,
      value: 1,
      "data-testid": "figure-seeds",
      oninput: () => this.plan(),
    });
    this.seedsShown = el("output");
    const button = (/** @type {string} */ id, /** @type {string} */ text, kind = "") =>
      el("button", { type: "button", class: kind, "data-testid": `figure-${id}` }, text);
    this.runButton = button("run", published ? "Recompute here" : "Run", "primary");
    this.runButton.onclick = () => this.run();
    this.restButton = button("continue", "Continue");
    this.restButton.onclick = () => this.run(true);
    this.cancelButton = button("cancel", "Cancel", "danger");
    this.cancelButton.onclick = onSinglePress(() => (this.stopConfirming ?? (() => this.end("cancelled")))());
    this.csvButton = button("csv", "CSV");
    this.csvButton.onclick = () => {
      const csv = new Blob([this.sweep?.csv() ?? ""], { type: "text/csv" });
      download(`figure${this.key}.csv`, csv);
    };
    this.confirmButton = button("confirm", "Confirm");
    this.confirmButton.onclick = () => this.confirm();
    this.confirmation = el("span", {
      class: "confirmation",
      "data-testid": "figure-confirmation",
      hidden: true,
    });
    /** Runs that were repeated to confirm them. */
    this.repeated = 0;
    /** @type {(() => void) | null} while they are repeated */
    this.stopConfirming = null;
    this.publishedButton = button("show-published", "Show published results");
    this.publishedButton.onclick = () => this.showPublished();
    this.source = el("p", { class: "lead", "data-testid": "figure-source" });
    this.status = el("span", { "data-testid": "figure-status" });
    this.spoken = el("span", { class: "visually-hidden", "aria-live": "polite" });
    this.progress = el("progress", { "aria-label": "Runs done", "data-testid": "figure-progress" });
    this.problems = el("div", { class: "field-error", role: "alert", hidden: true });
    this.shown = el("div", { class: "figure-cards" });
    this.root = el(
      "div",
      { class: "figure-view", "data-testid": "figure" },
      el(
        "section",
        { class: "card", "aria-label": `Runs by ${method.text}` },
        el(
          "div",
          { class: "figure-controls" },
          el(
            "fieldset",
            {},
            el("legend", {}, "Data"),
            ...about.datasets.map((dataset, k) =>
              el("label", {}, this.boxes[k], ` ${this.title(dataset)} `, this.notes[k]),
            ),
          ),
          el("label", { class: "seeds" }, el("span", {}, "Repeat with ", this.seedsShown), this.seeds),
          el(
            "div",
            { class: "actions" },
            this.runButton,
            this.restButton,
            this.cancelButton,
            this.confirmButton,
            this.publishedButton,
            this.csvButton,
          ),
        ),
        el("div", { class: "status" }, this.status, this.progress, this.confirmation, this.spoken),
        this.source,
        this.problems,
      ),
      this.shown,
    );
    this.boxes.forEach((box) => (box.checked = page.has(box.name)));
    this.enter("idle");
    this.plan();
    addEventListener("pagehide", () => this.save());
  }

  /** Restores the results saved in this browser, if there are any; a reload may have interrupted them. */
  async restore() {
    // Without a database there is nothing to restore.
    const kept = await sweeps.kept(this.key).catch(() => null);
    if (kept?.plan?.engine !== this.engine.version) return false;
    const { datasets, seeds } = kept.plan;
    try {
      this.prepare(datasets, seeds);
      for (const [run, result] of kept.results) this.record(run, result);
    } catch {
      // Written by another build: ignored.
      this.results = [];
      this.shown.replaceChildren();
      return false;
    }
    this.boxes.forEach((box) => (box.checked = datasets.includes(box.name)));
    this.seeds.value = String(seeds);
    this.plan();
    this.id = kept.sweep;
    this.kept = kept.plan;
    this.end("kept");
    return true;
  }

  /** Shows the results that come with the page. */
  showPublished() {
    const { published } = this;
    if (!published) return;
    this.id = "";
    this.kept = null;
    this.prepare([...published.results.keys()], published.seeds, true);
    for (const run of this.runs.keys()) {
      const result = this.publishedRun(run);
      if (result) this.record(run, result);
    }
    this.problems.hidden = this.confirmation.hidden = true;
    delete this.root.dataset.digest;
    this.enter("idle");
    this.plan();
    this.refreshCards();
    for (const card of this.cards.values()) card.end();
  }

  /** The verdicts of the results that are shown. */
  claims() {
    const published = this.showsPublished && this.published;
    return published ? published.claims : (this.sweep?.claims() ?? []);
  }

  /** Where the results that are shown come from, in a few words. */
  origin() {
    if (this.showsPublished && this.published) return `published, ${this.published.seeds} seeds`;
    const seeds = new Set(this.runs.map(({ spec }) => spec.seed)).size;
    if (seeds === 0) return "not run";
    return seeds === 1 ? "computed here, 1 seed" : `computed here, ${seeds} seeds`;
  }

  /** What is drawn behind the results that are shown. */
  get comparison() {
    return this.showsPublished ? null : this.reference;
  }

  /** The published results as a sweep. */
  publishedSweep() {
    const { published, about, method, extras } = this;
    if (!published) return null;
    const sweep = new extras.Sweep(about.number, method.word, [...published.results.keys()], published.seeds);
    [...published.results.values()].flat().forEach((result, run) => sweep.add(run, result));
    return sweep;
  }

  /**
   * The published result of a run. The plan for fewer seeds is a prefix of the published one.
   * @param {number} run
   */
  publishedRun(run) {
    const dataset = this.runs[run]?.dataset ?? "";
    const first = this.runs.findIndex((planned) => planned.dataset === dataset);
    return this.published?.results.get(dataset)?.[run - first];
  }

  /**
   * Applies the choice in a link: names of data sets, number of seeds. An absent key changes nothing.
   * @param {{datasets: string, seeds: string}} route
   */
  open({ datasets, seeds }) {
    const wanted = datasets.split(",");
    if (!this.pool && this.about.datasets.some((name) => wanted.includes(name))) {
      for (const box of this.boxes) box.checked = wanted.includes(box.name);
      // The slider clamps to its range.
      if (/^\d+$/.test(seeds)) this.seeds.value = seeds;
    }
    this.plan();
  }

  /**
   * Creates an empty sweep and its cards.
   * @param {string[]} datasets
   * @param {number} seeds
   * @param {boolean} [published] will it hold the published results?
   */
  prepare(datasets, seeds, published = false) {
    this.sweep?.free();
    this.sweep = new this.extras.Sweep(this.about.number, this.method.word, datasets, seeds);
    this.runs = this.sweep.runs();
    this.results = this.runs.map(() => undefined);
    this.showsPublished = published;
    if (!published) this.reference ??= this.publishedSweep();
    if (this.comparison) this.sweep.compare_with(this.comparison);
    this.shown.replaceChildren(...datasets.map((dataset) => this.card(dataset).root));
    this.stale = new Set(datasets);
  }

  /** Saves new results in the browser. */
  save() {
    const [id, fresh] = [this.id, this.unsaved.splice(0)];
    // Of this sweep: another one may begin before they are saved.
    const { kept, results } = this;
    if (fresh.length === 0 || !kept) return;
    this.keep(() => sweeps.add(this.key, id, kept, fresh, () => this.measured(results)));
  }

  /** @returns {[number, Measured][]} */
  measured(results = this.results) {
    return results.flatMap((result, run) => (isMeasured(result) ? [[run, result]] : []));
  }

  /** @param {() => Promise<unknown>} work */
  keep(work) {
    this.saving = this.saving.then(work).catch((problem) => {
      if (this.id)
        this.complain(
          `These runs could not be saved and will be lost on reload: ${problem.message ?? problem}.`,
        );
      // Reported once.
      this.id = "";
    });
  }

  /** @param {string} dataset */
  title(dataset) {
    const published = this.engine.published.find(({ name }) => name === dataset);
    return published?.title.split(": ")[0] ?? dataset;
  }

  /** @param {"idle" | "running" | "confirming" | "done" | "cancelled" | "failed" | "kept"} state */
  enter(state) {
    const running = state === "running" || state === "confirming";
    this.root.dataset.state = state;
    this.runButton.hidden = running;
    this.cancelButton.hidden = this.progress.hidden = !running;
    const missing = this.missing().length;
    this.restButton.hidden = running || missing === 0 || missing === this.results.length;
    this.confirmButton.hidden = running || this.showsPublished || missing > 0 || this.results.length === 0;
    this.publishedButton.hidden = running || !this.published || this.showsPublished;
    this.csvButton.hidden = !this.results.some(isMeasured);
    this.showSource();
    this.seeds.disabled = running;
    this.updateChoice();
  }

  /** Where the shown results come from, and whether recomputed ones equal the published ones. */
  showSource() {
    const { published, sweep } = this;
    if (!published) return;
    const origin = `engine ${published.engine}, computed on ${published.date}`;
    this.source.textContent = this.showsPublished
      ? `Published results: ${published.seeds} seeds, ${origin} · digest ${sweep?.digest()}`
      : compareDigests(
          this.results.map((result, run) => [result, this.publishedRun(run)]),
          origin,
        );
  }

  /** Updates which data sets can be chosen. */
  updateChoice() {
    this.boxes.forEach((box, k) => {
      const available = this.page.has(box.name);
      box.disabled = !available || this.pool !== null;
      if (!available) box.checked = false;
      const note = this.notes[k];
      if (note) note.textContent = available ? "" : "not in this build: open its files in the Lab";
    });
  }

  /** Shows how many runs the choice needs. */
  plan() {
    const count = Number(this.seeds.value);
    this.seedsShown.textContent = count === 1 ? "1 seed" : `${count} seeds`;
    this.updateChoice();
    const datasets = this.chosen();
    this.runButton.disabled = datasets.length === 0;
    if (this.pool || this.root.dataset.state !== "idle") return;
    const sweep = new this.extras.Sweep(this.about.number, this.method.word, datasets, count);
    const runs = sweep.runs().length;
    sweep.free();
    const cost = `${runs} runs on ${this.workers(runs)}.`;
    this.status.textContent =
      runs === 0 ? "Choose a data set." : this.showsPublished ? `To recompute: ${cost}` : cost;
  }

  chosen() {
    return this.boxes.filter(({ checked }) => checked).map(({ name }) => name);
  }

  /** Indices of the runs without a result. */
  missing() {
    return [...this.results.keys()].filter((k) => !isMeasured(this.results[k]));
  }

  /** @param {number} runs */
  workers(runs) {
    const workers = Math.min(WORKERS, runs);
    return workers === 1 ? "1 worker" : `${workers} workers`;
  }

  /** @param {boolean} rest only the runs without a result */
  async run(rest = false) {
    const pool = new Pool(this.engine.module, WORKERS);
    this.pool = pool;
    if (!rest) this.begin();
    const missing = this.missing();
    for (const run of missing) this.results[run] = undefined;
    this.problems.hidden = true;
    this.problems.replaceChildren();
    this.before = this.results.length - missing.length;
    delete this.root.dataset.digest;
    this.confirmation.hidden = true;
    this.start = this.spokenAt = performance.now();
    this.enter("running");
    this.cancelButton.focus();
    this.timer = setInterval(() => this.refresh(), PACE.draw);
    this.saver = setInterval(() => this.save(), PACE.save);
    this.refresh();
    try {
      const jobs = await this.jobs(missing);
      await pool.run(
        jobs,
        (job, measured) => this.record(missing[job], measured),
        (job, problem) => this.record(missing[job], problem),
      );
      this.save();
      // Done means that the page may be left.
      await this.saving;
      if (this.pool === pool) this.end("done");
    } catch (problem) {
      if (this.pool !== pool) return;
      this.complain(/** @type {Problem} */ (problem).message);
      this.end("failed");
    }
  }

  /** Runs with their data. @param {number[]} runs their numbers */
  async jobs(runs) {
    const datasets = [...new Set(this.runs.map(({ dataset }) => dataset))];
    const sources = new Map(
      await Promise.all(
        datasets.map(async (name) => /** @type {const} */ ([name, await this.page.source(name)])),
      ),
    );
    return runs.map((run) => {
      const { spec, dataset } = /** @type {Planned} */ (this.runs[run]);
      const source = sources.get(dataset);
      if (!source) throw { message: `${dataset} was not loaded` };
      return { spec, source };
    });
  }

  /** Repeats all runs. Of one that differs, the result is what two of three runs agree on. */
  async confirm() {
    const pool = (this.pool = new Pool(this.engine.module, WORKERS));
    const before = /** @type {"done" | "kept"} */ (this.root.dataset.state);
    this.stopConfirming = () => {
      this.confirmation.hidden = true;
      this.end(before);
    };
    const [runs, digests] = [[...this.results.keys()], this.measured().map(([, { digest }]) => digest)];
    this.repeated = 0;
    this.setConfirmation("confirming", "confirming: repeating all runs");
    this.enter("confirming");
    this.cancelButton.focus();
    this.timer = setInterval(() => this.refresh(), PACE.draw);
    /** @type {Awaited<ReturnType<typeof confirmRuns>>} */
    let differing = [];
    try {
      differing = await confirmRuns(pool, await this.jobs(runs), digests, () => this.repeated++);
      if (this.pool !== pool) return;
      const undecided = differing.filter(({ agreed }) => agreed === null).length;
      if (differing.length === 0) this.setConfirmation("confirmed", "confirmed: same digest");
      else {
        const text = `differs: ${differing.length} of ${runs.length} runs gave another digest`;
        this.setConfirmation(
          "differs",
          `${text}; ${undecided ? `${undecided} remain undecided` : "two of three runs agree on each result shown"}`,
        );
      }
    } catch (problem) {
      if (this.pool !== pool) return;
      this.complain(/** @type {Problem} */ (problem).message);
      this.setConfirmation("computed", "computed, not confirmed");
    }
    this.replace(differing);
    this.end(before);
  }

  /** @param {import("../engine/types.js").Confirmation["state"]} state @param {string} text */
  setConfirmation(state, text) {
    this.confirmation.hidden = false;
    this.confirmation.dataset.state = state;
    this.confirmation.textContent = text;
  }

  /** Corrects results of the sweep. @param {{job: number, agreed: Measured | null}[]} corrections */
  replace(corrections) {
    const wrong = corrections.filter(({ job, agreed }) => {
      const result = this.results[job];
      return agreed && isMeasured(result) && agreed.digest !== result.digest;
    });
    if (wrong.length === 0) return;
    const results = new Map(this.measured());
    for (const { job, agreed } of wrong) if (agreed) results.set(job, agreed);
    const { datasets, seeds } = this.kept ?? { datasets: [], seeds: 0 };
    this.prepare(datasets, seeds);
    this.id = unique();
    for (const [run, result] of results) this.record(run, result);
  }

  /** Starts a new sweep of the chosen data sets. */
  begin() {
    const [datasets, seeds] = [this.chosen(), Number(this.seeds.value)];
    this.prepare(datasets, seeds);
    this.id = unique();
    this.kept = { engine: this.engine.version, datasets, seeds };
    this.unsaved = [];
  }

  /** @param {number | undefined} run @param {Measured | Problem} result */
  record(run, result) {
    const planned = run === undefined ? undefined : this.runs[run];
    if (run === undefined || !planned) return;
    this.results[run] = result;
    if (isMeasured(result)) {
      this.sweep?.add(run, result);
      if (this.id) this.unsaved.push([run, result]);
    } else {
      this.complain(`${runTitle(planned)} failed: ${result.message}`);
      // A damaged download, perhaps a cached one.
      if (["data", "offset"].includes(result.code)) this.page.distrust(planned.dataset);
    }
    this.stale.add(planned.dataset);
  }

  /** @param {string} text */
  complain(text) {
    this.problems.hidden = false;
    if (this.problems.childElementCount < 5) this.problems.append(el("p", {}, text));
  }

  /** @param {"done" | "cancelled" | "failed" | "kept"} state */
  end(state) {
    const focused = document.activeElement === this.cancelButton;
    if (this.root.dataset.state === "running") this.seconds = (performance.now() - this.start) / 1000;
    this.stopConfirming = null;
    this.pool?.close();
    this.pool = null;
    clearInterval(this.timer);
    clearInterval(this.saver);
    this.save();
    this.enter(state);
    if (focused) this.runButton.focus();
    this.refresh();
    this.spoken.textContent = this.status.textContent;
    const complete = state === "done" || this.missing().length === 0;
    if (complete && this.sweep) this.root.dataset.digest = this.sweep.digest();
    for (const card of this.cards.values()) card.end();
  }

  /** Updates status, progress and the charts with new results. */
  refresh() {
    const done = this.results.filter(Boolean).length;
    const all = this.results.length;
    const seconds = this.pool ? (performance.now() - this.start) / 1000 : this.seconds;
    const pace = seconds / (done - this.before);
    const left = Number.isFinite(pace) ? ` · about ${duration(pace * (all - done))} left` : "";
    const count = `${done} of ${all} runs`;
    this.status.textContent =
      {
        confirming: `${this.repeated} of ${all} runs repeated · ${this.workers(all)}`,
        running: `${count} · ${seconds.toFixed(1)} s${left} · ${this.workers(all)}`,
        done: `Done: ${all} runs in ${duration(seconds)} on ${this.workers(all)} · digest ${this.sweep?.digest()}`,
        kept:
          done === all
            ? `Saved results: ${all} runs, not recomputed · digest ${this.sweep?.digest()}`
            : `Interrupted after ${count}. Finished runs are kept.`,
        cancelled: `Cancelled after ${count}, ${duration(seconds)}.${done > 0 ? " Finished runs are kept." : ""}`,
      }[this.root.dataset.state ?? ""] ?? `Incomplete: ${count}.`;
    this.progress.max = Math.max(all, 1);
    this.progress.value = this.root.dataset.state === "confirming" ? this.repeated : done;
    if (this.pool && performance.now() - this.spokenAt > 5000) {
      this.spokenAt = performance.now();
      this.spoken.textContent = count;
    }
    this.refreshCards();
  }

  refreshCards() {
    if (this.stale.size > 0) this.onResults();
    for (const dataset of this.stale) this.cards.get(dataset)?.refresh();
    this.stale.clear();
  }

  /** @param {string} dataset */
  card(dataset) {
    const card = this.cards.get(dataset) ?? new DatasetCard(this, dataset);
    this.cards.set(dataset, card);
    return card;
  }
}
