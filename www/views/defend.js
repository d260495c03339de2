/**
 * Defences: what each one prevents against the attacker of a specification and against those who know it,
 * and what it costs. Here: the choice of the study, its progress and its sentences; pictures and tables are
 * in defend_cards.js.
 */

import "../style/figures.css";
import "../style/defend.css";
import { unique } from "../core/database.js";
import { splitLabLink, viewAddress } from "../core/route.js";
import * as sweeps from "../core/sweeps.js";
import { duration, errorMessage } from "../core/words.js";
import { loadExtras } from "../engine/extras.js";
import { Pool, WORKERS } from "../engine/pool.js";
import { download, el, onSinglePress } from "../ui/dom.js";
import { readable } from "../ui/text.js";
import { CapCard, FilterCard, JobList, RankingCard } from "./defend_cards.js";
import { compareDigests, loadPublishedStudies } from "./published.js";
import { tasksText } from "./report.js";

/** @import { Route } from "../core/route.js" */
/** @import { Engine } from "../engine/engine.js" */
/** @import { Extras } from "../engine/extras.js" */
/** @import { Complete, DefenceJob, DefenceStudy, JobResult, Problem } from "../engine/types.js" */
/** @import { PageContext as Data } from "./compare.js" */
/** @import { PageContext as Sets } from "./figures.js" */
/** @import { PublishedStudy } from "./published.js" */

/** @typedef {Data & Sets} PageContext */
/** @typedef {DefendView} View */
/**
 * A study: its specification, jobs and what is there of them, and where that comes from.
 * @typedef {{
 *   complete: Complete, sweep: InstanceType<Extras["DefenceSweep"]>, jobs: DefenceJob[],
 *   results: (JobResult | Problem | undefined)[], published: PublishedStudy | null, id: string,
 *   isPublished: boolean,
 * }} Study
 * `isPublished`: the results are the published ones, not those of this browser.
 */

/** What an address without settings shows. */
const START = { dataset: "sarcos", attack: "indirect" };
/** Fields that the description of the attack has anyway. */
const SAID = ["version", "dataset", "attack", "targets", "attackers", "budget"];
/** A study of these takes minutes: it does not start by itself. */
const LONG = ["mnist"];
/** Milliseconds between two updates of the time that is shown. */
const PACE = 250;

/** @param {JobResult | Problem | undefined} result @returns {result is JobResult} */
export const isDone = (result) => result !== undefined && "digest" in result;

/**
 * Loads what the view needs, then the view.
 * @param {Engine} engine
 * @param {PageContext} page
 */
export async function openDefend(engine, page) {
  return new DefendView(engine, await loadExtras(), page);
}

class DefendView {
  /**
   * @param {Engine} engine
   * @param {Extras} extras
   * @param {PageContext} page
   */
  constructor(engine, extras, page) {
    this.engine = engine;
    this.extras = extras;
    this.page = page;
    /** @type {Study | null} */
    this.study = null;
    /** Studies of this session, by link. @type {Map<string, Study>} */
    this.studies = new Map();
    /** @type {Pool | null} while it runs */
    this.pool = null;
    this.start = this.seconds = 0;
    /** Jobs that were done before the current run. */
    this.before = 0;
    this.timer = 0;
    /** The saves of results. */
    this.saving = /** @type {Promise<unknown>} */ (Promise.resolve());
    /** What the engine made of the results. @type {DefenceStudy | undefined} */
    this.found = undefined;

    const button = (/** @type {string} */ id, /** @type {string} */ text, kind = "") =>
      el("button", { type: "button", class: kind, "data-testid": `defend-${id}` }, text);
    this.runButton = button("run", "Recompute here", "primary");
    this.runButton.onclick = () => this.run();
    this.restButton = button("continue", "Continue");
    this.restButton.onclick = () => this.run(true);
    this.cancelButton = button("cancel", "Cancel", "danger");
    this.cancelButton.onclick = onSinglePress(() => this.end("cancelled"));
    this.publishedButton = button("show-published", "Show published results");
    this.publishedButton.onclick = () => this.study && this.showPublished(this.study);
    const item = (/** @type {string} */ id, /** @type {string} */ text, /** @type {() => void} */ save) => {
      const made = button(id, text);
      made.onclick = save;
      return made;
    };
    this.menu = el(
      "details",
      { class: "menu", name: "menu", "data-testid": "defend-menu" },
      el("summary", {}, "Save"),
      el(
        "div",
        {},
        item("csv", "Defences (CSV)", () => this.save("defence.csv", this.study?.sweep.csv())),
        item("rankings-csv", "Rankings (CSV)", () =>
          this.save("rankings.csv", this.study?.sweep.rankings_csv()),
        ),
        item("json", "Study (JSON)", () => this.save("defence.json", json(this.found))),
      ),
    );
    this.data = this.choice("data", "Data", ["synthetic", ...engine.published.map(({ name }) => name)]);
    this.attack = this.choice("attack", "Attack", ["indirect", "direct", "hybrid"]);
    this.about = el("p", { class: "lead", "data-testid": "defend-about" });
    this.verdict = el("p", { class: "verdict", "data-testid": "defend-verdict", "aria-live": "polite" });
    this.findings = el("ul", { class: "findings", "data-testid": "defend-findings" });
    this.source = el("p", { class: "lead", "data-testid": "defend-source" });
    this.status = el("span", { "data-testid": "defend-status" });
    this.spoken = el("span", { class: "visually-hidden", "aria-live": "polite" });
    this.progress = el("progress", { "aria-label": "Jobs done", "data-testid": "defend-progress" });
    this.problems = el("div", {
      class: "field-error",
      role: "alert",
      hidden: true,
      "data-testid": "defend-problems",
    });
    this.caps = new CapCard(this);
    this.filters = new FilterCard(this);
    this.rankings = new RankingCard(this);
    this.list = new JobList(this);
    this.cards = [this.caps, this.filters, this.rankings, this.list];
    this.more = el(
      "section",
      { class: "card", "aria-labelledby": "defend-more" },
      el("h2", { id: "defend-more" }, "What else the numbers say"),
      this.findings,
    );
    const [caps, filters, rankings, list] = this.cards.map(({ root }) => root);
    this.shown = el("div", { class: "figure-cards" }, caps, filters, rankings, this.more, list);
    this.root = el(
      "div",
      { class: "figure-view defend", "data-testid": "defend" },
      el(
        "section",
        { class: "card", "aria-labelledby": "defend-title" },
        el(
          "div",
          { class: "card-head" },
          el("h2", { id: "defend-title", tabindex: -1 }, "Which defences hold?"),
          this.menu,
        ),
        this.verdict,
        this.about,
        el(
          "div",
          { class: "figure-controls" },
          this.data.box,
          this.attack.box,
          el(
            "div",
            { class: "actions" },
            this.runButton,
            this.restButton,
            this.cancelButton,
            this.publishedButton,
          ),
        ),
        el("div", { class: "status" }, this.status, this.progress, this.spoken),
        this.source,
        this.problems,
      ),
      this.shown,
    );
    this.enter("idle");
  }

  /**
   * A row of buttons that opens another study.
   * @param {"data" | "attack"} name
   * @param {string} title
   * @param {string[]} values
   */
  choice(name, title, values) {
    const inputs = values.map((value) =>
      el("input", {
        type: "radio",
        name: `defend-${name}`,
        id: `defend-${name}-${value}`,
        "data-testid": `defend-${name}-${value}`,
        value,
        onchange: () => this.choose(),
      }),
    );
    const text = (/** @type {string} */ value) => (name === "data" ? this.title(value) : value);
    const box = el(
      "fieldset",
      {},
      el("legend", {}, title),
      el(
        "div",
        { class: "segments" },
        ...inputs.flatMap((input) => [input, el("label", { for: input.id }, text(input.value))]),
      ),
    );
    return { inputs, box };
  }

  /** @param {string} dataset */
  title(dataset) {
    const published = this.engine.published.find(({ name }) => name === dataset);
    return (
      published?.title.split(": ")[0] ?? readable(dataset).replace(/^./, (letter) => letter.toUpperCase())
    );
  }

  /** Opens the study of the chosen data and attack. */
  choose() {
    const value = (/** @type {HTMLInputElement[]} */ inputs) => inputs.find(({ checked }) => checked)?.value;
    // Of a user's file the data stay.
    const dataset = value(this.data.inputs) ?? this.study?.complete.differences["dataset"];
    const draft = { dataset, attack: value(this.attack.inputs) ?? START.attack };
    const complete = this.engine.complete(draft, this.page.shape(draft.dataset));
    if (!("errors" in complete)) location.hash = viewAddress("defend", complete.link);
  }

  /** Shows the study of the specification in a link. @param {Pick<Route, "lab">} route */
  async open({ lab }) {
    const read = this.engine.readLink(splitLabLink(lab).spec);
    if ("errors" in read) return this.refuse(read.errors);
    const draft = lab ? read.draft : START;
    const complete = this.engine.complete(draft, this.page.shape(draft["dataset"]));
    if ("errors" in complete) return this.refuse(complete.errors);
    if (this.study?.complete.link === complete.link) return;
    this.end("cancelled");
    this.problems.hidden = true;
    this.problems.replaceChildren();
    if (!lab) history.replaceState(null, "", viewAddress("defend", complete.link));
    const known = this.studies.get(complete.link);
    if (known) return this.arrive(known);
    /** @type {Study} */
    let study;
    try {
      const sweep = new this.extras.DefenceSweep(complete.spec, complete.shape);
      const jobs = sweep.jobs();
      const results = jobs.map(() => undefined);
      study = { complete, sweep, jobs, results, published: null, id: "", isPublished: false };
    } catch (error) {
      return this.refuse([/** @type {Problem} */ (error)]);
    }
    this.studies.set(complete.link, study);
    this.study = study;
    this.render();
    const [kept, published] = await Promise.all([this.kept(study), this.publishedOf(study)]);
    study.published = published;
    // Another one was opened meanwhile.
    if (this.study !== study) return;
    if (kept || !published) this.arrive(study);
    else this.showPublished(study);
  }

  /** Shows a study that was left, or that nothing is known of yet, and does what is left of it. @param {Study} study */
  arrive(study) {
    this.show(study, study.isPublished || study.results.every((result) => !result) ? "idle" : "kept");
    if (this.missing().length === 0) return;
    if (!this.isThere())
      return this.complain(`${this.dataName()} are not in this build: open them in the Lab`);
    if (!LONG.includes(this.dataName())) this.run(true);
  }

  /** What is wrong with the link. @param {Problem[]} problems */
  refuse(problems) {
    this.end("cancelled");
    this.study = null;
    this.problems.replaceChildren();
    this.status.textContent = "";
    for (const { message } of problems) this.complain(message);
    this.render();
  }

  /** What the study is about. @param {Study} study */
  showChoice({ complete: { spec, differences } }) {
    const { dataset, attack } = spec;
    const names = this.found?.task_names;
    for (const input of this.data.inputs) input.checked = input.value === dataset;
    for (const input of this.attack.inputs) input.checked = input.value === attack;
    const other = this.engine.fields.filter(({ name }) => name in differences && !SAID.includes(name));
    const values = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (spec));
    const more = other.map(({ name, title }) => `${title} ${readable(String(values[name]))}`).join(", ");
    const where = attack === "direct" ? "" : ` through ${tasksText(spec.attackers, names)}`;
    const budget = `${Math.round(1000 * spec.budget) / 10}\u00a0%`;
    this.about.textContent =
      `${typeof dataset === "string" ? this.title(dataset) : dataset.name}, ${attack} attack on ` +
      `${tasksText(spec.targets, names)}${where}, budget ${budget}${more ? `; ${more}` : ""}.`;
  }

  dataName() {
    const dataset = this.study?.complete.spec.dataset ?? "";
    return typeof dataset === "string" ? dataset : dataset.name;
  }

  /** Can the study be computed here? */
  isThere() {
    const dataset = this.study?.complete.spec.dataset;
    return dataset !== undefined && (typeof dataset !== "string" || this.page.has(dataset));
  }

  /** Takes what this browser kept of a study; a reload may have interrupted it. @param {Study} study */
  async kept(study) {
    // Without a database nothing is kept.
    const kept = await sweeps.kept("defend").catch(() => null);
    const { engine, link } = kept?.plan ?? {};
    if (!kept || engine !== this.engine.version || link !== study.complete.link) return false;
    try {
      for (const [job, result] of kept.results) this.take(study, job, result);
    } catch {
      // Written by another build: ignored.
      study.results.fill(undefined);
      return false;
    }
    study.id = kept.sweep;
    return true;
  }

  /** The published results of a study, if there are any. @param {Study} study */
  async publishedOf(study) {
    const { dataset } = study.complete.spec;
    if (typeof dataset !== "string") return null;
    // Offline, or none of this data set: there is nothing to show at once.
    const all = await loadPublishedStudies(dataset).catch(() => []);
    const ids = study.jobs.length;
    return all.find(({ link, results }) => link === study.jobs[0]?.link && results.length === ids) ?? null;
  }

  /** Shows the results that come with the page. @param {Study} study */
  showPublished(study) {
    const { published } = study;
    if (!published) return;
    const sweep = new this.extras.DefenceSweep(study.complete.spec, study.complete.shape);
    try {
      published.results.forEach((result, job) => sweep.add(job, result));
    } catch (error) {
      sweep.free();
      return this.complain(errorMessage(error));
    }
    study.sweep.free();
    Object.assign(study, { sweep, results: [...published.results], id: "", isPublished: true });
    this.show(study, "idle");
  }

  /** @param {Study} study @param {"idle" | "kept"} state */
  show(study, state) {
    this.study = study;
    this.seconds = 0;
    this.enter(state);
    this.render();
  }

  /** @param {Study} study @param {number} job @param {JobResult} result */
  take(study, job, result) {
    study.sweep.add(job, result);
    study.results[job] = result;
  }

  /** Numbers of the jobs without a result. */
  missing() {
    const { results = [] } = this.study ?? {};
    return [...results.keys()].filter((job) => !isDone(results[job]));
  }

  /** @param {boolean} rest only the jobs without a result */
  async run(rest = false) {
    const { study } = this;
    if (!study || this.pool) return;
    const pool = new Pool(this.engine.module, Math.min(WORKERS, study.jobs.length));
    this.pool = pool;
    if (!rest || study.isPublished) {
      study.sweep.free();
      study.sweep = new this.extras.DefenceSweep(study.complete.spec, study.complete.shape);
      study.results.fill(undefined);
      study.id = "";
    }
    study.id ||= unique();
    study.isPublished = false;
    this.problems.hidden = true;
    this.problems.replaceChildren();
    const missing = this.missing();
    for (const job of missing) study.results[job] = undefined;
    this.before = study.jobs.length - missing.length;
    this.start = performance.now();
    this.enter("running");
    this.timer = setInterval(() => this.showStatus(), PACE);
    this.render();
    const { spec } = study.complete;
    try {
      const source = await this.page.sourceFor(spec);
      if (this.pool !== pool) return;
      await pool.run(
        missing.map((number) => ({ spec, source, number })),
        (job, /** @type {JobResult} */ result) => this.record(study, missing[job] ?? 0, result),
        (job, problem) => this.record(study, missing[job] ?? 0, problem),
        (solver, job) => solver.defend(job.spec, job.source, job.number),
      );
      // Done means that the page may be left.
      await this.saving;
      if (this.pool === pool) this.end("done");
    } catch (problem) {
      if (this.pool !== pool) return;
      this.complain(errorMessage(problem));
      this.end("failed");
    }
  }

  /** @param {Study} study @param {number} job @param {JobResult | Problem} result */
  record(study, job, result) {
    if (isDone(result)) {
      this.take(study, job, result);
      const plan = { engine: this.engine.version, link: study.complete.link };
      const all = () =>
        study.results.flatMap((found, k) =>
          isDone(found) ? [/** @type {[number, JobResult]} */ ([k, found])] : [],
        );
      // Without a database the results are lost on reload, as the status of a reload says.
      const saved = sweeps.add("defend", study.id, plan, [[job, result]], all).catch(() => {});
      this.saving = Promise.all([this.saving, saved]);
    } else {
      study.results[job] = result;
      this.complain(`${study.jobs[job]?.title} failed: ${result.message}`);
      // A damaged download, perhaps a cached one.
      const { dataset } = study.complete.spec;
      if (typeof dataset === "string" && ["data", "offset"].includes(result.code))
        this.page.distrust(dataset);
    }
    if (this.study === study) this.render();
  }

  /** @param {string} text */
  complain(text) {
    this.problems.hidden = false;
    if (this.problems.childElementCount < 5) this.problems.append(el("p", {}, text));
  }

  /** Ends the run, if there is one. @param {"done" | "cancelled" | "failed"} state */
  end(state) {
    if (!this.pool) return;
    const focused = document.activeElement === this.cancelButton;
    this.seconds = (performance.now() - this.start) / 1000;
    this.pool.close();
    this.pool = null;
    clearInterval(this.timer);
    this.enter(state);
    if (focused) (this.restButton.hidden ? this.runButton : this.restButton).focus();
    this.render();
    this.spoken.textContent = this.status.textContent;
  }

  /** @param {"idle" | "running" | "done" | "cancelled" | "failed" | "kept"} state */
  enter(state) {
    this.root.dataset.state = state;
    const running = state === "running";
    const missing = this.missing().length;
    const all = this.study?.jobs.length ?? 0;
    this.runButton.hidden = running;
    this.runButton.disabled = !this.study || !this.isThere();
    this.runButton.textContent = missing < all ? "Recompute here" : "Compute here";
    this.cancelButton.hidden = this.progress.hidden = !running;
    this.restButton.hidden = running || missing === 0 || missing === all;
    this.publishedButton.hidden = running || !this.study?.published || this.study.isPublished;
  }

  /** Shows what there is of the study. */
  render() {
    const { study } = this;
    const found = (this.found = study?.sweep.study());
    if (study) this.showChoice(study);
    const isWhole = found !== undefined && found.done === found.jobs;
    // A verdict before the attackers who know a defence have tried it would be no verdict.
    this.verdict.textContent = isWhole
      ? found.verdict
      : this.pool
        ? "Trying every defence, against attackers who know it, too …"
        : study
          ? "There is no verdict before every attacker has tried."
          : "";
    this.more.hidden = !isWhole;
    this.findings.replaceChildren(...(isWhole ? found.findings : []).map((text) => el("li", {}, text)));
    this.shown.hidden = !found;
    this.menu.hidden = !found;
    if (isWhole) this.root.dataset.digest = found.digest;
    else delete this.root.dataset.digest;
    if (found) for (const card of this.cards) card.show(found);
    this.showStatus();
    this.showSource();
  }

  /** Where the results come from, and whether recomputed ones equal the published ones. */
  showSource() {
    const { study, found } = this;
    const origin =
      study?.published && `engine ${study.published.engine}, computed on ${study.published.date}`;
    this.source.textContent = !origin
      ? ""
      : study.isPublished
        ? `Published results: ${origin} · digest ${found?.digest}`
        : compareDigests(
            study.results.map((result, job) => [result, study.published?.results[job]]),
            origin,
          );
  }

  showStatus() {
    const { study, found } = this;
    if (!study) return;
    const [all, done] = [study.jobs.length, study.jobs.length - this.missing().length];
    const seconds = this.pool ? (performance.now() - this.start) / 1000 : this.seconds;
    const pace = seconds / (done - this.before);
    const left = Number.isFinite(pace) ? ` · about ${duration(pace * (all - done))} left` : "";
    const count = `${done} of ${all} jobs`;
    const state = this.root.dataset.state ?? "";
    this.status.textContent =
      {
        running: `${count} · ${seconds.toFixed(1)} s${left}`,
        done:
          done === all ? `Done: ${all} jobs in ${duration(seconds)} · digest ${found?.digest}` : undefined,
        kept:
          done === all ? `Saved results: ${all} jobs, not recomputed · digest ${found?.digest}` : undefined,
        idle: study.isPublished || !this.isThere() ? "" : `${all} jobs.`,
        cancelled: done < all ? `Cancelled after ${count}. Finished jobs are kept.` : undefined,
      }[state] ?? `Incomplete: ${count}.`;
    this.progress.max = all;
    this.progress.value = done;
  }

  /** @param {string} name @param {string | undefined} text */
  save(name, text) {
    if (text)
      download(name, new Blob([text], { type: name.endsWith("csv") ? "text/csv" : "application/json" }));
  }
}

/** @param {unknown} value */
const json = (value) => (value ? `${JSON.stringify(value, null, 2)}\n` : undefined);
