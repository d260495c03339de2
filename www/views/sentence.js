/**
 * The result as a sentence whose numbers can be moved: the budget and the iteration, with the pointer (drag to
 * the side) or with the keys of a slider.
 */

import "../style/sentence.css";
import { $, el } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Report } from "../engine/types.js" */

/** Pixels of a drag for one step. */
const PIXELS = 12;
/** Steps that Page Up and Page Down take. */
const PAGE = 5;
/** Of the budget. */
const STEPS = 20;

export class Sentence {
  /**
   * @param {Session} session
   * @param {(iteration: number) => void} onIteration
   */
  constructor(session, onIteration) {
    this.session = session;
    /** @type {Report | null} */
    this.report = null;
    this.at = 0;
    this.budget = number(
      "budget",
      "Budget",
      (step) => {
        session.choose("budget", step / STEPS);
        // Where runs are slow, they do not start by themselves.
        if (!session.willRun) this.show();
      },
      () => !session.willRun && session.stale && session.ready && session.start(),
    );
    this.iteration = number("iteration", "Iteration", onIteration, () => {});
    this.value = el("b", { "data-testid": "sentence-value" });
    this.whose = el("span", {});
    this.root = $("sentence");
    session.subscribe(({ type }) => type === "changed" && this.show());
  }

  /** @param {Report} report */
  update(report) {
    this.report = report;
    this.at = report.trace.iteration.length - 1;
    this.show();
  }

  /** Shows an iteration; null: the last. @param {number | null} iteration */
  moveTo(iteration) {
    const last = (this.report?.trace.iteration.length ?? 1) - 1;
    this.at = Math.min(iteration ?? last, last);
    this.show();
  }

  show() {
    const { report, session, at } = this;
    if (!report) return;
    const last = report.trace.iteration.length - 1;
    const budget = session.complete?.spec.budget ?? report.spec.budget;
    set(this.budget, Math.round(budget * STEPS), STEPS, `${Math.round(100 * budget)} %`);
    set(this.iteration, at, last, String(at));
    this.value.textContent = session.stale ? "…" : views.metricDigits(report.trace.metric[at] ?? NaN);
    const { short } = views.METRICS[report.metric_name];
    this.whose.textContent = `${short} of ${views.taskList(report.spec.targets, report.task_names)}:`;
    if (this.root.childElementCount) return;
    this.root.append(
      "Drag the numbers: with a budget of ",
      this.budget,
      " at iteration ",
      this.iteration,
      ", ",
      this.whose,
      " ",
      this.value,
    );
  }
}

/**
 * @param {HTMLElement} element
 * @param {number} value
 * @param {number} most
 * @param {string} text
 */
function set(element, value, most, text) {
  element.textContent = text;
  element.ariaValueNow = String(value);
  element.ariaValueMax = String(most);
  element.ariaValueText = text;
  element.toggleAttribute("data-fixed", most < 1);
}

/**
 * A number that can be moved in whole steps from 0.
 * @param {string} id
 * @param {string} label
 * @param {(step: number) => void} onStep
 * @param {() => void} onEnd the user let go
 */
function number(id, label, onStep, onEnd) {
  const element = el("span", {
    class: "movable",
    role: "slider",
    tabindex: 0,
    "aria-label": label,
    "aria-valuemin": 0,
    "data-testid": `sentence-${id}`,
  });
  const now = () => Number(element.ariaValueNow);
  const go = (/** @type {number} */ step) => {
    const within = Math.min(Math.max(step, 0), Number(element.ariaValueMax));
    if (within !== now()) onStep(within);
  };
  element.onkeydown = (event) => {
    const step = {
      ArrowRight: now() + 1,
      ArrowUp: now() + 1,
      ArrowLeft: now() - 1,
      ArrowDown: now() - 1,
      PageUp: now() + PAGE,
      PageDown: now() - PAGE,
      Home: 0,
      End: Infinity,
    }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    go(step);
  };
  element.onkeyup = onEnd;
  element.onpointerdown = (event) => {
    const [from, start] = [event.clientX, now()];
    element.setPointerCapture(event.pointerId);
    element.onpointermove = ({ clientX }) => go(start + Math.round((clientX - from) / PIXELS));
    element.onlostpointercapture = () => {
      element.onpointermove = null;
      onEnd();
    };
  };
  return element;
}
