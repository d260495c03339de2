/** Defences: what each one prevents, and what it costs. */

import { el } from "../ui/dom.js";

/** @import { Route } from "../core/route.js" */
/** @import { Engine } from "../engine/engine.js" */
/** @import { PageContext } from "./compare.js" */

/**
 * Loads what the view needs, then the view.
 * @param {Engine} _engine
 * @param {PageContext} _page
 */
export async function openDefend(_engine, _page) {
  return new DefendView();
}

class DefendView {
  constructor() {
    this.root = el(
      "section",
      { class: "card", "aria-labelledby": "defend-title", "data-testid": "defend" },
      el("h2", { id: "defend-title", tabindex: -1 }, "Which defences hold?"),
    );
  }

  /** Shows the specification of a link; empty: the default. @param {Route} _route */
  open(_route) {}
}
