/** The cards of a result: headline, tiles, curve, heatmaps, tables, facts, and the state of the run. */

import { CurveChart, Heatmaps } from "../ui/charts.js";
import { FAST } from "../core/live.js";
import { $, byId, legible } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Engine } from "../engine/engine.js" */
/** @import { Session } from "../core/session.js" */
/** @import { LabEvent, Report, RunState } from "../engine/types.js" */

/** Milliseconds: to show that a shorter run is in progress would only flicker, and take longer than the run. */
const MOMENT = 100;

/** Milliseconds for which nothing will show that a run is in progress. @param {RunState} run */
const quietTime = (run) => run.start + (run.live ? FAST : MOMENT) - performance.now();

/** Is this run too young to show that it is in progress? @param {RunState} run */
export const isQuiet = (run) => quietTime(run) > 0;

/**
 * Puts tables into a box of a disclosure: many cells, which are made when it is open.
 * @param {string} id
 * @param {() => Node[]} tables
 */
function fill(id, tables) {
  const box = $(id);
  const details = box.closest("details");
  const show = () => details?.open && box.replaceChildren(...tables());
  box.replaceChildren();
  if (details) details.ontoggle = show;
  show();
}

/** What to do to read a cell; there is no key for a finger. */
const CELL_HINT = matchMedia("(hover: none)").matches
  ? "Tap a cell to read it."
  : "Hover over a cell, or focus a map and use the arrow keys.";

/** @param {string} text for screen readers */
export const announce = (text) => ($("spoken").textContent = legible(text));

export class Results {
  /**
   * @param {Engine} engine
   * @param {Session} lab
   */
  constructor(engine, lab) {
    this.lab = lab;
    /** @type {((iteration: number | null) => void)[]} listeners to the cursor of the curve */
    this.onIteration = [];
    /** @type {((cell: [number, number] | null) => void)[]} listeners to the cursor of the heatmaps */
    this.onCell = [];
    this.progressBar = byId("progress", HTMLProgressElement);
    this.timer = 0;
    /** @type {RunState | null} the last run that was shown while it ran */
    this.begun = null;
    this.curve = new CurveChart(engine, $("curve"), (iteration) => {
      $("curve-readout").textContent = this.pointText(iteration);
      for (const listener of this.onIteration) listener(iteration);
    });
    this.heatmaps = new Heatmaps(engine, $("heatmaps"), (cell) => {
      const maps = this.heatmaps.shown.map(({ map }) => map);
      $("cell-readout").textContent = cell
        ? views.cellText(maps, cell, this.heatmaps.tasks, this.lab.result?.report)
        : CELL_HINT;
      for (const listener of this.onCell) listener(cell);
    });
    this.paperColors = byId("paper-colors", HTMLInputElement);
    this.paperColors.onchange = () => lab.setView("map", this.paperColors.checked ? "paper" : undefined);
    // Closed on a phone, where the page is long.
    byId("where-card", HTMLDetailsElement).open = !matchMedia("(max-width: 760px)").matches;
    lab.subscribe((event) => this.onEvent(event));
  }

  /** @param {LabEvent} event */
  onEvent(event) {
    switch (event.type) {
      case "changed":
        this.showColors();
        return this.markStale();
      case "status":
        $("status").textContent = legible(event.text);
        return;
      case "announce":
        announce(event.text);
        return;
      case "started":
        this.enter("running");
        return this.tick();
      case "progress":
        if (!isQuiet(event.run)) this.showCurve(event.run);
        return;
      case "done":
        this.show(event.report);
        this.enter("done");
        announce(`Done. ${views.headline(event.report)}`);
        return;
      case "ended":
        this.partial(event.run, event.headline, event.text);
        return this.enter(event.how);
      case "empty":
        delete $("results").dataset.digest;
        $("results").setAttribute("data-partial", "empty");
        this.enter("idle");
        $("headline").textContent = legible(event.headline);
        $("status").textContent = event.text;
    }
  }

  /** Applies the colour map named in the link. */
  showColors() {
    const paper = this.lab.view("map") === "paper";
    this.paperColors.checked = paper;
    if (this.heatmaps.paperColors === paper) return;
    this.heatmaps.paperColors = paper;
    this.heatmaps.drawSoon();
  }

  /** @param {"idle" | "running" | "done" | "cancelled" | "failed"} name */
  enter(name) {
    const running = name === "running" && !(this.lab.run && isQuiet(this.lab.run));
    const [run, cancel] = [$("run"), $("cancel")];
    const focused = document.activeElement === run || document.activeElement === cancel;
    $("results").dataset.state = name;
    if (running === !cancel.hidden) return this.markStale();
    cancel.hidden = !running;
    run.hidden = running;
    // One button replaces the other, so the focus moves with it.
    if (focused) (running ? cancel : run).focus();
    $("progress").hidden = !running;
    if (running) $("results").setAttribute("aria-busy", "true");
    else $("results").removeAttribute("aria-busy");
    this.markStale();
  }

  /** Dims results that do not belong to the current settings. */
  markStale() {
    const { run, result, willRun } = this.lab;
    const stale = this.lab.stale && !willRun;
    $("results").toggleAttribute("data-stale", stale);
    const idle = !run && !willRun && $("results").dataset.state === "done";
    if (idle && stale) $("status").textContent = "Settings changed. Press Run to update.";
    else if (idle && result) $("status").textContent = result.at ?? doneText(result.report);
  }

  /** Shows that a run is in progress. @param {RunState} run */
  begin(run) {
    this.begun = run;
    this.enter("running");
    if (run.live) return;
    $("results").removeAttribute("data-partial");
    announce("Running");
    this.showCurve(run);
  }

  /** @param {RunState} run in progress */
  showCurve(run) {
    const done = run.points.at(-1)?.iteration;
    const text = done === undefined ? "The attack is starting." : `Running: iteration ${done}.`;
    this.curve.show(curveData(run), text);
  }

  /** Updates iteration count and time during a run. */
  tick() {
    const run = this.lab.run;
    if (!run) return;
    clearTimeout(this.timer);
    const quiet = quietTime(run);
    if (quiet > 0) {
      this.timer = setTimeout(() => this.tick(), quiet);
      return;
    }
    if (this.begun !== run) this.begin(run);
    const done = run.points.at(-1)?.iteration;
    const seconds = (performance.now() - run.start) / 1000;
    $("status").textContent = `${stage(run)} · ${seconds.toFixed(1)} s`;
    if (done !== undefined && !this.lab.result) $("headline").textContent = "The attack is running";
    this.progressBar.max = Math.max(run.spec.iterations, 1);
    this.progressBar.value = done ?? 0;
    const spokenAt = Number($("spoken").dataset.at ?? 0);
    if (done !== undefined && performance.now() - Math.max(spokenAt, run.start) > 4000) {
      announce(`Iteration ${done} of ${run.spec.iterations}`);
      $("spoken").dataset.at = String(performance.now());
    }
    // Not every frame: without a GPU, this would slow down drawing the curve.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tick(), 100);
  }

  /** @param {Report} report */
  show(report) {
    const m = report.task_names.length;
    $("results").removeAttribute("data-partial");
    $("headline").textContent = views.headline(report);
    $("scale").textContent = views.METRICS[report.metric_name].scale;
    // A recalled result may be older than warnings.
    const { warnings = [], notes = [] } = report;
    $("warnings").replaceChildren(...views.warningItems(warnings));
    $("warnings").hidden = warnings.length === 0;
    $("notes")
      .querySelector("ul")
      ?.replaceChildren(...views.warningItems(notes));
    $("notes").toggleAttribute("data-empty", notes.length === 0);
    $("tiles").replaceChildren(...views.bars(report));
    this.curve.show(
      {
        metric: [...report.trace.metric],
        utility: [...report.trace.utility],
        cleanMetric: report.clean.metric,
        metricName: report.metric_name,
        iterations: report.trace.iteration.length - 1,
        spec: report.spec,
        baselines: views.levels(report),
        perTask: () => report.trace.metric_per_task,
      },
      views.curveSummary(report),
    );
    this.showTrace(report);
    const maps = views.heatmaps(report);
    $("truth-row").hidden = !report.true_correlation;
    this.heatmaps.names = views.shortNames(report.task_names);
    this.heatmaps.show(maps, m, report.spec, (map) => views.heatmapSummary(map, m, report.task_names));
    fill("correlation-tables", () => views.correlationTables(maps, m, report.task_names));
    $("task-table").replaceChildren(views.taskTable(report));
    $("facts").replaceChildren(...views.facts(report));
    $("command").textContent = views.command(report, this.lab.result?.link ?? "");
    $("results").dataset.digest = report.digest;
  }

  /** @param {Report} report */
  showTrace(report) {
    fill("trace-table", () => [views.traceTable(report, this.curve.eachTarget)]);
  }

  /**
   * @param {RunState | null} run
   * @param {string} headline
   * @param {string} text
   */
  partial(run, headline, text) {
    $("headline").textContent = headline;
    $("status").textContent = legible(text);
    announce(headline);
    delete $("results").dataset.digest;
    const points = run?.points.length ?? 0;
    $("results").setAttribute("data-partial", points > 0 ? "curve" : "empty");
    if (!run) return;
    const data = { ...curveData(run), iterations: points - 1 };
    this.curve.show(data, `${headline}. The curve shows ${points} points.`);
  }

  /** @param {number | null} iteration */
  pointText(iteration) {
    const { run, result } = this.lab;
    const point = iteration === null ? undefined : run?.points[iteration];
    const trace = result?.report.trace;
    const [metric, utility] = point
      ? [point.metric, point.utility]
      : [trace?.metric[iteration ?? -1], trace?.utility[iteration ?? -1]];
    if (iteration === null || metric === undefined || utility === undefined) return "";
    const name = views.METRICS[run?.metric ?? result?.report.metric_name ?? "nmse"].short;
    return `Iteration ${iteration}: ${name} ${views.digits(metric)}, utility ${views.digits(utility)}`;
  }
}

/** @param {RunState} run */
function stage({ spec, clean, points }) {
  const done = points.at(-1)?.iteration;
  if (done !== undefined) return `Iteration ${done} of ${spec.iterations}`;
  return clean ? "Clean model trained" : "Training on clean data";
}

/** @param {Report} report */
function doneText(report) {
  const seconds = report.trace.seconds.at(-1) ?? 0;
  const iterations = report.trace.iteration.length - 1;
  const solved = report.converged ? "" : " · a solver did NOT converge, see “Reproduce this result”";
  return `Done: ${views.iterationsOf(iterations)} in ${views.duration(seconds)}${solved}`;
}

/** @param {RunState} run */
const curveData = (run) => ({
  metric: run.points.map((point) => point.metric),
  utility: run.points.map((point) => point.utility),
  cleanMetric: run.clean ? run.clean.metric : null,
  metricName: run.metric,
  iterations: run.spec.method === "random" ? 1 : run.spec.iterations,
  spec: run.spec,
  perTask: () => run.points.flatMap((point) => [...point.metric_per_task]),
});
