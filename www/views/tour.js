/** The guided tour: a panel whose steps set the real controls. The steps are in tour_steps.js. */

import "../style/tour.css";
import { outcomeOf, runComparisons } from "./comparison.js";
import { errorMessage } from "../core/words.js";
import { $, byId, el } from "../ui/dom.js";
import { STEPS } from "./tour_steps.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Session } from "../core/session.js" */
/** @import { Points, Step } from "./tour_steps.js" */
/** @import { Draft, Report, Result } from "../engine/types.js" */

/** For so many milliseconds, a card that moves is scrolled into view again. */
const SEEK = 2000;

export class Story {
  /** @param {Session} lab */
  constructor(lab) {
    this.lab = lab;
    /** From 1; 0: closed. */
    this.step = 0;
    /** @type {Map<Step, {report: Report, points: Points | null}>} results of the steps */
    this.reports = new Map();
    /** @type {Map<Step, Report>} whose points are known, or asked for */
    this.learned = new Map();
    /** What the user guessed before a step's findings; -1: a link shows them at once. @type {Map<Step, number>} */
    this.guesses = new Map();
    /** The findings that are shown. */
    this.shown = "";
    /** @type {Map<Step, Outcome>} results of the comparison runs */
    this.comparisons = new Map();
    const button = (
      /** @type {string} */ id,
      /** @type {string} */ text,
      /** @type {() => void} */ onclick,
    ) => el("button", { type: "button", "data-testid": `story-${id}`, onclick }, text);
    this.count = el("span", { class: "story-count", "data-testid": "story-count" });
    this.title = el("h2", { id: "story-title", tabindex: -1, "data-testid": "story-title" });
    this.text = el("div", { class: "story-words" });
    this.found = el("div", { class: "story-found", "data-testid": "story-found" });
    this.question = el("div", { class: "story-question", role: "group", "data-testid": "story-question" });
    this.formula = el("div", { class: "story-formula", tabindex: 0, role: "group", "aria-label": "Formula" });
    const back = button("restore", "Restore the settings of this step", () => this.apply());
    this.changed = el(
      "p",
      { class: "story-changed", "data-testid": "story-changed", hidden: true },
      "The settings differ from those of this step. ",
      back,
    );
    this.body = el(
      "div",
      {
        class: "story-body",
        tabindex: 0,
        role: "group",
        "aria-label": "Text of this step",
        "data-terms": true,
      },
      el("div", {}, this.text, this.question, this.found, this.changed),
      this.formula,
    );
    this.back = button("back", "Back", () => this.move(this.step - 1));
    this.next = button("next", "Next", () =>
      this.step === STEPS.length ? this.close() : this.move(this.step + 1),
    );
    this.next.classList.add("primary");
    this.spoken = el("span", { class: "visually-hidden", role: "status" });
    const close = button("close", "Close", () => this.close());
    this.panel = el(
      "section",
      { id: "story", "aria-labelledby": "story-title", "data-testid": "story" },
      el(
        "div",
        { class: "story-head" },
        this.count,
        this.title,
        el("div", { class: "story-buttons" }, this.back, this.next, close),
      ),
      this.body,
      this.spoken,
    );
    addEventListener("keydown", (event) => {
      const other = document.querySelector(":popover-open, dialog[open]");
      if (event.key === "Escape" && this.step && !other && !event.defaultPrevented) this.close();
    });
    // Keeps the panel from covering the card that is scrolled into view.
    new ResizeObserver(() => this.makeRoom()).observe(this.panel);
    // Content loaded after the first result moves the cards: scroll again then, unless the user scrolls.
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

  /** Do the settings match the step? */
  get matches() {
    const complete = this.current && this.lab.engine.complete(this.current.draft);
    return complete && !("errors" in complete) && complete.link === this.lab.complete?.link;
  }

  /** The report of these settings, if a step has run them. @param {Draft} draft */
  reportOf(draft) {
    const linkOf = (/** @type {Draft} */ one) => {
      const complete = this.lab.engine.complete(one);
      return "errors" in complete ? "" : complete.link;
    };
    const link = linkOf(draft);
    return [...this.reports].find(([step]) => linkOf(step.draft) === link)?.[1].report;
  }

  /** Does the step wait for the user's guess? */
  get isAsking() {
    return this.current?.question !== undefined && !this.guesses.has(this.current);
  }

  /**
   * @param {number} step from 1; clamped to the range
   * @param {boolean} pressed by the button that starts the tour: the focus moves to the tour
   */
  open(step, pressed) {
    const current = STEPS[Math.min(Math.max(Math.round(step), 1), STEPS.length) - 1];
    // A link shows its step with the findings.
    if (!pressed && current && !this.guesses.has(current)) this.guesses.set(current, -1);
    this.move(step, pressed);
  }

  /**
   * @param {number} step
   * @param {boolean} [pressed] as in `open`
   */
  move(step, pressed = false) {
    const before = this.step;
    this.step = Math.min(Math.max(Math.round(step), 1), STEPS.length);
    const current = this.current;
    if (!current) return;
    if (!this.panel.isConnected) $("results").append(this.panel);
    this.count.textContent = `Step ${this.step} of ${STEPS.length}`;
    this.title.textContent = current.title;
    this.text.replaceChildren(...current.text.map((text) => el("p", {}, text)));
    this.formula.replaceChildren(...(current.formula ? [current.formula()] : []));
    this.ask();
    this.body.scrollTop = 0;
    this.back.disabled = this.step === 1;
    this.next.textContent = this.step === STEPS.length ? "Finish" : "Next";
    this.spoken.textContent = `Step ${this.step} of ${STEPS.length}: ${current.title}`;
    this.found.replaceChildren();
    this.shown = "";
    if (pressed) this.title.focus({ preventScroll: true });
    else if (this.back.disabled && document.activeElement === document.body && before) this.next.focus();
    this.lab.setView("story", String(this.step));
    const known = current.comparison && this.reportOf(current.comparison);
    if (known) this.comparisons.set(current, outcomeOf(known));
    else if (current.comparison && !this.comparisons.has(current)) {
      runComparisons(this.lab, [current.comparison], 1, (_, outcome) => {
        if ("clean" in outcome) this.comparisons.set(current, outcome);
        this.show(false);
      });
    }
    // A link may contain other settings: they stay until the user moves to another step.
    const isSet = Object.keys(this.lab.draft).some((name) => name !== "version");
    const visitor = !before && !pressed && isSet;
    const waits = this.isAsking && current.question?.waits;
    if (this.matches || visitor || waits) this.show(!waits);
    else this.apply();
  }

  /** Shows the question of the step; of the last one, what the user can play. */
  ask() {
    const { current, question } = this;
    const asked = this.isAsking ? current?.question : undefined;
    const button = (
      /** @type {string} */ id,
      /** @type {string} */ text,
      /** @type {() => void} */ onclick,
    ) => el("button", { type: "button", "data-testid": `story-${id}`, onclick }, text);
    question.hidden = !asked && !current?.isLast;
    // The question has the room until the guess.
    this.formula.hidden = !current?.formula || asked !== undefined;
    if (asked) {
      question.replaceChildren(
        el("p", { id: "story-asked" }, `Your guess: ${asked.text}`),
        el(
          "div",
          { class: "actions" },
          ...asked.options.map((text, k) => button(`guess-${k}`, text, () => this.guess(k))),
        ),
      );
      question.setAttribute("aria-labelledby", "story-asked");
      this.spoken.textContent += `. ${asked.text}`;
    } else if (current?.isLast) {
      question.replaceChildren(
        el(
          "div",
          { class: "actions" },
          button("defend", "Find the poisoned task", () => this.defend()),
          button("by-hand", "Move a point by hand", () => {
            // The panel would cover the points.
            this.close();
            const card = byId("where-card", HTMLDetailsElement);
            card.open = true;
            card.scrollIntoView({ block: "start" });
            $("by-hand").click();
          }),
        ),
      );
      question.setAttribute("aria-labelledby", "story-title");
    }
  }

  /** @param {number} option */
  guess(option) {
    if (!this.current) return;
    this.guesses.set(this.current, option);
    this.ask();
    this.next.focus({ preventScroll: true });
    if (this.matches) this.show(true);
    else this.apply();
  }

  async defend() {
    try {
      await (await import("./defender.js")).openDefender(this.lab);
    } catch (problem) {
      this.lab.notice(`${errorMessage(problem)}. Check the connection, then press again.`, "bad", "story");
    }
  }

  /** Applies the settings of the step and runs them. */
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
    this.pair();
    this.lab.setView("story");
    if (inside) $("tour").focus();
  }

  /** Updates the findings. @param {boolean} scroll to the card of the step */
  show(scroll) {
    const { current, lab } = this;
    if (!current) return;
    const { isAsking } = this;
    const waits = isAsking && current.question?.waits;
    const matches = this.matches || waits;
    const { result } = lab;
    if (!waits && matches && result && result.link === lab.complete?.link) this.learn(current, result);
    const sentences = isAsking ? [] : this.sentences(current);
    if (sentences.join(" ") !== this.shown) {
      this.shown = sentences.join(" ");
      this.found.replaceChildren(...sentences.map((one) => el("p", {}, one)));
      if (this.shown && current.more) this.found.append(el("p", {}, moreOf(current.more)));
      if (this.shown) this.spoken.textContent = `Step ${this.step}: ${current.title}. ${this.shown}`;
    }
    this.changed.hidden = Boolean(matches);
    this.pair(waits ? undefined : current.maps);
    const card = waits ? null : document.querySelector(current.card);
    this.mark(card);
    if (!scroll || !card) return;
    this.makeRoom();
    this.seeking = performance.now() + SEEK;
    this.seek();
  }

  /** Takes the result of a step, and how its poisoned points look. @param {Step} step @param {Result} result */
  async learn(step, result) {
    const { report } = result;
    if (this.learned.get(step) === report) return;
    this.learned.set(step, report);
    const points = await pointsOf(this.lab, result).catch(() => null);
    this.reports.set(step, { report, points });
    this.show(false);
  }

  /** The guess and the findings, once their results are there. @param {Step} step */
  sentences(step) {
    const known = this.reports.get(step);
    if (!known) return [];
    const { report, points } = known;
    const comparison = this.comparisons.get(step) ?? null;
    const guess = this.guesses.get(step) ?? -1;
    const answer = step.question?.answer(report, comparison, points) ?? null;
    const verdict =
      guess >= 0 &&
      answer !== null &&
      (guess === answer
        ? "You guessed right."
        : `You guessed “${step.question?.options[guess]}”. The run says otherwise.`);
    return [verdict, ...step.findings(report, comparison, points)].filter((one) => one !== false);
  }

  /** Shows the two maps that a step speaks of, or all. @param {Step["maps"]} [maps] */
  pair(maps) {
    const [box, truth] = [$("heatmaps"), byId("show-truth", HTMLInputElement)];
    if (box.dataset.pair === maps) return;
    if (maps) box.dataset.pair = maps;
    else delete box.dataset.pair;
    truth.checked = maps === "truth";
    // Sets the true map, and draws.
    truth.dispatchEvent(new Event("change"));
  }

  /** Scrolls the card of the step into view. */
  seek() {
    const { current } = this;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!current) return;
    const card = document.querySelector(current.card);
    card?.scrollIntoView({ block: current.block, behavior: calm ? "auto" : "smooth" });
  }

  /** Highlights the card of the step. @param {Element | null} card */
  mark(card) {
    for (const old of document.querySelectorAll(".looked-at"))
      old.classList.toggle("looked-at", old === card);
    card?.classList.add("looked-at");
  }
}

/** A link to another view, with the settings that are shown when it is followed. @param {"defend"} view */
function moreOf(view) {
  const link = el("a", { href: `#view=${view}`, "data-testid": `story-to-${view}` });
  link.textContent = "Try every defence on these settings, against every attacker";
  link.onclick = () => (link.href = $(`to-${view}`).getAttribute("href") ?? link.href);
  return link;
}

/**
 * How the poisoned points of a result look; null of one whose worker has another run.
 * @param {Session} lab
 * @param {Result} result
 * @returns {Promise<Points | null>}
 */
async function pointsOf(lab, { run, report, kept }) {
  const json = kept?.json || (await lab.solver.file("report", report.digest)) || "{}";
  /** @type {{detection?: {norm: {roc_auc: number, precision: number}} | null}} */
  const { detection } = JSON.parse(json);
  const [last, scene] = [run.points.at(-1), run.scene];
  // A recalled result may have no points.
  if (!detection || !last || !scene) return null;
  return {
    pairs: detection.norm.roc_auc,
    caught: Math.round(detection.norm.precision * report.injected),
    surface: last.on_surface,
    shown: scene.injected.length / 2,
  };
}
