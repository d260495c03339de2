/** The notices above the result: boxes that the user can close. The list is in core/store.js. */

import { $, el } from "./dom.js";

/** @import { Session } from "../core/session.js" */
/** @import { Notice } from "../engine/types.js" */

/** @param {Session} session */
export function showNotices(session) {
  /** @type {Map<Notice, HTMLElement>} those that are shown: a live region must not repeat them */
  const boxes = new Map();
  const render = () => {
    const shown = session.notices.filter(({ view }) => view === "all" || view === session.route.view);
    for (const [notice, box] of boxes) {
      if (shown.includes(notice)) continue;
      box.remove();
      boxes.delete(notice);
    }
    for (const notice of shown) {
      if (boxes.has(notice)) continue;
      const box = boxOf(notice, () => session.withdraw(notice.about));
      boxes.set(notice, box);
      $("notices").append(box);
    }
  };
  session.subscribe(({ type }) => ["notices", "route"].includes(type) && render());
  render();
}

/** @param {Notice} notice @param {() => void} close */
function boxOf({ text, kind, about, action }, close) {
  const act = () => {
    close();
    action?.run();
  };
  return el(
    "div",
    { class: `notice ${kind}`, "data-about": about },
    el("span", {}, text),
    action && el("button", { type: "button", "data-testid": `act-${about}`, onclick: act }, action.text),
    el("button", { type: "button", onclick: close }, "Close"),
  );
}
