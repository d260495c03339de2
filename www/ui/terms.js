/**
 * A glossary: the first occurrence of a term in each part of the page marked `data-terms` becomes a
 * button that opens a short definition.
 */

import "../style/terms.css";
import { el } from "./dom.js";

/** @import { Field } from "../engine/types.js" */

/**
 * @typedef {{pattern: string, definition: string} | {pattern: string, field: string}} Term
 * `pattern` matches the term in text. The definition of a setting is its field's purpose.
 */

/** @type {Term[]} where two patterns match at the same place, the first wins */
const TERMS = [
  {
    pattern: "NMSE|[Ee]rrors? \\(NMSE\\)",
    definition:
      "Normalised mean squared error on the test set: 0 is perfect, 1 is no better than predicting the mean.",
  },
  {
    pattern: "AUC",
    definition:
      "Area under the ROC curve on the test set: the probability that a point of class +1 scores above one of class −1. 1 is perfect, 0.5 is chance.",
  },
  {
    pattern: "PATOM",
    definition:
      "The paper's attack, “Poisoning ATtacks On Multi-task relationship learning”: move the poisoned points along the gradient, retrain, repeat.",
  },
  {
    pattern: "multi-task learn(?:ing|er)|Multi-task (?:relationship )?learn(?:ing|er)",
    definition: "Training models for several tasks jointly, so that related tasks improve each other.",
  },
  {
    pattern: "[Ss]ingle-task(?: learning)?",
    definition: "Training each task alone: nothing that other tasks contain can reach it.",
  },
  {
    pattern: "[Pp]ull cap|[Cc]ap(?:ped)?",
    definition:
      "A limit μ on how hard other tasks can pull at a task's model: 0 is single-task, no limit multi-task learning.",
  },
  {
    pattern: "[Cc]ertified(?: bound| error)?",
    definition:
      "Proven: no points in other tasks, however many, can make the error of a clean task worse than this. It needs the pull cap.",
  },
  {
    pattern: "[Ss]anitis(?:ed|ers?)|[Ff]ilters?",
    definition: "A rule that drops suspicious training points before training.",
  },
  {
    pattern: "attackers? who knows?(?: \\w+)?",
    definition:
      "An attacker who knows the defence and plans for it. A defence that stops only one who does not know it stops nobody.",
  },
  { pattern: "[Aa]ttacking(?: tasks?)?", field: "attackers" },
  { pattern: "[Tt]argets?(?: tasks?)?", field: "targets" },
  {
    pattern: "[Tt]asks?",
    definition:
      "One of several learning problems: a minefield, a robot joint, a digit. Each has its own data and its own model.",
  },
  {
    pattern: "[Pp]oisoned points|[Ii]njected points",
    definition: "Points that the attacker adds to the training set. The test set is never changed.",
  },
  {
    pattern: "[Rr]andom points|random start",
    definition: "Poisoned points drawn at random, without optimisation: the baseline attack.",
  },
  {
    pattern: "[Uu]tility",
    definition:
      "The attacker's objective: the model's loss on the clean training points of the target tasks.",
  },
  {
    pattern: "[Cc]orrelations?",
    definition: "The learned similarity of two tasks: +1 identical, 0 unrelated, −1 opposite.",
  },
  {
    pattern: "(?:task )?covariance",
    definition:
      "The matrix Ω, learned together with the models: the diagonal is the scale of each model, the rest how pairs of tasks covary.",
  },
  {
    pattern: "[Ii]ndirect(?:ly)?",
    definition: "An attack on the target tasks that adds points only to other tasks.",
  },
  { pattern: "[Dd]irect", definition: "An attack that adds points to the target tasks themselves." },
  {
    pattern: "[Hh]ybrid",
    definition: "An attack that adds points to some target tasks and some other tasks.",
  },
  { pattern: "[Bb]udget", field: "budget" },
  { pattern: "[Rr]adius", field: "radius" },
  { pattern: "[Ss]eed", field: "seed" },
  { pattern: "λ1", field: "lambda1" },
  { pattern: "λ2", field: "lambda2" },
  { pattern: "ε", field: "epsilon" },
  {
    pattern: "implicit[ _]total|exact gradient",
    definition: "The exact gradient of the utility: it includes the effect of a point on Ω.",
  },
  {
    pattern: "published(?: gradient)?",
    definition:
      "The paper's gradient: an approximation that treats Ω and the curvature of the loss as constant.",
  },
  { pattern: "implicit", definition: "The gradient that is exact if Ω does not change." },
  {
    pattern: "[Gg]radient",
    definition: "The direction in which moving the poisoned points increases the utility fastest.",
  },
  {
    pattern: "[Bb]acktracking",
    definition: "A step is shortened until it increases the utility, so the utility never decreases.",
  },
  {
    pattern: "constant step",
    definition: "Every step has the same size, as in the paper. It may overshoot, so the curve oscillates.",
  },
  {
    pattern: "[Ii]terations?",
    definition: "One round of the attack: move the poisoned points, retrain the model, measure.",
  },
  {
    pattern: "[Cc]ertificate|[Ee]rror bound|above the optimum",
    definition:
      "The certificate: a proven upper bound on the gap between the solver's objective and the optimum.",
  },
  {
    pattern: "[Oo]bjective",
    definition: "What the learner minimises: the mean loss of all tasks plus two regularisation terms.",
  },
  {
    pattern: "[Cc]onverged",
    definition: "The solver met its stopping criterion; the certificate bounds its error.",
  },
  {
    pattern: "(?:squared )?hinge(?: loss)?",
    definition: "A classification loss: zero beyond the margin, otherwise quadratic in the distance to it.",
  },
  { pattern: "[Ll]oss", definition: "The model's error on a point; training minimises its mean." },
  {
    pattern: "[Dd]igest",
    definition: "A hash of all numbers of the result: equal digests mean bit-identical results.",
  },
  { pattern: "SHA-256", definition: "A hash of the data: equal only if every byte is equal." },
  {
    pattern: "[Ee]ngine",
    definition: "The computational core of this page. One engine version always gives bit-identical results.",
  },
];

const ALL = new RegExp(
  `(?<![\\p{L}\\d-])(?:${TERMS.map(({ pattern }) => `(${pattern})`).join("|")})(?![\\p{L}\\d])`,
  "gu",
);
/** Where no terms are marked: interactive elements, code, and text that explains itself. */
const EXCLUDED =
  ".term, .stage, .sentence, .cell-tip, figcaption, button, a, label, legend, summary, math, code, pre, select, td, .label, .role, .status, .readout, " +
  "[data-field=attack], [data-field=targets], [data-field=attackers], [data-field=gradient], [data-field=step]";

/** @param {Field[]} fields */
export function explainTerms(fields) {
  const line = el("span", {});
  const spoken = el("span", { class: "visually-hidden", role: "status" });
  // Screen readers get the text through the live region instead.
  const note = el(
    "div",
    { id: "term-note", popover: "auto", "aria-hidden": "true", "data-testid": "term-note" },
    line,
  );
  document.body.append(note, spoken);
  /** @type {HTMLElement | null} the term whose definition is open */
  let owner = null;
  /** @type {HTMLElement | null} the term whose definition was open on pointerdown, which closes it */
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
    const definition =
      "definition" in term
        ? term.definition
        : (fields.find(({ name }) => name === term.field)?.purpose ?? "");
    line.textContent = spoken.textContent = definition;
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
    const marked = new Set(
      [...part.querySelectorAll(".term")].map((button) => button.getAttribute("data-term")),
    );
    if (part.closest(EXCLUDED)) return;
    const { SHOW_ELEMENT, SHOW_TEXT, FILTER_ACCEPT, FILTER_REJECT, FILTER_SKIP } = NodeFilter;
    const walker = document.createTreeWalker(part, SHOW_ELEMENT | SHOW_TEXT, (node) =>
      node instanceof Text
        ? FILTER_ACCEPT
        : node instanceof Element && node.matches(EXCLUDED)
          ? FILTER_REJECT
          : FILTER_SKIP,
    );
    /** @type {Text[]} */
    const texts = [];
    while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
    for (const text of texts) {
      /** @type {(string | Node)[]} */
      const pieces = [];
      let end = 0;
      for (const match of text.data.matchAll(ALL)) {
        const k = match.slice(1).findIndex((group) => group !== undefined);
        const term = TERMS[k];
        if (!term || marked.has(String(k))) continue;
        marked.add(String(k));
        // Not a button element: that is an inline block and would allow a line break before a comma.
        const button = el(
          "span",
          { class: "term", role: "button", tabindex: -1, "data-term": k, "aria-expanded": "false" },
          match[0],
        );
        button.onclick = () => toggle(button, term);
        button.onkeydown = (event) => {
          const terms = termsIn(part);
          const at = terms.indexOf(button);
          const last = terms.length - 1;
          const next = {
            ArrowRight: at + 1,
            ArrowDown: at + 1,
            ArrowLeft: at - 1,
            ArrowUp: at - 1,
            Home: 0,
            End: last,
          }[event.key];
          if (next !== undefined) {
            event.preventDefault();
            const other = terms[Math.min(Math.max(next, 0), last)] ?? button;
            [button.tabIndex, other.tabIndex] = [-1, 0];
            other.focus();
            return;
          }
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          toggle(button, term);
        };
        pieces.push(text.data.slice(end, match.index), button);
        end = match.index + match[0].length;
      }
      if (end > 0) text.replaceWith(...pieces, text.data.slice(end));
    }
    const terms = termsIn(part);
    // One stop of the Tab key for each part; arrow keys go from term to term.
    if (!terms.some(({ tabIndex }) => tabIndex === 0) && terms[0]) terms[0].tabIndex = 0;
  }

  /** @param {Element} part */
  function termsIn(part) {
    /** @type {NodeListOf<HTMLElement>} */
    const all = part.querySelectorAll(".term");
    return [...all].filter((term) => term.closest("[data-terms]") === part);
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
