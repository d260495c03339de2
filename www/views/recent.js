/** Results to choose the two sides of a comparison from: the lab's, recent ones, else two examples. */

import * as records from "../core/database.js";
import { el } from "../ui/dom.js";
import { settingsText, timeText } from "./history.js";
import { preset } from "./preset_list.js";
import { METRICS, metricDigits } from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Report, Spec } from "../engine/types.js" */

/** @typedef {{link: string, spec: Spec, note: string}} Candidate */

const SIDES = /** @type {const} */ (["A", "B"]);

export class RecentChoice {
  /**
   * @param {Session} session
   * @param {(side: number, link: string) => void} choose
   */
  constructor(session, choose) {
    this.session = session;
    this.choose = choose;
    this.list = el("ul", { class: "recent-choice", "data-testid": "compare-recent" });
    this.root = el("details", { open: true }, el("summary", {}, "Choose from recent results"), this.list);
  }

  /** @param {string[]} chosen the links of both sides; a missing one opens the list */
  async show(chosen) {
    this.root.open = chosen.some((link) => link === "");
    const candidates = await this.candidates();
    this.list.replaceChildren(
      ...candidates.map(({ link, spec, note }) => {
        const buttons = SIDES.map((side, k) => {
          const attributes = {
            type: "button",
            "data-link": link,
            "data-testid": `recent-${side}`,
            "aria-pressed": String(chosen[k] === link),
          };
          const button = el("button", attributes, el("span", { class: "visually-hidden" }, "Use as "), side);
          button.onclick = () => this.choose(k, link);
          return button;
        });
        return el("li", {}, ...buttons, el("span", {}, settingsText(spec), " ", el("small", {}, note)));
      }),
    );
  }

  /** @returns {Promise<Candidate[]>} */
  async candidates() {
    const { session } = this;
    /** @type {Candidate[]} */
    const found = [];
    const add = (/** @type {Candidate} */ candidate) => {
      const [link = ""] = candidate.link.split("&e=");
      if (!found.some((other) => other.link.split("&e=")[0] === link)) found.push(candidate);
    };
    const { result } = session;
    if (result)
      add({
        link: session.fragmentOf(result),
        spec: result.report.spec,
        note: `${change(result.report)}, shown in the lab`,
      });
    // Without storage there are no recent results.
    for (const { run, report, at } of await records.all().catch(() => [])) {
      if (report)
        add({
          link: session.fragmentOf({ link: run.link, report }),
          spec: report.spec,
          note: `${change(report)}, ${timeText(at)}`,
        });
    }
    for (const { name, draft } of [preset("direct"), preset("indirect")]) {
      const complete = session.engine.complete(draft);
      if (found.length < 2 && !("errors" in complete))
        add({ link: complete.link, spec: complete.spec, note: `example: ${name}` });
    }
    return found;
  }
}

/** From clean to attacked. @param {Report} report */
const change = ({ clean, attacked, metric_name: name }) =>
  `${METRICS[name].short} ${metricDigits(clean.metric)} → ${metricDigits(attacked.metric)}`;
