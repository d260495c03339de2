/**
 * All examples: what each shows, on which data, how long it takes; for those of the paper what the
 * paper says, in its own words, beside what comes out here. Numbers come from runs, never from here.
 */

import { outcomeOf, runBeside } from "./comparison.js";
import { $, el } from "../ui/dom.js";
import { preset } from "./presets.js";
import { metricDigits } from "./report.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Session } from "../core/session.js" */
/** @import { Draft, Problem, Report, Spec } from "../engine/types.js" */

/**
 * @typedef {{
 *   id: string, name: string, shows: string, draft: Draft, beside?: Draft,
 *   paper?: {where: string, says: string},
 *   here: (outcome: Outcome, spec: Spec, beside: Outcome | null) => string,
 * }} Example
 * `beside`: a second run that the first is compared with.
 */

/** Seconds with the loading of the data, on an ordinary computer; the data sets in this order. */
const DATA = /** @type {Record<string, {title: string, time: string}>} */ ({
  synthetic: { title: "Synthetic", time: "0.1 s" },
  sarcos: { title: "Sarcos", time: "0.3 s" },
  landmine: { title: "Landmine", time: "0.5 s" },
  mnist: { title: "MNIST", time: "2 s" },
});

const last = (/** @type {number[]} */ values) => values.at(-1) ?? NaN;
const end = (/** @type {Outcome} */ outcome) => last(outcome.metric);
const start = (/** @type {Outcome} */ outcome) => outcome.metric[0] ?? NaN;
const n = metricDigits;

/** From clean to attacked. @param {Outcome} outcome */
const way = (outcome) => `${n(outcome.clean)} → ${n(end(outcome))}`;
/** @param {Outcome} outcome */
const percent = (outcome) => {
  const change = (100 * (end(outcome) - outcome.clean)) / outcome.clean;
  return `${Math.abs(change).toFixed(Math.abs(change) < 10 ? 1 : 0)} % ${change < 0 ? "lower" : "higher"}`;
};
const two = (/** @type {number} */ value) => value.toFixed(2).replace("-", "−");

/** Where MTRL helps and attacks are seen, with few points: as in the story. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, seed: 3 };

/** @type {Example[]} */
const EXAMPLES = [
  {
    ...preset("direct"),
    shows: "The attacker puts points into the tasks that it wants to spoil.",
    here: (o) => `Error (NMSE) ${way(o)}.`,
  },
  {
    ...preset("indirect"),
    shows: "Not one point enters the targets, and yet they get worse.",
    here: (o) => `Error (NMSE) ${way(o)}.`,
  },
  {
    id: "hybrid",
    name: "Hybrid",
    draft: { attack: "hybrid" },
    shows: "The attacker holds some targets and some other tasks.",
    here: (o) => `Error (NMSE) ${way(o)}.`,
  },
  {
    ...preset("random"),
    shows: "The baseline: as many points, left where chance put them.",
    here: (o) => `Error (NMSE) ${way(o)}.`,
  },
  {
    id: "benefit",
    name: "Learning together helps",
    draft: { ...SMALL, method: "random", budget: 0, iterations: 0 },
    beside: { ...SMALL, method: "random", budget: 0, iterations: 0, lambda1: 0.02, lambda2: 0 },
    shows: "No attack: twelve points a task, learned together and each task alone (λ2 = 0).",
    paper: {
      where: "Introduction",
      says: "multiple tasks are learned jointly to achieve better performance than single-task learning",
    },
    here: (o, _, alone) => `Error (NMSE) ${n(o.clean)} together${alone ? `, ${n(alone.clean)} alone` : ""}.`,
  },
  {
    ...preset("constant"),
    shows: "The published gradient with its constant step jumps up and down.",
    here: (o) => `Utility ${n(o.utility[0] ?? NaN)} at the start, then from ${n(Math.min(...o.utility.slice(1)))} to ${n(Math.max(...o.utility.slice(1)))}.`,
  },
  {
    ...preset("sarcos"),
    name: "Sarcos: direct",
    shows: "Seven joints of a robot arm: three of them are poisoned, 20 %.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "Both direct attacks and indirect attacks computed by PATOM significantly outperform random attacks",
    },
    here: (o) => `NMSE ${way(o)}; random points ${n(start(o))}.`,
  },
  {
    id: "sarcos-30",
    name: "Sarcos: direct, 30 %",
    draft: { dataset: "sarcos", targets: [2, 3, 4, 6], budget: 0.3, iterations: 10 },
    shows: "Four of seven tasks, three poisoned points to ten clean ones.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "on Sarcos dataset, direct attacks with 30% malicious data injected leads to about 50% higher averaged NMSE",
    },
    here: (o) => `NMSE ${way(o)}: ${percent(o)}.`,
  },
  {
    id: "sarcos-indirect",
    name: "Sarcos: indirect",
    draft: { dataset: "sarcos", attack: "indirect" },
    shows: "The joints that are spoiled are not the joints that are poisoned.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "Both direct attacks and indirect attacks computed by PATOM significantly outperform random attacks",
    },
    here: (o) => `NMSE ${way(o)}; random points ${n(start(o))}.`,
  },
  {
    id: "sarcos-gradients",
    name: "Sarcos: exact against published gradient",
    draft: { dataset: "sarcos", attack: "indirect", gradient: "published" },
    beside: { dataset: "sarcos", attack: "indirect" },
    shows: "The published gradient holds Ω fixed: it hardly finds the way through the other tasks, and stops. The exact one goes on.",
    paper: {
      where: "Gradients Computation",
      says: "at convergence, we can treat Ω in Problem (8) as a constant-value matrix when computing the gradients",
    },
    here: (o, _, exact) => `NMSE ${way(o)} with the published gradient${exact ? `, → ${n(end(exact))} with the exact one` : ""}.`,
  },
  {
    id: "sarcos-constant",
    name: "Sarcos: the paper’s own step",
    draft: { dataset: "sarcos", gradient: "published", step: "constant" },
    shows: "The setting of Figure 1: published gradient, constant step of 100.",
    paper: {
      where: "Evaluating Convergence of PATOM, Figure 1",
      says: "PATOM converges to local optima in less than 10 iterations",
    },
    here: (o) => {
      const late = o.metric.slice(10);
      return `From iteration 10 on the NMSE still moves between ${n(Math.min(...late))} and ${n(Math.max(...late))}.`;
    },
  },
  {
    id: "sarcos-budget",
    name: "Sarcos: one point in twenty",
    draft: { dataset: "sarcos", budget: 0.05 },
    shows: "How little is enough: a budget of 5 %. Move the slider from here.",
    paper: { where: "Abstract", says: "MTRL models are very sensitive to poisoning attacks" },
    here: (o) => `NMSE ${way(o)}: ${percent(o)}.`,
  },
  {
    id: "sarcos-flip",
    name: "Sarcos: the correlation that flips",
    draft: { dataset: "sarcos", attack: "hybrid", attackers: [0, 1, 3, 6], budget: 0.3, iterations: 10 },
    shows: "What the model believes about tasks 2 and 3 is turned into its opposite.",
    paper: {
      where: "Evaluating Task Relationships, Figure 3",
      says: "the ground-truth correlation between tasks 2 and 3 is −0.99 […] the correlation between tasks 2 and 3 becomes 0.99",
    },
    here: (o) => `T2 and T3: ${two(o.before[1 * 7 + 2] ?? NaN)} → ${two(o.after[1 * 7 + 2] ?? NaN)}.`,
  },
  {
    ...preset("landmine"),
    name: "Landmine: direct",
    shows: "29 fields, mine or clutter: 15 of them are poisoned.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "direct attacks significantly degrade the learning performance on all datasets",
    },
    here: (o) => `AUC ${way(o)}.`,
  },
  {
    id: "landmine-indirect",
    name: "Landmine: indirect",
    draft: { dataset: "landmine", attack: "indirect" },
    beside: { dataset: "landmine" },
    shows: "The tasks are almost one: poisoning the other fields turns the shared model round.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "Direct attacks are more effective than indirect attacks and random attacks given the same budget.",
    },
    here: (o, _, direct) => `AUC ${way(o)} indirect${direct ? `, → ${n(end(direct))} direct` : ""}; lower is a stronger attack.`,
  },
  {
    id: "landmine-hybrid",
    name: "Landmine: hybrid, 30 %",
    draft: { dataset: "landmine", attack: "hybrid", budget: 0.3, iterations: 10 },
    shows: "Are the poisoned tasks told by their correlations? Look at the maps.",
    paper: {
      where: "Conclusion and Future Work",
      says: "the tasks under attacking show a strong correlation with only 30% data injected",
    },
    here: (o, { attackers }) => {
      const mean = (/** @type {ArrayLike<number>} */ map) => {
        const m = Math.sqrt(map.length);
        const pairs = attackers.flatMap((a, k) => attackers.slice(k + 1).map((b) => map[a * m + b] ?? NaN));
        return pairs.reduce((sum, value) => sum + value, 0) / pairs.length;
      };
      return `Mean correlation of the attacking tasks ${two(mean(o.before))} → ${two(mean(o.after))}.`;
    },
  },
  {
    id: "mnist",
    name: "MNIST: direct",
    draft: { dataset: "mnist" },
    shows: "Ten digits, one against the rest: five of the ten are poisoned.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "direct attacks significantly degrade the learning performance on all datasets",
    },
    here: (o) => `AUC ${way(o)}.`,
  },
  {
    id: "mnist-indirect",
    name: "MNIST: indirect",
    draft: { dataset: "mnist", attack: "indirect" },
    shows: "Digits need little help from each other, so there is little to exploit.",
    paper: {
      where: "Evaluating Solution Qualities, Figure 2",
      says: "Indirect attacks almost have no effect on MNIST dataset.",
    },
    here: (o) => `AUC ${way(o)}.`,
  },
];

/** @param {Example} example */
const dataOf = ({ draft }) => String(draft["dataset"] ?? "synthetic");

export class Examples {
  /** @param {Session} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {Map<string, Outcome>} by link, of this visit */
    this.outcomes = new Map();
    /** @type {Map<string, HTMLElement>} by id: where our number stands */
    this.numbers = new Map();
    const close = el("button", { type: "button", "data-testid": "examples-close", onclick: () => this.dialog.close() }, "Close");
    this.fill = el("button", { type: "button", "data-testid": "examples-fill", onclick: () => this.fillIn() }, "Run all, fill in our numbers");
    this.status = el("span", { role: "status", "data-testid": "examples-status" });
    this.lists = el("div", { class: "example-lists" });
    this.dialog = el(
      "dialog",
      { id: "examples", "aria-labelledby": "examples-title", "data-testid": "examples" },
      el("div", { class: "card-head" }, el("h2", { id: "examples-title" }, "Examples"), this.status, this.fill, close),
      this.lists,
    );
    document.body.append(this.dialog);
  }

  /** @param {Draft} draft */
  link(draft) {
    const complete = this.lab.engine.complete(draft);
    return "errors" in complete ? "" : complete.link;
  }

  open() {
    this.show();
    this.dialog.showModal();
  }

  show() {
    const groups = Object.entries(DATA).map(([data, { title, time }]) => {
      const there = this.lab.isThere(data);
      const why = there ? `each about ${time}` : "not in this copy of the page: open its files under Data, then these work";
      const mine = EXAMPLES.filter((example) => dataOf(example) === data);
      return el(
        "section",
        { "aria-labelledby": `examples-${data}` },
        el("h3", { id: `examples-${data}` }, title, el("small", {}, ` ${why}`)),
        el("ul", { class: "example-list" }, ...mine.map((example) => this.card(example, there))),
      );
    });
    const figures = this.lab.engine.figures.map(({ number, title, claim, datasets }) => {
      const link = el("a", { href: `#view=figure${number}`, "data-testid": `example-figure${number}`, onclick: () => this.dialog.close() }, `Figure ${number}: ${title.toLowerCase()}`);
      return el(
        "li",
        { class: "example" },
        el("h4", {}, link),
        el("p", {}, `The whole figure, run here: ${datasets.map((name) => DATA[name]?.title ?? name).join(", ")}.`),
        el("dl", { class: "claims" }, el("dt", {}, "The paper"), el("dd", {}, claim), el("dt", {}, "Here"), el("dd", {}, "The figure says it beside its curves.")),
      );
    });
    this.lists.replaceChildren(
      el("section", { "aria-labelledby": "examples-figures" }, el("h3", { id: "examples-figures" }, "The paper’s figures", el("small", {}, " many runs each: seconds to a minute")), el("ul", { class: "example-list" }, ...figures)),
    );
    this.lists.prepend(...groups);
    this.showNumbers();
  }

  /** @param {Example} example @param {boolean} there */
  card(example, there) {
    const { id, name, shows, paper } = example;
    const press = () => {
      this.dialog.close();
      this.lab.adopt(example.draft);
      this.lab.start();
      $("results").scrollIntoView({ block: "start" });
    };
    const number = el("dd", { "data-testid": `here-${id}` });
    this.numbers.set(id, number);
    const rows = [el("dt", {}, "Here"), number];
    if (paper) rows.unshift(el("dt", {}, "The paper"), el("dd", {}, `“${paper.says}” `, el("cite", {}, paper.where)));
    return el(
      "li",
      { class: "example" },
      el("h4", {}, el("button", { type: "button", "data-testid": `example-${id}`, disabled: !there, onclick: press }, name)),
      el("p", {}, shows),
      el("dl", { class: "claims" }, ...rows),
    );
  }

  /** Our sentence on an example, if its runs are there. @param {Example} example */
  sentence(example) {
    const complete = this.lab.engine.complete(example.draft);
    if ("errors" in complete) return "";
    const outcome = this.outcomes.get(complete.link);
    const beside = example.beside ? this.outcomes.get(this.link(example.beside)) : undefined;
    return outcome ? example.here(outcome, complete.spec, beside ?? null) : "";
  }

  showNumbers() {
    for (const example of EXAMPLES) {
      const number = this.numbers.get(example.id);
      if (!number) continue;
      const there = this.lab.isThere(dataOf(example));
      const sentence = this.sentence(example);
      number.textContent = sentence || (there ? "not run yet" : "its data are not there");
      number.classList.toggle("absent", sentence === "");
    }
  }

  /** What has not been run of these, on this data. @param {Example[]} examples */
  missing(examples) {
    const drafts = examples
      .filter((example) => this.lab.isThere(dataOf(example)))
      .flatMap(({ draft, beside }) => (beside ? [draft, beside] : [draft]));
    const byLink = new Map(drafts.map((draft) => [this.link(draft), draft]));
    return [...byLink].filter(([link]) => !this.outcomes.has(link));
  }

  /**
   * Runs what is missing of these.
   * @param {Example[]} examples
   * @param {(done: number, all: number) => void} onDone
   */
  async complete(examples, onDone) {
    const missing = this.missing(examples);
    let [done, failed] = [0, ""];
    const workers = Math.min(navigator.hardwareConcurrency || 2, 4);
    if (missing.length === 0) return "";
    try {
      await runBeside(this.lab, missing.map(([, draft]) => draft), workers, (k, outcome) => {
        const link = missing[k]?.[0] ?? "";
        if ("clean" in outcome) this.outcomes.set(link, outcome);
        else failed = outcome.message;
        onDone(++done, missing.length);
      });
    } catch (problem) {
      failed = /** @type {Problem} */ (problem).message;
    }
    return failed;
  }

  async fillIn() {
    this.fill.disabled = true;
    this.status.textContent = "Running …";
    const failed = await this.complete(EXAMPLES, (done, all) => {
      this.status.textContent = `${done} of ${all} runs`;
      this.showNumbers();
    });
    this.status.textContent = failed ? `Not all could be run: ${failed}` : "All numbers are of this computer, just now.";
    this.fill.disabled = false;
    this.showNumbers();
  }

  /**
   * A run is done: if it is an example of the paper, the summary says what the paper says.
   * @param {string} link
   * @param {Report} report
   */
  async heard(link, report) {
    this.outcomes.set(link, outcomeOf(report));
    if (this.dialog.open) this.showNumbers();
    const example = EXAMPLES.find(({ draft, paper }) => paper && this.link(draft) === link);
    if (!example?.paper) return;
    const here = el("dd", { "data-testid": "claim-here" }, this.sentence(example));
    $("claim").replaceChildren(
      el(
        "dl",
        { class: "claims" },
        el("dt", {}, "The paper"),
        el("dd", {}, `“${example.paper.says}” `, el("cite", {}, example.paper.where)),
        el("dt", {}, "Here"),
        here,
      ),
    );
    $("claim").hidden = false;
    await this.complete([example], () => {});
    here.textContent = this.sentence(example);
  }
}
