/**
 * One part of a risk study on the page: its published or kept results, and their computation in workers with
 * progress, cancel and continuation. What a part shows is in risk_contents.js.
 */

import { unique } from "../core/database.js";
import * as sweeps from "../core/sweeps.js";
import { duration, errorMessage } from "../core/words.js";
import { Pool, WORKERS } from "../engine/pool.js";
import { onLookChange, resize, style } from "../ui/charts.js";
import { download, el, onSinglePress } from "../ui/dom.js";
import { compareDigests } from "./published.js";

/** @import { Extras } from "../engine/extras.js" */
/** @import { Found } from "../engine/types.js" */
/** @import { Content } from "./risk_contents.js" */
/** @import { View } from "./risk.js" */

/** @typedef {InstanceType<Extras["RiskStudy"]>} Study */

/** Milliseconds between two redraws, and between two saves. */
const PACE = { draw: 300, save: 1000 };
/** Seconds: a computation that takes longer is not continued without asking. */
const LONG = 30;
/** Width of exported images in CSS pixels. */
const WIDTH = 1000;

export class RiskPart {
  /**
   * @param {View} view
   * @param {string} name of the part, as the engine knows it
   * @param {string} title
   * @param {Content} content
   */
  constructor(view, name, title, content) {
    this.view = view;
    this.name = name;
    this.title = title;
    this.content = content;
    /** Of this browser. @type {Study | null} */
    this.study = null;
    /** Are the published results shown? */
    this.showsPublished = false;
    /** @type {(Found | undefined)[]} */
    this.found = [];
    /** @type {Pool | null} */
    this.pool = null;
    /** The name under which results are kept. */
    this.id = "";
    /** @type {[number, Found][]} */
    this.unsaved = [];
    this.saving = /** @type {Promise<unknown>} */ (Promise.resolve());
    this.before = 0;
    this.start = 0;
    this.seconds = 0;
    this.timer = 0;
    this.saver = 0;
    this.spokenAt = 0;
    /** Are there results that were not drawn? */
    this.stale = false;
    /** Was it started by the page? Then it asks before it takes long. */
    this.auto = false;
    /** @type {(() => void) | null} when it is no longer running */
    this.onEnd = null;

    const id = (/** @type {string} */ what) => `risk-${name}-${what}`;
    const button = (/** @type {string} */ what, /** @type {string} */ text, kind = "") =>
      el("button", { type: "button", class: kind, "data-testid": id(what) }, text);
    this.runButton = button("run", "Compute");
    this.runButton.onclick = () => this.run();
    this.restButton = button("continue", "Continue");
    this.restButton.onclick = () => this.run(true);
    this.cancelButton = button("cancel", "Cancel", "danger");
    this.cancelButton.onclick = onSinglePress(() => this.end("cancelled"));
    this.publishedButton = button("published", "Show published results");
    this.publishedButton.onclick = () => this.showPublished();
    this.status = el("span", { "data-testid": id("status") });
    this.spoken = el("span", { class: "visually-hidden", "aria-live": "polite" });
    this.progress = el("progress", { "aria-label": `${title}: jobs done`, "data-testid": id("progress") });
    this.problem = el("div", { class: "field-error", role: "alert", hidden: true });
    this.findings = el("ul", { class: "findings risk-findings", "data-testid": id("findings") });
    this.tableBox = el("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": `${title}, tables`,
      "data-testid": id("tables"),
    });
    this.tables = el(
      "details",
      { ontoggle: () => this.fillTables(), "data-testid": id("disclosure") },
      el("summary", {}, "Show as table"),
      this.tableBox,
    );
    const item = (/** @type {string} */ format, /** @type {string} */ label) =>
      el("button", { type: "button", "data-testid": id(format), onclick: () => this.save(format) }, label);
    this.menu = el(
      "details",
      { class: "menu", name: "menu", "data-testid": id("menu") },
      el("summary", { "aria-label": `Save: ${title}` }, "Save"),
      el(
        "div",
        {},
        item("png", "Image (PNG)"),
        item("svg", "Image (SVG)"),
        item("csv", "Data (CSV)"),
        item("json", "Data (JSON)"),
      ),
    );
    this.root = el(
      "section",
      { class: "card risk-part", "aria-labelledby": id("title"), "data-testid": `risk-${name}` },
      el("div", { class: "card-head" }, el("h2", { id: id("title") }, title), this.menu),
      el("p", { class: "lead" }, content.lead),
      this.findings,
      ...content.nodes,
      this.tables,
      el(
        "div",
        { class: "actions risk-actions" },
        this.runButton,
        this.restButton,
        this.cancelButton,
        this.publishedButton,
        this.status,
        this.progress,
        this.spoken,
      ),
      this.problem,
    );
    onLookChange(content.box, () => this.draw());
    addEventListener("pagehide", () => this.flush());
  }

  /** The published study, if it has this part. */
  get published() {
    const { published } = this.view;
    return published?.published_digest(this.name) ? published : null;
  }

  /** The study whose results are shown. */
  get shown() {
    return this.showsPublished ? this.published : this.study;
  }

  /** Is every job of the shown results done? */
  get isComplete() {
    return this.showsPublished || (this.found.length > 0 && this.found.every(Boolean));
  }

  /** Takes the study of another specification; what was running is over. @param {Study} study */
  reset(study) {
    this.close();
    this.study = study;
    this.found = study.jobs(this.name).map(() => undefined);
    this.id = "";
    this.unsaved = [];
    this.showsPublished = false;
    this.problem.hidden = true;
  }

  /** Shows what there is: results kept in this browser, or the published ones. */
  async restore() {
    const { study } = this;
    const kept = await sweeps.kept(this.key).catch(() => null);
    if (!study || study !== this.study) return;
    if (kept && kept.plan.engine === this.view.engine.version && kept.plan.link === this.view.link) {
      try {
        for (const [job, found] of kept.results) {
          study.add(this.name, job, found);
          this.found[job] = found;
        }
        this.id = kept.sweep;
        return this.end("kept");
      } catch {
        // Written by another build: ignored.
        study.clear(this.name);
        this.found.fill(undefined);
      }
    }
    if (this.published) this.showPublished();
    else this.enter("idle");
  }

  showPublished() {
    if (!this.published) return;
    this.showsPublished = true;
    this.enter("idle");
    this.refresh();
  }

  /** Its name among the kept sweeps: one for each data set. */
  get key() {
    return `risk ${this.name} ${this.view.datasetKey}`;
  }

  /** @param {"idle" | "running" | "done" | "cancelled" | "failed" | "kept" | "paused"} state */
  enter(state) {
    const running = state === "running";
    this.root.dataset.state = state;
    const missing = this.found.filter((found) => !found).length;
    const begun = missing > 0 && missing < this.found.length && !this.showsPublished;
    this.runButton.hidden = running;
    this.runButton.textContent = this.published ? "Recompute here" : begun ? "Start again" : "Compute";
    this.restButton.hidden = running || !begun;
    this.restButton.classList.toggle("primary", begun);
    this.cancelButton.hidden = this.progress.hidden = !running;
    this.publishedButton.hidden = running || !this.published || this.showsPublished;
    this.menu.hidden = !this.isComplete;
    this.runButton.disabled = this.restButton.disabled = !this.view.canRun;
    this.showStatus();
  }

  showStatus() {
    const all = this.found.length;
    const done = this.found.filter(Boolean).length;
    const seconds = this.pool ? (performance.now() - this.start) / 1000 : this.seconds;
    const workers = WORKERS === 1 ? "1 worker" : `${WORKERS} workers`;
    const { state } = this.root.dataset;
    const left = this.left(done);
    const count = `${done} of ${all} ${this.content.unit}`;
    const { published } = this;
    if (this.showsPublished && published) {
      const digest = published.published_digest(this.name);
      this.status.textContent = `Published results: ${published.origin()} · digest ${digest}`;
      this.root.dataset.digest = digest ?? "";
      return;
    }
    const digest = (done === all && this.study?.digest(this.name)) || "";
    this.root.dataset.digest = digest;
    const verdict =
      digest && published
        ? ` ${compareDigests([[{ digest }, { digest: published.published_digest(this.name) ?? "" }]], published.origin())}`
        : "";
    const about = Number.isFinite(left) ? `about ${longTime(left)}` : "";
    this.status.textContent =
      {
        idle: `${all} ${this.content.unit} to compute.`,
        running: `${count} · ${seconds.toFixed(1)} s${about && ` · ${about} left`} · ${workers}`,
        done: `Done: ${all} ${this.content.unit} in ${duration(seconds)} on ${workers} · digest ${digest}.${verdict}`,
        kept:
          done === all
            ? `Saved results, not recomputed · digest ${digest}.${verdict}`
            : `Interrupted after ${count}. What is done is kept.`,
        paused: `${count} done. The rest takes ${about || "long"} on ${workers}.`,
        cancelled: `Cancelled after ${count}.${done > 0 ? " What is done is kept." : ""}`,
        failed: `Stopped after ${count}.`,
      }[state ?? ""] ?? "";
    this.progress.max = Math.max(all, 1);
    this.progress.value = done;
    if (this.pool && performance.now() - this.spokenAt > 5000) {
      this.spokenAt = performance.now();
      this.spoken.textContent = `${this.title}: ${count}`;
    }
  }

  /** Seconds that the rest of a computation takes. @param {number} done */
  left(done) {
    const seconds = this.pool ? (performance.now() - this.start) / 1000 : this.seconds;
    return (seconds / (done - this.before)) * (this.found.length - done);
  }

  /**
   * @param {boolean} [rest] only the jobs without a result
   * @param {boolean} [auto] started by the page
   */
  async run(rest = false, auto = false) {
    const { study, view } = this;
    if (!study) return;
    this.close();
    this.auto = auto;
    if (!rest || !this.id) {
      study.clear(this.name);
      this.found.fill(undefined);
      this.id = unique();
    }
    this.showsPublished = false;
    this.problem.hidden = true;
    const jobs = study.jobs(this.name);
    const missing = [...jobs.keys()].filter((job) => !this.found[job]);
    this.before = jobs.length - missing.length;
    const pool = (this.pool = new Pool(view.engine.module, WORKERS));
    this.start = this.spokenAt = performance.now();
    this.timer = setInterval(() => this.tick(), PACE.draw);
    this.saver = setInterval(() => this.flush(), PACE.save);
    const focused = document.activeElement === this.runButton || document.activeElement === this.restButton;
    this.enter("running");
    if (focused) this.cancelButton.focus();
    try {
      const source = await view.source();
      if (this.pool !== pool) return;
      await pool.run(
        missing.map((job) => ({ .../** @type {typeof jobs[number]} */ (jobs[job]), source })),
        (at, /** @type {Found} */ found) => this.record(missing[at] ?? -1, found),
        (_, problem) => this.pool === pool && this.end("failed", problem),
        (solver, { source, ...job }) => solver.risk(job, source),
      );
      this.flush();
      // Done means that the page may be left.
      await this.saving;
      if (this.pool === pool) this.end("done");
    } catch (problem) {
      if (this.pool === pool) this.end("failed", problem);
    }
  }

  /** @param {number} job @param {Found} found */
  record(job, found) {
    if (!this.pool || job < 0) return;
    this.study?.add(this.name, job, found);
    this.found[job] = found;
    this.unsaved.push([job, found]);
    this.stale = true;
  }

  tick() {
    this.showStatus();
    if (this.stale && this.content.isLive) this.refresh();
    this.stale = false;
    const done = this.found.filter(Boolean).length;
    const isKnown = done - this.before >= WORKERS || performance.now() - this.start > 10_000;
    if (this.auto && isKnown && this.left(done) > LONG) {
      this.auto = false;
      this.end("paused");
    }
  }

  /** Saves new results in the browser. */
  flush() {
    const { id, view, key, found } = this;
    const fresh = this.unsaved.splice(0);
    if (fresh.length === 0 || !id) return;
    const plan = { engine: view.engine.version, link: view.link };
    /** @returns {[number, Found][]} */
    const all = () => found.flatMap((one, job) => (one ? [[job, one]] : []));
    this.saving = this.saving
      .then(() => sweeps.add(key, id, plan, fresh, all))
      .catch((problem) => {
        this.complain(
          `These results could not be saved and will be lost on reload: ${errorMessage(problem)}.`,
        );
      });
  }

  /** @param {"done" | "cancelled" | "failed" | "kept" | "paused"} state @param {unknown} [problem] */
  end(state, problem) {
    const focused = document.activeElement === this.cancelButton;
    if (this.pool) this.seconds = (performance.now() - this.start) / 1000;
    this.close();
    if (problem) this.complain(`${errorMessage(problem)}.`);
    this.enter(state);
    if (focused) (this.restButton.hidden ? this.runButton : this.restButton).focus();
    this.refresh();
    this.spoken.textContent = `${this.title}: ${this.status.textContent}`;
    this.onEnd?.();
  }

  /** Ends the workers at once. */
  close() {
    clearInterval(this.timer);
    clearInterval(this.saver);
    this.flush();
    this.pool?.close();
    this.pool = null;
  }

  /** @param {string} text */
  complain(text) {
    this.problem.hidden = false;
    this.problem.textContent = text;
  }

  /** Shows sentences, picture and tables of the results that are there. */
  refresh() {
    const { shown } = this;
    if (!shown) return;
    const sentences = shown.findings(this.name);
    this.findings.replaceChildren(...sentences.map((sentence) => el("li", {}, sentence)));
    this.content.show(shown, sentences);
    this.fillTables();
    this.draw();
  }

  fillTables() {
    if (this.tables.open && this.shown) this.tableBox.replaceChildren(...this.content.tables(this.shown));
  }

  draw() {
    const { canvas, box } = this.content;
    const width = box.clientWidth;
    const { shown } = this;
    if (!canvas || !shown || width < 50) return;
    const look = style(false);
    resize(canvas, width, shown.height(this.name, width), look.scale);
    shown.draw(canvas, this.name, this.view.shortTitle, look);
  }

  /** @param {string} format */
  async save(format) {
    const { shown, view } = this;
    if (!shown) return;
    const name = `${this.name === "map" ? "risk" : this.name}-${view.datasetName}`;
    if (format === "csv")
      return download(`${name}.csv`, new Blob([shown.csv(this.name)], { type: "text/csv" }));
    if (format === "json") {
      return download(`${name}.json`, new Blob([shown.json(this.name)], { type: "application/json" }));
    }
    const { savePicture } = await import("./export.js");
    const look = { scale: 2, dark: false, paper_colors: false };
    const title = `${this.title}: ${view.pictureTitle}`;
    const canvas = el("canvas", { width: WIDTH * 2, height: Math.ceil(shown.height(this.name, WIDTH) * 2) });
    const picture =
      format === "svg"
        ? shown.svg(this.name, title, WIDTH, look)
        : (shown.draw(canvas, this.name, title, look), canvas);
    const software = `PATOM Lab ${view.engine.version}`;
    const link = `${location.href.split("#")[0]}${view.address}`;
    await savePicture(name, picture, title, { software, link, digest: shown.digest(this.name), title });
  }
}

/** @param {number} seconds */
const longTime = (seconds) => (seconds > 90 ? `${Math.round(seconds / 60)} min` : duration(seconds));
