/**
 * Moving poisoned points by hand in the plot of the feature space: with the pointer, or with the arrow keys. A
 * worker trains the model again at every move; error and correlations answer beside the plot. Loaded on demand.
 */

import "../style/by_hand.css";
import { Solver } from "../engine/solver.js";
import { Heatmaps, resize, style } from "../ui/charts.js";
import { el } from "../ui/dom.js";
import { errorMessage } from "../core/words.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Result, Retrained } from "../engine/types.js" */
/** @import { Projection } from "./points.js" */

/** Share of the plot that an arrow key moves a point by; with Shift, a quarter of it. */
const STEP = 0.04;
/** Distance in CSS pixels within which the pointer takes a point. */
const NEAR = 40;

export class ByHand {
  /** @param {Session} session @param {Projection} projection */
  constructor(session, projection) {
    this.session = session;
    this.projection = projection;
    /** @type {Result | null} the result whose points are moved */
    this.result = null;
    /** @type {Solver | null} */
    this.solver = null;
    /** Number of the chosen point. */
    this.chosen = 0;
    /** Where the points are: two numbers each. @type {ArrayLike<number>} */
    this.places = [];
    /** Where the run left them. @type {ArrayLike<number>} */
    this.home = [];
    /** The move to send next, while the worker computes. @type {[number, number, number] | null | undefined} */
    this.next = undefined;
    this.busy = false;
    this.moves = 0;

    this.grip = el("div", {
      class: "grip",
      role: "application",
      tabindex: 0,
      "aria-roledescription": "point to move",
      "data-testid": "hand-grip",
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.points = el("select", { "data-testid": "hand-point" });
    this.points.onchange = () => this.choose(Number(this.points.value));
    const button = (
      /** @type {string} */ id,
      /** @type {string} */ text,
      /** @type {() => void} */ onclick,
    ) => el("button", { type: "button", "data-testid": `hand-${id}`, onclick }, text);
    this.restore = button("restore", "Put all back", () => this.request(null));
    this.text = el("p", { class: "hand-text", "data-testid": "hand-text" });
    this.spoken = el("span", { class: "visually-hidden", role: "status", "data-testid": "hand-spoken" });
    this.mapBox = el("div", { class: "heatmaps", "data-testid": "hand-maps" });
    this.readout = el("p", { class: "readout", "aria-live": "polite" });
    this.heatmaps = new Heatmaps(session.engine, this.mapBox, (cell) => {
      const maps = this.heatmaps.shown.map(({ map }) => map);
      this.readout.textContent = cell
        ? views.cellText(maps, cell, this.heatmaps.tasks, this.result?.report)
        : "";
    });
    this.panel = el(
      "div",
      { class: "hand", "data-testid": "hand" },
      this.text,
      this.mapBox,
      this.readout,
      this.spoken,
    );
    this.controls = el(
      "div",
      { class: "hand-row hand-controls" },
      el(
        "p",
        { class: "hint" },
        "Drag a point, or focus it and press the arrow keys (Shift: small steps; Page Up and Page Down: another point).",
      ),
      el("div", { class: "actions" }, el("label", {}, "Point ", this.points), this.restore),
    );
    projection.canvas.addEventListener("pointerdown", (event) => this.take(event));
    this.grip.addEventListener("pointerdown", (event) => this.drag(event));
    session.subscribe(({ type }) => {
      if (this.isOn && type === "done" && session.result !== this.result) this.start();
      if (this.isOn && type === "empty") this.stop();
    });
  }

  get isOn() {
    return this.result !== null;
  }

  /** Takes the points of the result that is shown. */
  async start() {
    this.solver?.close();
    const { result } = this.session;
    const last = result?.run.points.at(-1);
    const injected = result?.run.scene?.injected ?? [];
    if (!result || !last || injected.length === 0) return this.stop();
    this.result = result;
    this.solver = new Solver(this.session.engine.module);
    this.busy = false;
    this.next = undefined;
    this.home = this.places = last.places;
    const { projection } = this;
    projection.pause();
    projection.hand = this;
    projection.tasks.value = "";
    projection.root.append(this.panel);
    projection.handButton.parentElement?.after(this.controls);
    projection.canvasBox.append(this.grip);
    projection.root.toggleAttribute("data-hand", true);
    const names = result.report.task_names;
    this.points.replaceChildren(
      ...Array.from({ length: injected.length / 2 }, (_, k) =>
        el("option", { value: k }, `${k + 1} in ${views.taskName(injected[2 * k] ?? 0, names)}`),
      ),
    );
    this.choose(Math.min(this.chosen, injected.length / 2 - 1));
    this.text.textContent = "Training …";
    this.show(null);
    projection.show();
    this.request(null);
  }

  stop() {
    this.solver?.close();
    this.solver = null;
    this.result = null;
    const { projection } = this;
    projection.hand = null;
    this.panel.remove();
    this.controls.remove();
    this.grip.remove();
    projection.root.toggleAttribute("data-hand", false);
    projection.show();
  }

  /**
   * Asks for a move; of those that wait, the last one counts.
   * @param {[number, number, number] | null} move
   */
  async request(move) {
    this.next = move;
    const { solver, result } = this;
    if (this.busy || !solver || !result) return;
    this.busy = true;
    try {
      const source = await this.session.sourceFor(result.report.spec);
      while (this.next !== undefined && solver === this.solver) {
        const next = this.next;
        this.next = undefined;
        const retrained = await solver.hand(result.report.spec, source, next);
        if (solver !== this.solver) return;
        this.places = retrained.places;
        this.moves += next === null ? 0 : 1;
        this.show(retrained);
      }
    } catch (problem) {
      if (solver === this.solver) this.text.textContent = `${errorMessage(problem)}.`;
    } finally {
      if (solver === this.solver) this.busy = false;
    }
  }

  /** Shows the model of the moved points; null: that of the run. @param {Retrained | null} retrained */
  show(retrained) {
    const { result } = this;
    if (!result) return;
    const { report } = result;
    const m = report.task_names.length;
    const correlation = retrained?.model.correlation ?? report.attacked.correlation;
    const maps = [
      { name: "hand", title: "Learned with your points", values: correlation, openEnded: false },
      { name: "clean", title: "Learned from clean data", values: report.clean.correlation, openEnded: false },
    ];
    this.heatmaps.names = views.shortNames(report.task_names);
    if (this.heatmaps.spec === report.spec)
      this.heatmaps.replace("hand", correlation, "Learned with your points");
    else this.heatmaps.show(maps, m, report.spec, (map) => views.heatmapSummary(map, m, report.task_names));
    if (retrained) {
      this.text.textContent = this.sentence(retrained);
      clearTimeout(this.speaking);
      this.speaking = setTimeout(() => (this.spoken.textContent = this.text.textContent), 500);
    }
    this.place();
    this.projection.drawSoon();
  }

  /** @param {Retrained} retrained */
  sentence({ model, norm }) {
    const { report } = /** @type {Result} */ (this.result);
    const { short, stronger } = views.METRICS[report.metric_name];
    const targets = views.taskList(report.spec.targets, report.task_names);
    const [yours, optimised, clean] = [model.metric, report.attacked.metric, report.clean.metric].map(
      (value) => views.metricDigits(value),
    );
    const numbers = `${short} of ${targets}: ${yours} with your points, ${optimised} with the optimised ones, ${clean} without poison.`;
    if (!Number.isFinite(norm)) return numbers;
    const more = (model.metric - report.attacked.metric) * stronger;
    const verdict =
      yours === optimised
        ? "As much damage as by the optimised points."
        : `${more > 0 ? "More" : "Less"} damage than by the optimised points.`;
    return `${numbers} ${verdict}`;
  }

  /** Left and top of a point in the plot, in CSS pixels. @param {number} k */
  pixels(k) {
    const [left = 0, top = 0, side = 1, reach = 1] = this.projection.frame();
    const [x = 0, y = 0] = [this.places[2 * k], this.places[2 * k + 1]];
    return [left + ((x / reach + 1) * side) / 2, top + ((1 - y / reach) * side) / 2];
  }

  /** Puts the grip onto the chosen point. */
  place() {
    const [x = 0, y = 0] = this.pixels(this.chosen);
    const { grip, chosen, places, result } = this;
    grip.style.left = `${x}px`;
    grip.style.top = `${y}px`;
    const [along = 0, across = 0] = [places[2 * chosen], places[2 * chosen + 1]];
    const task = views.taskName(result?.run.scene?.injected[2 * chosen] ?? 0, result?.report.task_names);
    grip.setAttribute(
      "aria-label",
      `Poisoned point ${chosen + 1} in ${task}, along ${views.twoDecimals(along)}, across ${views.twoDecimals(across)}. Arrow keys move it.`,
    );
  }

  /** @param {number} point */
  choose(point) {
    this.chosen = point;
    this.points.value = String(point);
    this.place();
  }

  /** Moves the chosen point to a place in the plane. @param {number} along @param {number} across */
  move(along, across) {
    const radius = this.result?.run.scene?.radius ?? 1;
    const size = Math.hypot(along, across);
    const within = size > radius ? radius / size : 1;
    // The point follows at once; the worker says where it can lie.
    const places = Array.from(this.places);
    [places[2 * this.chosen], places[2 * this.chosen + 1]] = [along * within, across * within];
    this.places = places;
    this.place();
    this.projection.drawSoon();
    this.request([this.chosen, along * within, across * within]);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const last = this.points.options.length - 1;
    const other = { PageUp: this.chosen - 1, PageDown: this.chosen + 1, Home: 0, End: last }[event.key];
    if (other !== undefined) {
      event.preventDefault();
      return this.choose(Math.min(Math.max(other, 0), last));
    }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [, , , reach = 1] = this.projection.frame();
    const size = STEP * reach * (event.shiftKey ? 0.25 : 1);
    const [x = 0, y = 0] = [this.places[2 * this.chosen], this.places[2 * this.chosen + 1]];
    this.move(x + size * (step[0] ?? 0), y + size * (step[1] ?? 0));
  }

  /** Takes the point nearest to the pointer. @param {PointerEvent} event */
  take(event) {
    if (!this.isOn) return;
    let [best, nearest] = [-1, NEAR];
    for (let k = 0; k < this.places.length / 2; k++) {
      const [x = 0, y = 0] = this.pixels(k);
      const distance = Math.hypot(event.offsetX - x, event.offsetY - y);
      if (distance < nearest) [best, nearest] = [k, distance];
    }
    if (best < 0) return;
    this.choose(best);
    this.grip.focus({ preventScroll: true });
    this.drag(event);
  }

  /** Follows the pointer until it is released. @param {PointerEvent} event */
  drag(event) {
    event.preventDefault();
    const { canvas } = this.projection;
    this.grip.setPointerCapture(event.pointerId);
    this.grip.focus({ preventScroll: true });
    const follow = (/** @type {PointerEvent} */ moved) => {
      const box = canvas.getBoundingClientRect();
      const [left = 0, top = 0, side = 1, reach = 1] = this.projection.frame();
      const along = ((2 * (moved.clientX - box.left - left)) / side - 1) * reach;
      const across = (1 - (2 * (moved.clientY - box.top - top)) / side) * reach;
      this.move(along, across);
    };
    const end = () => {
      this.grip.removeEventListener("pointermove", follow);
      this.grip.removeEventListener("pointerup", end);
      this.grip.removeEventListener("pointercancel", end);
    };
    this.grip.addEventListener("pointermove", follow);
    this.grip.addEventListener("pointerup", end);
    this.grip.addEventListener("pointercancel", end);
  }

  /** Draws the moved points, with lines from where the run left them. @param {number} width */
  draw(width) {
    const { canvas, pictures } = this.projection;
    const look = style(false);
    resize(canvas, width, pictures.points_height(width), look.scale);
    const [home, places] = [this.home, this.places].map((all) => Float64Array.from(all));
    if (home && places) this.projection.picture?.draw_by_hand(canvas, home, places, look);
    this.place();
  }
}
