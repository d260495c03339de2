/** The list of recent results, and the offer to repeat an interrupted run. Records: core/history.js. */

import "../style/history.css";
import { CAPACITY } from "../core/database.js";
import { errorMessage } from "../core/words.js";
import { $, el } from "../ui/dom.js";
import { headline, iterationsOf } from "./report.js";

/** @import { History } from "../core/history.js" */
/** @import { Session } from "../core/session.js" */
/** @import { InterruptedRun, Kept, Spec } from "../engine/types.js" */

/**
 * @param {Session} session
 * @param {History} history
 * @param {InterruptedRun | null} interrupted the run that a reload of this tab interrupted
 */
export function showHistory(session, history, interrupted) {
  const list = el("ol", { class: "recent-list", "data-testid": "recent-list" });
  const problem = el("p", { "data-testid": "recent-problem", hidden: true });
  const forget = el("button", { type: "button", "data-testid": "forget-all" }, "Forget all");
  forget.onclick = () => history.clear();
  const about =
    `The last ${CAPACITY}, kept only in this browser. Of your own files the name, the hash and the report ` +
    "are kept, never the points.";
  const root = el(
    "details",
    { class: "card recent", "data-testid": "recent", hidden: true, ontoggle: () => refresh() },
    el("summary", {}, el("h2", {}, "Your recent results")),
    el("p", { class: "lead" }, about),
    list,
    forget,
  );
  $("offline").after(problem);
  $("results").querySelector(".how")?.before(root);

  /** @param {string} reason */
  function showProblem(reason) {
    problem.hidden = reason === "";
    problem.textContent = `Results cannot be kept: ${reason}. Everything else works.`;
  }

  async function render() {
    showProblem(history.problem);
    try {
      const recent = await history.recent();
      const items = recent.map((record) => itemOf(session, record));
      const unknown = items.filter((item) => item === null).length;
      list.replaceChildren(...items.filter((item) => item !== null));
      if (unknown > 0) list.append(el("li", {}, `${unknown} more from another version of this page`));
      root.hidden = recent.length === 0;
    } catch (reason) {
      showProblem(errorMessage(reason));
    }
  }

  /** @type {Promise<void> | null} */
  let rendering = null;
  let outdated = false;
  /** Renders again for requests that came meanwhile, one rendering at a time. */
  async function refresh() {
    outdated = true;
    rendering ??= (async () => {
      while (outdated) {
        outdated = false;
        await render();
      }
    })().finally(() => (rendering = null));
    return rendering;
  }

  history.onChange = refresh;
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  if (interrupted)
    offerRepeat(session, history, interrupted)
      .catch(() => {})
      .then(refresh);
  else refresh();
}

/**
 * A short run was started again by the page; for a long one, shows its curve and asks.
 * @param {Session} session
 * @param {History} history
 * @param {InterruptedRun} interrupted
 */
async function offerRepeat(session, history, { id, link, iteration, iterations, long }) {
  if (!long) return history.remove(id);
  const record = (await history.recent()).find((kept) => kept.id === id);
  const text = record ? endText(record) : endTextAt(iteration, iterations);
  const isAwaited = session.complete?.link === link && !session.run && !session.result;
  if (isAwaited && record) session.recall(record, text);
  const run = () => (session.complete?.link === link ? session.start() : session.openLink(link));
  const curve = record ? " The curve so far is kept." : "";
  session.notice(`${text}, because the page was left.${curve}`, "", "run", { text: "Run it again", run });
}

/** @param {Session} session @param {Kept} record */
function itemOf(session, record) {
  try {
    const { report, run, at } = record;
    const end = report ? `digest ${report.digest}${record.confirmed ? ", confirmed" : ""}` : endText(record);
    const button = el(
      "button",
      { type: "button", "data-link": run.link },
      el("b", {}, settingsText(run.spec)),
      report ? el("span", {}, headline(report)) : "",
      el("small", {}, `${timeText(at)} · ${end}`),
    );
    button.onclick = () => {
      session.recall(record, report ? keptText(record) : endText(record));
      $("results").scrollIntoView({ block: "start" });
      $("results").focus({ preventScroll: true });
    };
    return el("li", {}, button);
  } catch {
    // The record of another version of this page.
    return null;
  }
}

/** The main settings of a run, in one line. @param {Spec} spec */
export function settingsText({ dataset, attack, method, budget, iterations, seed }) {
  const name = typeof dataset === "string" ? dataset : dataset.name;
  const how = method === "random" ? `random, ${attack}` : attack;
  return `${name} · ${how} · budget ${budget} · ${iterationsOf(iterations)} · seed ${seed}`;
}

/** @param {Kept} record */
const endText = ({ state, run }) =>
  endTextAt(
    run.points.at(-1)?.iteration ?? null,
    run.spec.iterations,
    state === "cancelled" ? "Cancelled" : "Interrupted",
  );

/**
 * @param {number | null} iteration
 * @param {number} iterations
 */
const endTextAt = (iteration, iterations, how = "Interrupted") =>
  iteration === null
    ? `${how} before the first iteration`
    : `${how} at iteration ${iteration} of ${iterations}`;

/** @param {number} at */
export const timeText = (at) =>
  new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** @param {Kept} record */
const keptText = ({ at }) => `Kept since ${timeText(at)}, not computed again: press Run to check it.`;
