/**
 * The idea of the page in one picture: tasks as nodes, joined by their learned correlations; triangles mark
 * where poisoned points enter, red where the test error rose. A slider shows every iteration.
 */

import { $, byId } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Report, RunState } from "../engine/types.js" */

/** The namespace of the elements. */
const SVG = "http://www.w3.org/2000/svg";
/** Of the picture, in its own units. */
const SIZE = { width: 360, height: 216 };
/** More tasks are not drawn. */
const MAX_TASKS = 40;
/** Weaker correlations are not drawn. */
const WEAKEST = 0.08;
/** The strongest of these many pairs are drawn. */
const MAX_LINES = 70;
/** Damage, as a share of the way to guessing, from which a task counts as damaged. */
const DAMAGED = 0.1;

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * How far the metric of a task went towards guessing: 0 not at all, 1 all the way, negative: it improved.
 * @param {Report} report
 * @param {number} task
 * @param {number} value
 */
function damage({ metric_name: name, clean }, task, value) {
  const { guess, stronger } = views.METRICS[name];
  const before = clean.metric_per_task[task] ?? NaN;
  // A model that was no better than guessing before has no way left; its changes are shown all the same.
  const way = Math.max((guess - before) * stronger, 0.1 * guess);
  const share = ((value - before) * stronger) / way;
  return Number.isFinite(share) ? Math.min(Math.max(share, -1), 1) : 0;
}

export class Stage {
  /**
   * @param {(iteration: number) => void} onIteration the user or the animation chose an iteration
   * @param {() => void} onPlay
   * @param {(task: number) => void} onTask a task is pointed at; negative: none
   */
  constructor(onIteration, onPlay, onTask) {
    this.onTask = onTask;
    /** @type {Report | null} */
    this.report = null;
    /** @type {RunState | null} */
    this.run = null;
    this.iteration = 0;
    this.last = 0;
    const picture = document.getElementById("network");
    if (!picture) throw new Error("element #network not found");
    this.picture = picture;
    this.caption = $("stage-caption");
    this.slider = byId("stage-slider", HTMLInputElement);
    this.slider.oninput = () => onIteration(Number(this.slider.value));
    this.play = byId("stage-play", HTMLButtonElement);
    this.play.onclick = onPlay;
    this.shown = $("stage-iteration");
  }

  /** @param {Report} report @param {RunState} run */
  show(report, run) {
    this.report = report;
    this.run = run;
    const m = report.task_names.length;
    this.picture.toggleAttribute("hidden", m > MAX_TASKS || m < 2);
    this.last = report.trace.iteration.length - 1;
    this.slider.disabled = this.last < 1;
    $("stage-controls").toggleAttribute("data-empty", report.spec.budget === 0);
    // The animation needs every iteration; a recalled result may have only its numbers.
    this.play.disabled = run.points.length < 2;
    this.slider.max = String(this.last);
    this.iteration = -1;
    this.build();
    this.moveTo(null);
  }

  /** Shows an iteration; null: the last. @param {number | null} iteration */
  moveTo(iteration) {
    const { report, last } = this;
    const wanted = Math.min(iteration ?? last, last);
    if (!report || wanted === this.iteration) return;
    this.iteration = wanted;
    this.slider.value = String(wanted);
    this.slider.setAttribute("aria-valuetext", `iteration ${wanted} of ${last}`);
    this.shown.textContent = wanted
      ? `Iteration ${wanted} of ${last}`
      : report.spec.budget
        ? "Random start"
        : "";
    this.render();
  }

  /** @param {boolean} on */
  playing(on) {
    this.play.textContent = on ? "Pause" : "Play";
    $("stage").toggleAttribute("data-playing", on);
  }

  /** Places the tasks on an ellipse; their colours and lines are those of an iteration. */
  build() {
    const { report } = this;
    if (!report || this.picture.hasAttribute("hidden")) return;
    const { spec, task_names: names } = report;
    const m = names.length;
    const radius = m <= 10 ? 17 : m <= 16 ? 13 : m <= 30 ? 10 : 8;
    const [x, y] = [SIZE.width / 2, SIZE.height / 2];
    const short = views.shortNames(names);
    this.places = names.map((_, task) => {
      const angle = (2 * Math.PI * task) / m - Math.PI / 2;
      return [x + (x - radius - 30) * Math.cos(angle), y + (y - radius - 20) * Math.sin(angle)];
    });
    this.lines = svg("g", { class: "lines" });
    this.nodes = names.map((_, task) => {
      const [left = 0, top = 0] = this.places?.[task] ?? [];
      const label = short[task] ?? `T${task + 1}`;
      const node = svg(
        "g",
        { class: "node", transform: `translate(${left.toFixed(1)} ${top.toFixed(1)})` },
        svg("circle", { r: radius }),
        svg("text", { y: radius * 0.32, "font-size": radius * 0.85 }, label),
      );
      node.addEventListener("pointerenter", () => this.onTask(task));
      node.addEventListener("pointerleave", () => this.onTask(-1));
      node.classList.toggle("target", spec.targets.includes(task));
      if (spec.attackers.includes(task) && spec.budget > 0) {
        // Outside of the ring, pointing into the task.
        const angle = Math.atan2(top - y, left - x);
        const [out, turn] = [radius + 9, (angle * 180) / Math.PI + 90];
        const at = `translate(${(out * Math.cos(angle)).toFixed(1)} ${(out * Math.sin(angle)).toFixed(1)})`;
        node.append(
          svg("path", {
            class: "poison",
            d: "M-6,-5 L6,-5 L0,6 Z",
            transform: `${at} rotate(${turn.toFixed(0)})`,
          }),
        );
      }
      return node;
    });
    this.picture.replaceChildren(this.lines, ...this.nodes);
  }

  render() {
    const { report, run, iteration, last } = this;
    if (!report) return;
    const m = report.task_names.length;
    const point = run?.points[iteration];
    const final = iteration === last;
    const metrics = final
      ? report.attacked.metric_per_task
      : report.trace.metric_per_task.slice(iteration * m, (iteration + 1) * m);
    const followed = point?.correlation?.length === m * m ? point.correlation : null;
    const correlation = final ? report.attacked.correlation : (followed ?? report.attacked.correlation);
    const shares = Array.from(metrics, (value, task) => damage(report, task, value));
    this.nodes?.forEach((node, task) => {
      const share = shares[task] ?? 0;
      node.style.setProperty("--bad-share", `${Math.round(100 * Math.max(share, 0))}%`);
      node.style.setProperty("--good-share", `${Math.round(50 * Math.max(-share, 0))}%`);
      node.classList.toggle("hot", share > 0.5);
    });
    this.drawLines(correlation, shares);
    const text = sentence(report, shares);
    this.caption.textContent = text;
    this.picture.setAttribute(
      "aria-label",
      `Network of ${m} tasks${iteration ? ` at iteration ${iteration}` : report.spec.budget ? " at the random start" : ""}. ${text}`,
    );
  }

  /**
   * @param {Float64Array} correlation
   * @param {number[]} shares
   */
  drawLines(correlation, shares) {
    const { lines, places, report } = this;
    if (!lines || !places || !report) return;
    const m = places.length;
    const { attackers, budget } = report.spec;
    const enters = (/** @type {number} */ task) => budget > 0 && attackers.includes(task);
    /** @type {[number, number, number][]} */
    const pairs = [];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < i; j++) {
        const value = correlation[i * m + j] ?? 0;
        if (Math.abs(value) >= WEAKEST) pairs.push([i, j, value]);
      }
    }
    const spoils = (/** @type {number} */ from, /** @type {number} */ to) =>
      enters(from) && !enters(to) && (shares[to] ?? 0) >= DAMAGED;
    // First the lines that tell the story.
    const weight = (/** @type {[number, number, number]} */ [i, j, value]) =>
      Math.abs(value) + (spoils(i, j) || spoils(j, i) ? 1 : 0);
    pairs.sort((a, b) => weight(b) - weight(a));
    lines.replaceChildren(
      ...pairs.slice(0, MAX_LINES).map(([i, j, value]) => {
        // From the poisoned task to the one that it spoils.
        const [from, to] = enters(i) ? [i, j] : [j, i];
        const [[x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = [places[from], places[to]];
        const line = svg("line", {
          x1: x1.toFixed(1),
          y1: y1.toFixed(1),
          x2: x2.toFixed(1),
          y2: y2.toFixed(1),
          "stroke-width": (0.6 + 4 * Math.abs(value)).toFixed(2),
          "stroke-opacity": (0.2 + 0.7 * Math.abs(value)).toFixed(2),
          class: `${value < 0 ? "negative" : "positive"}${spoils(from, to) ? " spoils" : ""}`,
        });
        return line;
      }),
    );
  }
}

/**
 * What the picture shows, in one sentence: the news is damage where no point was added.
 * @param {Report} report
 * @param {number[]} shares
 */
function sentence({ spec, task_names: names }, shares) {
  if (spec.budget === 0) return "No poisoned points: lines show the learned correlations.";
  const damaged = shares.flatMap((share, task) =>
    share >= DAMAGED && !spec.attackers.includes(task) ? [task] : [],
  );
  if (damaged.length === 0) return "Lines show the learned correlations; no other task was damaged so far.";
  const one = damaged.length === 1;
  return `Nobody added points to ${views.tasksText(damaged, names)}, yet ${one ? "its" : "their"} error rose.`;
}
