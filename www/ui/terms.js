/**
 * The terms of the page, each with one line of explanation where it is met: the first time it
 * stands in a part of the page marked `data-terms` it becomes a button that opens the line.
 */

import { el } from "./dom.js";

/** @import { Field } from "../engine/types.js" */

/**
 * @typedef {{words: string, says: string} | {words: string, field: string}} Term
 * `words`: a pattern of the words that stand for it. A field of the form says itself what it is.
 */

/** @type {Term[]} where two patterns match at one place, the first is taken */
const TERMS = [
  { words: "NMSE|[Ee]rrors? \\(NMSE\\)", says: "Normalised mean squared error on test points: 0 is perfect, 1 is as bad as always guessing the average." },
  { words: "AUC", says: "Area under the ROC curve on test points: the chance that a point of class +1 is scored above one of class −1. 1 is perfect, 0.5 a coin toss." },
  { words: "PATOM", says: "The paper’s attack, “Poisoning ATtacks On Multi-task relationship learning”: move the injected points along the gradient, train again, repeat." },
  { words: "multi-task learn(?:ing|er)|Multi-task (?:relationship )?learn(?:ing|er)", says: "Training models for several tasks at once, so that related tasks help each other." },
  { words: "[Aa]ttacking(?: tasks?)?", field: "attackers" },
  { words: "[Tt]argets?(?: tasks?)?", field: "targets" },
  { words: "[Tt]asks?", says: "One learning problem of several: a field of mines, a joint of a robot, a digit. Each has its own points and its own model." },
  { words: "poisoned points|[Ii]njected points", says: "Points that the attacker adds to the training data. Test points are never touched." },
  { words: "[Rr]andom points|random start", says: "The injected points where chance put them: what an attack without any calculation does." },
  { words: "[Uu]tility", says: "What the attacker maximises: the loss of the model on the clean training points of the targets." },
  { words: "[Cc]orrelations?", says: "How alike the model takes two tasks to be: +1 the same, 0 unrelated, −1 opposite." },
  { words: "(?:task )?covariance", says: "The matrix Ω, learned with the models: on its diagonal how large each model is, beside it how two tasks go together." },
  { words: "[Ii]ndirect(?:ly)?", says: "An attack on the targets that puts points only into other tasks." },
  { words: "[Dd]irect", says: "An attack that puts points into the target tasks themselves." },
  { words: "[Hh]ybrid", says: "An attack that puts points into some targets and some other tasks." },
  { words: "[Bb]udget", field: "budget" },
  { words: "[Rr]adius", field: "radius" },
  { words: "[Ss]eed", field: "seed" },
  { words: "λ1", field: "lambda1" },
  { words: "λ2", field: "lambda2" },
  { words: "ε", field: "epsilon" },
  { words: "implicit[ _]total|exact gradient", says: "The exact gradient of the utility: it knows that moving a point changes Ω as well." },
  { words: "published(?: gradient)?", says: "The paper’s gradient: an approximation that holds Ω and the shape of the loss fixed." },
  { words: "implicit", says: "The gradient that is exact as long as Ω stays as it is." },
  { words: "[Gg]radient", says: "The direction in which the injected points must move to raise the utility fastest." },
  { words: "[Bb]acktracking", says: "A step that does not raise the utility is shortened until it does: the curve of the utility never falls." },
  { words: "constant step", says: "Every step has the same length, as in the paper: it may overshoot, and the curve swings." },
  { words: "[Ii]terations?", says: "One round of the attack: move the injected points a little, train the model on them, measure." },
  { words: "[Cc]ertificate|[Ee]rror bound|above the optimum", says: "The certificate: a proven limit on how far the solver’s objective is from the best possible one." },
  { words: "[Oo]bjective", says: "What the learner makes small: the mean loss of all tasks, and two penalties." },
  { words: "[Cc]onverged", says: "The solver met its stopping rule; the certificate says how good its answer is." },
  { words: "(?:squared )?hinge(?: loss)?", says: "A loss for two classes: none for a point well on the right side, growing with the square of the distance otherwise." },
  { words: "[Ll]oss", says: "How wrong the model is on a point; training makes its mean small." },
  { words: "[Dd]igest", says: "A fingerprint of all numbers of the result: equal digests, equal results, bit for bit." },
  { words: "SHA-256", says: "A fingerprint of the data: equal only if every byte is." },
  { words: "[Ee]ngine", says: "The part of this page that calculates; results are comparable bit for bit within one version of it." },
];

const ALL = new RegExp(`(?<![\\p{L}\\d-])(?:${TERMS.map(({ words }) => `(${words})`).join("|")})(?![\\p{L}\\d])`, "gu");
/** What answers to a press already, is no prose, or says itself what its words mean. */
const NOT_HERE =
  ".term, button, a, label, legend, summary, math, code, pre, select, td, .label, .role, .status, .readout, " +
  "[data-field=attack], [data-field=targets], [data-field=attackers], [data-field=gradient], [data-field=step]";

/** @param {Field[]} fields */
export function explainTerms(fields) {
  const line = el("span", {});
  const spoken = el("span", { class: "visually-hidden", role: "status" });
  // Seen, not heard: what is heard is spoken.
  const note = el("div", { id: "term-note", popover: "auto", "aria-hidden": "true", "data-testid": "term-note" }, line);
  document.body.append(note, spoken);
  /** @type {HTMLElement | null} whose line is shown */
  let owner = null;
  /** @type {HTMLElement | null} whose line was shown when the pointer went down: that closes it */
  let pressed = null;
  note.addEventListener("toggle", (event) => {
    if (!(event instanceof ToggleEvent) || event.newState === "open") return;
    owner?.setAttribute("aria-expanded", "false");
    owner = null;
    spoken.textContent = "";
  });
  addEventListener("pointerdown", () => (pressed = owner), true);
  addEventListener("scroll", () => owner && note.hidePopover(), true);

  /** @param {HTMLElement} button @param {Term} term */
  function toggle(button, term) {
    const was = owner ?? pressed;
    pressed = null;
    owner?.setAttribute("aria-expanded", "false");
    note.hidePopover();
    owner = null;
    if (was === button) return;
    const says = "says" in term ? term.says : (fields.find(({ name }) => name === term.field)?.purpose ?? "");
    line.textContent = spoken.textContent = says;
    note.showPopover();
    owner = button;
    button.setAttribute("aria-expanded", "true");
    const [at, size] = [button.getBoundingClientRect(), note.getBoundingClientRect()];
    const room = document.documentElement.clientWidth - size.width - 8;
    const below = at.bottom + 6 + size.height < innerHeight;
    note.style.left = `${Math.max(8, Math.min(at.left, room))}px`;
    note.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - size.height - 6)}px`;
  }

  /** @param {Element} part */
  function explain(part) {
    const met = new Set([...part.querySelectorAll(".term")].map((button) => button.getAttribute("data-term")));
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    /** @type {Text[]} */
    const texts = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node instanceof Text && !node.parentElement?.closest(NOT_HERE)) texts.push(node);
    }
    for (const text of texts) {
      /** @type {(string | Node)[]} */
      const pieces = [];
      let end = 0;
      for (const match of text.data.matchAll(ALL)) {
        const k = match.slice(1).findIndex((group) => group !== undefined);
        const term = TERMS[k];
        if (!term || met.has(String(k))) continue;
        met.add(String(k));
        // No button element: that would be one block, with line breaks before every comma.
        const button = el(
          "span",
          { class: "term", role: "button", tabindex: 0, "data-term": k, "aria-expanded": "false" },
          match[0],
        );
        button.onclick = () => toggle(button, term);
        button.onkeydown = (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          toggle(button, term);
        };
        pieces.push(text.data.slice(end, match.index), button);
        end = match.index + match[0].length;
      }
      if (end > 0) text.replaceWith(...pieces, text.data.slice(end));
    }
  }

  /** @type {Set<Element>} */
  const changed = new Set();
  /** @param {Element} part */
  const later = (part) => {
    if (changed.size === 0) {
      requestAnimationFrame(() => {
        for (const part of changed) explain(part);
        changed.clear();
      });
    }
    changed.add(part);
  };
  const observer = new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      const part = target instanceof Element && target.closest("[data-terms]");
      if (part) later(part);
      for (const node of addedNodes) {
        if (node instanceof Element) node.querySelectorAll("[data-terms]").forEach(later);
      }
    }
  });
  document.querySelectorAll("[data-terms]").forEach(explain);
  observer.observe(document.body, { subtree: true, childList: true });
}
