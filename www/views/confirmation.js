/** The badge beside the result: whether a second run gave the same digest, and what differs if not. */

import "../style/confirmation.css";
import { metricDigits } from "./report.js";
import { $ } from "../ui/dom.js";

/** @import { Session } from "../core/session.js" */
/** @import { Confirmer } from "../engine/confirm.js" */
/** @import { Confirmation } from "../engine/types.js" */

/**
 * @param {Session} session
 * @param {Confirmer} confirmer
 */
export function showConfirmation(session, confirmer) {
  const badge = $("confirmation");
  const button = $("confirm");
  button.onclick = () => confirmer.request();
  session.subscribe(({ type }) => {
    if (type === "started") session.withdraw("confirmation");
    if (type === "confirmation") render();
  });
  render();
  function render() {
    const { confirmation, result } = session;
    badge.hidden = confirmation === null;
    button.hidden = !confirmation?.onRequest;
    if (!confirmation) return;
    badge.dataset.state = confirmation.state;
    badge.replaceChildren(badgeText(confirmation));
    if (confirmation.problem) {
      const text = `The run could not be repeated to confirm it: ${confirmation.problem}`;
      session.notice(text, "", "confirmation");
    } else session.withdraw("confirmation");
    if (confirmation.state !== "differs" || confirmation.agrees === undefined || !result) return;
    session.notice(
      differenceText(confirmation, result.report.metric_name.toUpperCase()),
      "bad",
      "confirmation",
    );
  }
}

/** @param {Confirmation} confirmation */
function badgeText({ state, problem, agrees }) {
  switch (state) {
    case "computed":
      return problem ? "computed, not confirmed" : "computed";
    case "confirming":
      return "confirming: repeating the run";
    case "confirmed":
      return "confirmed: same digest";
    case "differs":
      if (agrees === undefined) return "differs: repeating the run in a fresh engine";
      return agrees === null
        ? "differs: no two of three runs agree"
        : "differs: two of three runs agree on this result";
  }
}

/** @param {Confirmation} confirmation @param {string} metric */
function differenceText({ runs = [], agrees }, metric) {
  const [first, second, third] = runs.map(
    ({ digest, metric: value }) => `${metric} ${metricDigits(value)}, digest ${digest}`,
  );
  const found = `Repeating this run gave a different result. First: ${first}. Second: ${second}.`;
  if (agrees === null) {
    return `${found} Third, in a fresh engine: ${third}. Do not rely on this result: reload the page and run it again.`;
  }
  return agrees === 1
    ? `${found} A third run, in a fresh engine, agrees with the second. That result is shown now, and replaces the first in your recent results.`
    : `${found} A third run, in a fresh engine, agrees with the first. That result is shown.`;
}
