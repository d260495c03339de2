/** Notices above the results: boxes with a text, a close button and at most one action. */

import { $, el } from "./dom.js";

/**
 * @param {string} text
 * @param {"" | "bad" | "good"} [kind]
 * @param {string} [about] its topic; a later notice on the same topic replaces it
 * @param {{text: string, run: () => void}} [action] a button that resolves the problem
 */
export function notice(text, kind = "", about = text, action) {
  withdraw(about);
  const box = el("div", { class: `notice ${kind}`, "data-about": about });
  const close = el("button", { type: "button", onclick: () => box.remove() }, "Close");
  box.append(el("span", {}, text));
  if (action) {
    const act = () => {
      box.remove();
      action.run();
    };
    box.append(el("button", { type: "button", "data-testid": `act-${about}`, onclick: act }, action.text));
  }
  box.append(close);
  $("notices").append(box);
}

/** @param {string} about */
export function withdraw(about) {
  for (const old of [...$("notices").children]) {
    if (old instanceof HTMLElement && old.dataset.about === about) old.remove();
  }
}
