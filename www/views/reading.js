/**
 * Exploring a result: linked highlighting between table, curve and heatmaps; the plot of the poisoned
 * points; the run kept for comparison. Loaded after the first result, or during a long run.
 */

import { errorMessage } from "../core/words.js";
import { $, byId, el } from "../ui/dom.js";
import { loadExtras } from "../engine/extras.js";
import { comparisonLink } from "../core/route.js";
import { Maps } from "./maps.js";
import { Projection } from "./points.js";
import { settingsList } from "./print.js";
import { isQuiet } from "./results.js";
import * as views from "./report.js";
import { Sentence } from "./sentence.js";
import { Stage } from "./stage.js";

/** @import { Extras } from "../engine/extras.js" */
/** @import { Session } from "../core/session.js" */
/** @import { Results } from "./results.js" */
/** @import { Report, RunState } from "../engine/types.js" */

/** @typedef {Reading} View */

/**
 * Loads its wasm module, then the view.
 * @param {Session} lab
 * @param {Results} results
 * @param {RunState | null} run the latest run, which may have ended without a result
 */
export async function openReading(lab, results, run) {
  return new Reading(await loadExtras(), lab, results, run);
}

class Reading {
  /**
   * @param {Extras} pictures
   * @param {Session} lab
   * @param {Results} results
   * @param {RunState | null} last
   */
  constructor(pictures, lab, results, last) {
    this.lab = lab;
    this.results = results;
    /** @type {{fragment: string, link: string, report: Report} | null} the run kept for comparison */
    this.kept = null;
    this.projection = new Projection(
      pictures,
      $("where"),
      (iteration) => {
        // During the animation a screen reader would read out every step.
        $("curve-readout").setAttribute("aria-live", this.projection.timer ? "off" : "polite");
        results.curve.choose(iteration);
      },
      lab,
    );
    this.maps = new Maps(results.heatmaps);
    this.stage = new Stage(
      (iteration) => {
        this.projection.pause();
        results.curve.choose(iteration);
      },
      () => this.projection.toggle(),
      (task) => this.highlight(task),
    );
    this.sentence = new Sentence(lab, (iteration) => {
      this.projection.pause();
      results.curve.choose(iteration);
    });
    this.projection.onPlay = (playing) => this.stage.playing(playing);
    // One iteration in all charts; without one, the last.
    results.onIteration.push((iteration) => {
      this.projection.moveTo(iteration ?? this.projection.last);
      this.stage.moveTo(iteration);
      this.sentence.moveTo(iteration);
      this.maps.follow(iteration);
    });
    results.onCell.push((cell) => {
      this.mark(cell ?? []);
      this.maps.pointAt(cell);
    });
    this.linkTable();
    const each = byId("each-target", HTMLInputElement);
    each.onchange = () => {
      results.curve.eachTarget = each.checked;
      results.curve.drawSoon();
      if (lab.result) results.showTrace(lab.result.report);
    };
    $("keep").onclick = () => this.keep();
    const play = $("play-defender");
    play.classList.remove("later");
    play.onclick = async () => {
      try {
        await (await import("./defender.js")).openDefender(lab);
      } catch (problem) {
        lab.notice(`${errorMessage(problem)}. Check the connection, then press again.`, "bad", "play");
      }
    };
    lab.subscribe((event) => {
      switch (event.type) {
        case "started":
          if (!event.run.live) results.curve.choose(null);
          return;
        case "progress":
          if (!isQuiet(event.run)) this.follow(event.run);
          return;
        case "done":
          this.follow(event.run);
          return this.show(event.report, event.run);
        case "ended":
          if (event.run) this.follow(event.run);
          return this.offerComparison();
        case "changed":
        case "empty":
          return this.offerComparison();
      }
    });
    const run = lab.result?.run ?? lab.run ?? last;
    if (run) this.follow(run);
    if (lab.result) this.show(lab.result.report, lab.result.run);
  }

  /** Updates the plot of the poisoned points; a restored result has none. @param {RunState} run */
  follow(run) {
    $("where-card").hidden = !run.scene;
    this.projection.names = this.lab.description()?.task_names ?? [];
    this.projection.follow(run);
  }

  /** @param {Report} report @param {RunState} run */
  show(report, run) {
    this.stage.show(report, run);
    $("settings-list").replaceChildren(settingsList(this.lab, report.spec));
    $("link-note").hidden = this.lab.unclaimed !== run.link;
    this.maps.show(report, run);
    const { cursor } = this.results.curve;
    this.stage.moveTo(cursor);
    this.sentence.update(report);
    this.sentence.moveTo(cursor);
    this.maps.follow(cursor);
    this.projection.moveTo(cursor ?? this.projection.last);
    $("each-target-row").hidden = report.target_tasks.length < 2;
    $("each-target-row").classList.remove("later");
    this.rows().forEach((row, task) => (row.tabIndex = task === 0 ? 0 : -1));
    this.offerComparison();
  }

  /* Tasks */

  rows() {
    return [...byId("task-table", HTMLElement).querySelectorAll("tbody tr")].filter(
      (row) => row instanceof HTMLElement,
    );
  }

  /** Outlines the task of the row that is hovered over or focused. */
  linkTable() {
    const table = $("task-table");
    const taskAt = (/** @type {Event} */ event) => {
      const row = event.target instanceof Element ? event.target.closest("tbody tr") : null;
      return row instanceof HTMLElement ? this.rows().indexOf(row) : -1;
    };
    const point = (/** @type {Event} */ event) => this.highlight(taskAt(event));
    table.addEventListener("pointerover", point);
    table.addEventListener("focusin", point);
    table.addEventListener("pointerleave", () => this.highlight(-1));
    table.addEventListener("focusout", () => this.highlight(-1));
    table.addEventListener("keydown", (event) => {
      const task = taskAt(event);
      const rows = this.rows();
      const last = rows.length - 1;
      const next = { ArrowDown: task + 1, ArrowUp: task - 1, Home: 0, End: last }[event.key];
      if (event.key === "Escape") this.highlight(-1);
      if (task < 0 || next === undefined) return;
      event.preventDefault();
      rows.forEach((row, k) => (row.tabIndex = k === Math.min(Math.max(next, 0), last) ? 0 : -1));
      rows.find(({ tabIndex }) => tabIndex === 0)?.focus();
    });
  }

  /** @param {number} task negative: none */
  highlight(task) {
    const chosen = task < 0 ? null : task;
    if (chosen === this.results.heatmaps.task) return;
    this.results.heatmaps.highlight(chosen);
    this.results.curve.highlight(chosen);
    this.mark(chosen === null ? [] : [chosen]);
    const report = this.lab.result?.report;
    $("task-readout").textContent = chosen === null || !report ? "" : taskText(report, chosen);
  }

  /** Marks rows of the table. @param {number[]} tasks */
  mark(tasks) {
    this.rows().forEach((row, task) => row.classList.toggle("linked", tasks.includes(task)));
  }

  /* Comparison */

  keep() {
    const result = this.lab.result;
    if (!result) return;
    this.kept = { fragment: this.lab.fragmentOf(result), link: result.link, report: result.report };
    this.offerComparison();
  }

  /** Shows whether a run is kept, and links to its comparison with the current result. */
  offerComparison() {
    const { kept, lab } = this;
    const result = lab.result;
    $("keep-row").classList.toggle("later", !result);
    const right = result && kept && result.link !== kept.link ? lab.fragmentOf(result) : "";
    const target = $("to-compare");
    target.setAttribute(
      "href",
      comparisonLink(kept?.fragment ?? (result ? lab.fragmentOf(result) : ""), right),
    );
    if (!kept) return;
    const status = right
      ? el("a", { href: target.getAttribute("href"), "data-testid": "compare" }, "Compare with the kept run")
      : "Kept. Change a setting and run again to compare.";
    $("kept").replaceChildren(status);
  }

  /** The report of a link that has already been run. @param {string} link */
  finished(link) {
    return [this.kept, this.lab.result].find((one) => one?.link === link)?.report;
  }
}

/** @param {Report} report @param {number} task */
function taskText(report, task) {
  const { clean, attacked } = report;
  const [before, after] = [clean.metric_per_task[task] ?? NaN, attacked.metric_per_task[task] ?? NaN];
  const { short } = views.METRICS[report.metric_name];
  return `${views.taskName(task, report.task_names)} (outlined): ${short} ${views.metricDigits(before)} → ${views.metricDigits(after)}`;
}
