/** The risk map: which task can be used against which. */

import { el } from "../ui/dom.js";

/** @import { Route } from "../core/route.js" */
/** @import { Engine } from "../engine/engine.js" */
/** @import { PageContext } from "./compare.js" */

/**
 * Loads what the view needs, then the view.
 * @param {Engine} _engine
 * @param {PageContext} _page
 */
export async function openRisk(_engine, _page) {
  return new RiskView();
}

class RiskView {
  constructor() {
    this.root = el(
      "section",
      { class: "card", "aria-labelledby": "risk-title", "data-testid": "risk" },
      el("h2", { id: "risk-title", tabindex: -1 }, "Which task endangers which?"),
    );
  }

  /** Shows the specification of a link; empty: the default. @param {Route} _route */
  open(_route) {}
}
