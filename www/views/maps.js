/**
 * Reading the heatmaps of a result: the value at the pointer, the true correlations on demand, blinking between
 * before and after, one map at a time on a phone, and the maps of the iteration that is shown.
 */

import { $, byId, el } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Heatmaps } from "../ui/charts.js" */
/** @import { Report, RunState } from "../engine/types.js" */

/** Milliseconds that each of the two maps is shown while they blink. */
const BLINK = 700;
/** The maps that a phone shows one by one. */
const SINGLE = ["clean", "attacked", "difference"];

export class Maps {
  /** @param {Heatmaps} heatmaps */
  constructor(heatmaps) {
    this.heatmaps = heatmaps;
    /** @type {Report | null} */
    this.report = null;
    /** @type {RunState | null} */
    this.run = null;
    /** @type {number | null} */
    this.iteration = null;
    this.timer = 0;
    /** Does the map of the attack show the clean model? */
    this.swapped = false;

    const truth = byId("show-truth", HTMLInputElement);
    truth.onchange = () => {
      heatmaps.box.toggleAttribute("data-truth", truth.checked);
      heatmaps.drawSoon();
    };
    this.blinkButton = $("blink");
    this.blinkButton.onclick = () => this.blink();
    for (const name of SINGLE) {
      byId(`map-${name}`, HTMLInputElement).onchange = () => {
        heatmaps.box.dataset.single = name;
        heatmaps.drawSoon();
      };
    }

    // The readout below the maps has the same text, for screen readers too.
    this.tip = el("p", { class: "cell-tip", "aria-hidden": "true", hidden: true, "data-testid": "cell-tip" });
  }

  /** @param {Report} report @param {RunState} run */
  show(report, run) {
    this.report = report;
    this.run = run;
    this.iteration = null;
    this.heatmaps.box.append(this.tip);
    this.tip.hidden = true;
    if (this.swapped) this.render();
  }

  /** Shows the maps of an iteration; null: the last. @param {number | null} iteration */
  follow(iteration) {
    const last = (this.report?.trace.iteration.length ?? 1) - 1;
    this.iteration = iteration === last ? null : iteration;
    this.render();
  }

  render() {
    const { report, iteration, heatmaps } = this;
    if (!report) return;
    const [clean, attacked] = [report.clean.correlation, report.attacked.correlation];
    const followed = iteration === null ? null : this.run?.points[iteration]?.correlation;
    const now = followed?.length === clean.length ? followed : attacked;
    const at = now === attacked ? "" : iteration ? ` at iteration ${iteration}` : " at the random start";
    const title = at ? `Learned${at}` : "Learned under attack";
    heatmaps.replace(
      "attacked",
      this.swapped ? clean : now,
      this.swapped ? "Learned from clean data" : title,
    );
    const difference = Float64Array.from(now, (value, k) => value - (clean[k] ?? NaN));
    heatmaps.replace("difference", difference, at ? `Difference${at}` : "Difference: attacked − clean");
  }

  /** Swaps the map of the attack with that of the clean model: again and again, or once where nothing may move. */
  blink() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.swap();
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = 0;
      if (this.swapped) this.swap();
    } else {
      this.timer = setInterval(() => this.swap(), BLINK);
      this.swap();
    }
    this.blinkButton.setAttribute("aria-pressed", String(this.timer !== 0));
  }

  swap() {
    this.swapped = !this.swapped;
    this.heatmaps.box.toggleAttribute("data-swapped", this.swapped);
    this.render();
  }

  /** Shows the values of a cell next to it. @param {[number, number] | null} cell */
  pointAt(cell) {
    const { heatmaps, tip, report } = this;
    const { pointed } = heatmaps;
    tip.hidden = !cell || !pointed || !report;
    if (!cell || !pointed || !report) return;
    const maps = heatmaps.shown.map(({ map }) => map);
    const roles = [...new Set(cell)].map((task) => views.roleText(task, report));
    const values = maps.map((map) => {
      const value = map.values[cell[0] * heatmaps.tasks + cell[1]] ?? NaN;
      const isThis = pointed.dataset.map === map.name;
      return el(isThis ? "b" : "span", {}, `${TIP_NAMES[map.name] ?? map.name} ${views.twoDecimals(value)}`);
    });
    tip.replaceChildren(el("span", {}, roles.join(" and ")), el("span", { class: "tip-values" }, ...values));
    const place = heatmaps.placeOf(cell);
    const [left, top] = [pointed.offsetLeft + place.left, pointed.offsetTop + place.top];
    const room = heatmaps.box.clientWidth - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(left + place.size / 2 - tip.offsetWidth / 2, room))}px`;
    const above = top - tip.offsetHeight - 6;
    tip.style.top = `${above >= -20 ? above : top + place.size + 6}px`;
  }
}

/** @type {Record<string, string>} */
const TIP_NAMES = { true: "true", clean: "before", attacked: "after", difference: "change" };
