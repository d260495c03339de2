/**
 * A story in steps. Each step is a state of the real controls; what it says of numbers comes from
 * the report of that run, and is said only when it is true of it.
 */

import { runBeside } from "./comparison.js";
import { $, el } from "../ui/dom.js";
import { formula } from "../ui/math.js";
import { metricDigits, taskList, taskName } from "./report.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Session } from "../core/session.js" */
/** @import { Draft, Report } from "../engine/types.js" */

/**
 * @typedef {{
 *   title: string, text: string[], formula: () => Element, draft: Draft, look: string,
 *   block: ScrollLogicalPosition, beside?: Draft,
 *   found: (report: Report, beside: Outcome | null) => (string | false)[],
 * }} Step
 * `look`: the card it speaks about; `beside`: a run to compare with; `found`: sentences, false
 * where one would not be true.
 */

/** Milliseconds in which a card is brought into sight again if it moves. */
const SEEK = 2000;
/** Few points for each task: here learning together helps, and an attack is clearly seen. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, seed: 3 };
const UNTOUCHED = { method: "random", budget: 0, iterations: 0 };
/** Without a task relationship, and with the penalty that serves each task best alone. */
const ALONE = { ...SMALL, ...UNTOUCHED, lambda1: 0.02, lambda2: 0 };

const two = (/** @type {number} */ value) => value.toFixed(2).replace("-", "−");
const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;

/** @param {Report} report */
function injected({ spec }) {
  const each = Math.floor(spec.budget * (spec.train_per_task ?? 0));
  return { each, all: each * spec.attackers.length, clean: spec.train_per_task ?? 0 };
}

/** @param {number[]} tasks @returns {[number, number][]} */
const pairs = (tasks) => tasks.flatMap((a, k) => tasks.slice(k + 1).map((b) => /** @type {[number, number]} */ ([a, b])));

/** @type {Step[]} */
export const STEPS = [
  {
    title: "Learning together helps",
    text: [
      "Eight small learning tasks, each with only 12 training points: too few to learn much from.",
      "A multi-task learner trains a model for each task, all at once, and lets related tasks help each other. The last term of the formula does that: with λ2 = 0 every task would be alone.",
    ],
    formula: () =>
      formula(
        ["munder", "min", ["mrow", "W", ",", "Ω"]],
        ["munder", "∑", "i"],
        ["mfrac", "1", ["msub", "n", "i"]],
        ["munder", "∑", "j"],
        ["mrow", "ℓ", "(", ["msubsup", "w", "i", "⊤"], ["msub", "x", ["mrow", "i", "j"]], ",", ["msub", "y", ["mrow", "i", "j"]], ")"],
        "+",
        ["mfrac", ["msub", "λ", "1"], "2"],
        ["mrow", "tr", "(", "W", ["msup", "W", "⊤"], ")"],
        "+",
        ["mfrac", ["msub", "λ", "2"], "2"],
        ["mrow", "tr", "(", "W", ["msup", "Ω", ["mrow", "−", "1"]], ["msup", "W", "⊤"], ")"],
      ),
    draft: { ...SMALL, ...UNTOUCHED },
    beside: ALONE,
    look: ".summary",
    block: "start",
    found: ({ spec, clean }, alone) => {
      if (!alone) return [];
      return [
        `Each task alone: the error of ${taskList(spec.targets)} is ${metricDigits(alone.clean)} (NMSE), with the penalty that suits this best.`,
        clean.metric < alone.clean &&
          `All together: ${metricDigits(clean.metric)}. That is ${percent(1 - clean.metric / alone.clean)} less, from the same points.`,
      ];
    },
  },
  {
    title: "The tasks are related",
    text: [
      "How related two tasks are is learned too, as the covariance Ω of the tasks. The map shows it as correlations: +1 the same, 0 unrelated, −1 opposite.",
      "Nobody told the model. These data were made with a known relation, so it can be checked: compare the first two maps.",
    ],
    formula: () =>
      formula(
        ["msub", "ρ", ["mrow", "i", "j"]],
        "=",
        ["mfrac", ["msub", "Ω", ["mrow", "i", "j"]], ["msqrt", ["msub", "Ω", ["mrow", "i", "i"]], ["msub", "Ω", ["mrow", "j", "j"]]]],
      ),
    draft: { ...SMALL, ...UNTOUCHED },
    look: "#heat-card",
    block: "start",
    found: ({ clean, true_correlation: truth }) => {
      const m = Math.sqrt(clean.correlation.length);
      const said = /** @type {[number, number][]} */ ([[0, 1], [0, 3], [0, 7]]);
      return said.map(([a, b]) => {
        const [was, is] = [truth?.[a * m + b] ?? NaN, clean.correlation[a * m + b] ?? NaN];
        return `${taskName(a)} and ${taskName(b)}: in truth ${two(was)}, learned ${two(is)}.`;
      });
    },
  },
  {
    title: "An attacker enters",
    text: [
      "An attacker can slip a few points into the training data of the target tasks. They look ordinary: as large as the clean points at most, with ordinary labels. The test points are never touched.",
      "To begin with, the points lie where chance put them.",
    ],
    formula: () =>
      formula(
        ["mrow", "‖", ["mover", "x", "^"], "‖", "≤", "r", ","],
        ["mspace"],
        ["mrow", ["msub", ["mover", "n", "^"], "i"], "=", "⌊", "b", ["msub", "n", "i"], "⌋"],
      ),
    draft: { ...SMALL, method: "random" },
    look: ".summary",
    block: "start",
    found: (report) => {
      const { each, clean } = injected(report);
      const targets = taskList(report.spec.targets);
      return [
        `A budget of ${percent(report.spec.budget)}: ${each} points beside the ${clean} of each of ${targets}.`,
        report.attacked.metric > report.clean.metric &&
          `Even at random they do some harm: the error of ${targets} goes from ${metricDigits(report.clean.metric)} to ${metricDigits(report.attacked.metric)}.`,
      ];
    },
  },
  {
    title: "Direct: aimed at the targets",
    text: [
      "Now the attacker thinks. In which direction must every point move, so that the model trained on it fits the targets worst? That direction is a gradient. It moves the points, trains the model again, and repeats.",
      "U is the training loss of the targets: the attacker’s utility.",
    ],
    formula: () =>
      formula(
        ["mrow", "U", "=", ["munder", "∑", ["mrow", "i", "∈", "targets"]], "L", "(", ["msub", "D", "i"], ",", ["msub", "w", "i"], ")", ","],
        ["mspace"],
        ["mrow", ["mover", "x", "^"], "←", "Proj", "(", ["mover", "x", "^"], "+", "η", ["msub", "∇", ["mover", "x", "^"]], "U", ")"],
      ),
    draft: SMALL,
    look: "#curve-card",
    block: "start",
    found: (report) => {
      const start = report.trace.metric[0] ?? NaN;
      const { all } = injected(report);
      const end = report.attacked.metric;
      return [
        end > start &&
          `The same ${all} points: left at random the error was ${metricDigits(start)}, after ${report.trace.iteration.length - 1} iterations it is ${metricDigits(end)}; clean, it was ${metricDigits(report.clean.metric)}.`,
        end > 1 && "More than 1: always guessing the average would now be better than this model.",
      ];
    },
  },
  {
    title: "Indirect: through tasks it never touches",
    text: [
      "Guard the targets, then: no point may enter them. The attacker poisons only the other tasks.",
      "But the tasks share what they learn. Each model is a mixture of the points of all tasks, and Ω says how much of which. So the damage travels.",
    ],
    formula: () =>
      formula(
        ["mrow", ["msub", "w", "p"], "=", ["munder", "∑", "i"], ["msub", "Φ", ["mrow", "i", "p"]], ["munder", "∑", "j"], ["msub", "α", ["mrow", "i", "j"]], ["msub", "x", ["mrow", "i", "j"]], ","],
        ["mspace"],
        ["mrow", "Φ", "=", "Ω", ["msup", ["mrow", "(", ["msub", "λ", "1"], "Ω", "+", ["msub", "λ", "2"], "I", ")"], ["mrow", "−", "1"]]],
      ),
    draft: { ...SMALL, attack: "indirect" },
    look: "#tasks-card",
    block: "start",
    found: (report) => {
      const { spec, clean, attacked, trace } = report;
      const targets = taskList(spec.targets);
      const start = trace.metric[0] ?? NaN;
      return [
        !spec.attackers.some((task) => spec.targets.includes(task)) &&
          `Points put into ${targets}: none. All ${injected(report).all} lie in ${taskList(spec.attackers)}.`,
        attacked.metric > clean.metric &&
          `Still the error of ${targets} rises from ${metricDigits(clean.metric)} to ${metricDigits(attacked.metric)}` +
            (attacked.metric > start ? `; the same points left at random: ${metricDigits(start)}.` : "."),
      ];
    },
  },
  {
    title: "What the heatmap gives away",
    text: [
      "To reach the targets through other tasks, the attacker has to bend what the model believes about the tasks. That leaves a trace: the last map is after minus before.",
      "Whoever watches the learned correlations can see an attack in which every single point looks ordinary.",
    ],
    formula: () =>
      formula(["mrow", "Δ", ["msub", "ρ", ["mrow", "i", "j"]], "=", ["msubsup", "ρ", ["mrow", "i", "j"], "attacked"], "−", ["msubsup", "ρ", ["mrow", "i", "j"], "clean"]]),
    draft: { ...SMALL, attack: "indirect" },
    look: "#heat-card",
    block: "end",
    found: ({ spec, clean, attacked, true_correlation: truth }) => {
      const m = Math.sqrt(clean.correlation.length);
      const at = (/** @type {ArrayLike<number> | null} */ map, /** @type {[number, number]} */ [a, b]) => map?.[a * m + b] ?? NaN;
      const moved = (/** @type {[number, number]} */ pair) => Math.abs(at(attacked.correlation, pair) - at(clean.correlation, pair));
      const all = pairs([...Array(m).keys()]);
      const most = all.reduce((best, pair) => (moved(pair) > moved(best) ? pair : best));
      const own = pairs(spec.attackers);
      const strong = (/** @type {ArrayLike<number>} */ map) => own.filter((pair) => at(map, pair) > 0.5).length;
      return [
        `The largest change: ${taskName(most[0])} and ${taskName(most[1])}, from ${two(at(clean.correlation, most))} to ${two(at(attacked.correlation, most))}. The truth is ${two(at(truth, most))}.`,
        `The paper’s clue is that attacking tasks become strongly correlated. Here, of their ${own.length} pairs, ${strong(clean.correlation)} are above 0.5 before and ${strong(attacked.correlation)} after: look at changes, not only at size.`,
      ];
    },
  },
];

export class Story {
  /** @param {Session} lab */
  constructor(lab) {
    this.lab = lab;
    /** From 1; 0: closed. */
    this.step = 0;
    /** @type {Map<Step, Report>} what came out of the steps */
    this.reports = new Map();
    /** What the step says of its numbers. */
    this.said = "";
    /** @type {Map<Step, Outcome>} what came out of the runs beside them */
    this.beside = new Map();
    const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {() => void} */ onclick) =>
      el("button", { type: "button", "data-testid": `story-${id}`, onclick }, text);
    this.count = el("span", { class: "story-count", "data-testid": "story-count" });
    this.title = el("h2", { id: "story-title", tabindex: -1, "data-testid": "story-title" });
    this.words = el("div", { class: "story-words" });
    this.found = el("div", { class: "story-found", "data-testid": "story-found" });
    this.formula = el("div", { class: "story-formula", tabindex: 0, role: "group", "aria-label": "Formula" });
    const back = button("restore", "Use those of this step", () => this.apply());
    this.changed = el("p", { class: "story-changed", "data-testid": "story-changed", hidden: true }, "These are other settings than those of this step. ", back);
    this.body = el(
      "div",
      { class: "story-body", tabindex: 0, role: "group", "aria-label": "What this step shows", "data-terms": true },
      el("div", {}, this.words, this.found, this.changed),
      this.formula,
    );
    this.back = button("back", "Back", () => this.open(this.step - 1, false));
    this.next = button("next", "Next", () => (this.step === STEPS.length ? this.close() : this.open(this.step + 1, false)));
    this.next.classList.add("primary");
    this.spoken = el("span", { class: "visually-hidden", role: "status" });
    const close = button("close", "Close", () => this.close());
    this.panel = el(
      "section",
      { id: "story", "aria-labelledby": "story-title", "data-testid": "story" },
      el("div", { class: "story-head" }, this.count, this.title, el("div", { class: "story-buttons" }, this.back, this.next, close)),
      this.body,
      this.spoken,
    );
    addEventListener("keydown", (event) => {
      const other = document.querySelector(":popover-open, dialog[open]");
      if (event.key === "Escape" && this.step && !other && !event.defaultPrevented) this.close();
    });
    // The page scrolls what is looked at clear of the panel.
    new ResizeObserver(() => this.makeRoom()).observe(this.panel);
    // What is loaded after the first result moves the cards: once more then, unless the user scrolls.
    this.seeking = 0;
    new ResizeObserver(() => performance.now() < this.seeking && this.seek()).observe($("results"));
    for (const type of ["wheel", "touchstart", "keydown"]) {
      addEventListener(type, () => (this.seeking = 0), { passive: true });
    }
    lab.subscribe(({ type }) => {
      if (this.step && ["changed", "started", "done", "ended"].includes(type)) this.show(type === "done");
    });
  }

  makeRoom() {
    const height = this.step ? this.panel.offsetHeight : 0;
    document.documentElement.style.setProperty("--story", `${height}px`);
  }

  get current() {
    return STEPS[this.step - 1];
  }

  /** Are the settings those of the step? */
  get own() {
    const complete = this.current && this.lab.engine.complete(this.current.draft);
    return complete && !("errors" in complete) && complete.link === this.lab.complete?.link;
  }

  /**
   * @param {number} step from 1; others are brought into the range
   * @param {boolean} pressed on the button that starts the story, which then gets the focus
   */
  open(step, pressed) {
    const before = this.step;
    this.step = Math.min(Math.max(Math.round(step), 1), STEPS.length);
    const current = this.current;
    if (!current) return;
    if (!this.panel.isConnected) $("results").append(this.panel);
    this.count.textContent = `Step ${this.step} of ${STEPS.length}`;
    this.title.textContent = current.title;
    this.words.replaceChildren(...current.text.map((text) => el("p", {}, text)));
    this.formula.replaceChildren(current.formula());
    this.body.scrollTop = 0;
    this.back.disabled = this.step === 1;
    this.next.textContent = this.step === STEPS.length ? "Finish" : "Next";
    this.spoken.textContent = `Step ${this.step} of ${STEPS.length}: ${current.title}`;
    this.found.replaceChildren();
    this.said = "";
    if (pressed) this.title.focus({ preventScroll: true });
    else if (this.back.disabled && document.activeElement === document.body && before) this.next.focus();
    this.lab.setView("story", String(this.step));
    if (current.beside && !this.beside.has(current)) {
      runBeside(this.lab, [current.beside], 1, (_, outcome) => {
        if ("clean" in outcome) this.beside.set(current, outcome);
        this.show(false);
      });
    }
    // A link may hold other settings: they stay until the step is left.
    const visitor = !before && !pressed && Object.keys(this.lab.draft).length > 0;
    if (this.own || visitor) this.show(true);
    else this.apply();
  }

  /** Takes the settings of the step, and runs them. */
  apply() {
    if (!this.current) return;
    this.lab.adopt(this.current.draft);
    this.lab.start();
  }

  close() {
    if (!this.step) return;
    this.step = 0;
    const inside = this.panel.contains(document.activeElement);
    this.panel.remove();
    this.makeRoom();
    this.mark(null);
    this.lab.setView("story");
    if (inside) $("tour").focus();
  }

  /** Says what is known by now. @param {boolean} look bring the card into sight */
  show(look) {
    const { current, lab } = this;
    if (!current) return;
    const mine = this.own;
    if (mine && lab.result && lab.result.link === lab.complete?.link) this.reports.set(current, lab.result.report);
    const report = this.reports.get(current);
    const sentences = report ? current.found(report, this.beside.get(current) ?? null).filter((one) => one !== false) : [];
    if (sentences.join(" ") !== this.said) {
      this.said = sentences.join(" ");
      this.found.replaceChildren(...sentences.map((one) => el("p", {}, one)));
      if (this.said) this.spoken.textContent = `Step ${this.step}: ${current.title}. ${this.said}`;
    }
    this.changed.hidden = Boolean(mine);
    const card = document.querySelector(current.look);
    this.mark(card);
    if (!look || !card) return;
    this.makeRoom();
    this.seeking = performance.now() + SEEK;
    this.seek();
  }

  /** Brings the card that the step speaks about into sight. */
  seek() {
    const { current } = this;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!current) return;
    const card = document.querySelector(current.look);
    card?.scrollIntoView({ block: current.block, behavior: calm ? "auto" : "smooth" });
  }

  /** @param {Element | null} card the one that the step speaks about */
  mark(card) {
    for (const old of document.querySelectorAll(".looked-at")) old.classList.toggle("looked-at", old === card);
    card?.classList.add("looked-at");
  }
}
