/**
 * The list of examples: what each demonstrates, on which data set, how long it takes, and, for the
 * paper's experiments, the paper's claim next to our result. All numbers come from runs.
 */

import { outcomeOf, runComparisons } from "./comparison.js";
import { $, el } from "../ui/dom.js";
import { preset } from "./presets.js";
import { metricDigits } from "./report.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Session } from "../core/session.js" */
/** @import { Draft, Problem, Report, Spec } from "../engine/types.js" */

/**
 * @typedef {{
 *   id: string, name: string, shows: string, draft: Draft, comparison?: Draft,
 *   paper?: {section: string, quote: string},
 *   result: (outcome: Outcome, spec: Spec, comparison: Outcome | null) => string,
 * }} Example
 * `comparison`: a second run to compare with.
 */

/** Data sets in display order; times include loading the data, on a typical computer. */
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

/** The metric, clean and attacked. @param {Outcome} outcome */
const change = (outcome) => `${n(outcome.clean)} → ${n(end(outcome))}`;
/** @param {Outcome} outcome */
const percent = (outcome) => {
  const change = (100 * (end(outcome) - outcome.clean)) / outcome.clean;
  return `${Math.abs(change).toFixed(Math.abs(change) < 10 ? 1 : 0)} % ${change < 0 ? "lower" : "higher"}`;
};
const two = (/** @type {number} */ value) => value.toFixed(2).replace("-", "−");

/** Few training points, as in the tour: here MTRL helps, and the attack has a clear effect. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, seed: 3 };

/** @type {Example[]} */
const EXAMPLES = [
  {
    ...preset("direct"),
    shows: "The attacker poisons the training sets of the target tasks.",
    result: (o) => `Test error (NMSE) ${change(o)}.`,
  },
  {
    ...preset("indirect"),
    shows: "The target tasks receive no poisoned points, yet their test error rises.",
    result: (o) => `Test error (NMSE) ${change(o)}.`,
  },
  {
    id: "hybrid",
    name: "Hybrid",
    draft: { attack: "hybrid" },
    shows: "The attacker poisons some target tasks and some other tasks.",
    result: (o) => `Test error (NMSE) ${change(o)}.`,
  },
  {
    ...preset("random"),
    shows: "Baseline: the same number of points, drawn at random and not optimised.",
    result: (o) => `Test error (NMSE) ${change(o)}.`,
  },
  {
    id: "benefit",
    name: "Multi-task learning helps",
    draft: { ...SMALL, method: "random", budget: 0, iterations: 0 },
    comparison: { ...SMALL, method: "random", budget: 0, iterations: 0, lambda1: 0.02, lambda2: 0 },
    shows: "No attack: 12 training points per task, learned jointly or separately (λ2 = 0).",
    paper: {
      section: "Introduction",
      quote: "multiple tasks are learned jointly to achieve better performance than single-task learning",
    },
    result: (o, _, alone) => `Test error (NMSE) ${n(o.clean)} jointly${alone ? `, ${n(alone.clean)} separately` : ""}.`,
  },
  {
    ...preset("constant"),
    shows: "With the published gradient and a constant step, the utility oscillates.",
    result: (o) => `Utility ${n(o.utility[0] ?? NaN)} at the start, then between ${n(Math.min(...o.utility.slice(1)))} and ${n(Math.max(...o.utility.slice(1)))}.`,
  },
  {
    ...preset("sarcos"),
    name: "Sarcos: direct",
    shows: "Seven robot arm joints; the three target tasks are poisoned (budget 20 %).",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "Both direct attacks and indirect attacks computed by PATOM significantly outperform random attacks",
    },
    result: (o) => `NMSE ${change(o)}; random points ${n(start(o))}.`,
  },
  {
    id: "sarcos-30",
    name: "Sarcos: direct, 30 %",
    draft: { dataset: "sarcos", targets: [2, 3, 4, 6], budget: 0.3, iterations: 10 },
    shows: "Four of seven tasks are poisoned, with a budget of 30 %.",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "on Sarcos dataset, direct attacks with 30% malicious data injected leads to about 50% higher averaged NMSE",
    },
    result: (o) => `NMSE ${change(o)}: ${percent(o)}.`,
  },
  {
    id: "sarcos-indirect",
    name: "Sarcos: indirect",
    draft: { dataset: "sarcos", attack: "indirect" },
    shows: "The target joints receive no poisoned points; the other joints do.",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "Both direct attacks and indirect attacks computed by PATOM significantly outperform random attacks",
    },
    result: (o) => `NMSE ${change(o)}; random points ${n(start(o))}.`,
  },
  {
    id: "sarcos-gradients",
    name: "Sarcos: exact or published gradient",
    draft: { dataset: "sarcos", attack: "indirect", gradient: "published" },
    comparison: { dataset: "sarcos", attack: "indirect" },
    shows: "The published gradient holds Ω fixed. In the indirect attack it gains little and stops early; the exact gradient continues.",
    paper: {
      section: "Gradients Computation",
      quote: "at convergence, we can treat Ω in Problem (8) as a constant-value matrix when computing the gradients",
    },
    result: (o, _, exact) => `NMSE ${change(o)} with the published gradient${exact ? `, → ${n(end(exact))} with the exact one` : ""}.`,
  },
  {
    id: "sarcos-constant",
    name: "Sarcos: the paper’s constant step",
    draft: { dataset: "sarcos", gradient: "published", step: "constant" },
    shows: "The setting of Figure 1: published gradient, constant step size 100.",
    paper: {
      section: "Evaluating Convergence of PATOM, Figure 1",
      quote: "PATOM converges to local optima in less than 10 iterations",
    },
    result: (o) => {
      const late = o.metric.slice(10);
      return `After iteration 10, the NMSE still varies between ${n(Math.min(...late))} and ${n(Math.max(...late))}.`;
    },
  },
  {
    id: "sarcos-budget",
    name: "Sarcos: a budget of 5 %",
    draft: { dataset: "sarcos", budget: 0.05 },
    shows: "A small attack budget is enough. Use the slider to increase it.",
    paper: { section: "Abstract", quote: "MTRL models are very sensitive to poisoning attacks" },
    result: (o) => `NMSE ${change(o)}: ${percent(o)}.`,
  },
  {
    id: "sarcos-flip",
    name: "Sarcos: a correlation changes sign",
    draft: { dataset: "sarcos", attack: "hybrid", attackers: [0, 1, 3, 6], budget: 0.3, iterations: 10 },
    shows: "The attack reverses the learned correlation of tasks 2 and 3.",
    paper: {
      section: "Evaluating Task Relationships, Figure 3",
      quote: "the ground-truth correlation between tasks 2 and 3 is −0.99 […] the correlation between tasks 2 and 3 becomes 0.99",
    },
    result: (o) => `T2 and T3: ${two(o.before[1 * 7 + 2] ?? NaN)} → ${two(o.after[1 * 7 + 2] ?? NaN)}.`,
  },
  {
    ...preset("landmine"),
    name: "Landmine: direct",
    shows: "29 minefields, mine or clutter; 15 target tasks are poisoned.",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "direct attacks significantly degrade the learning performance on all datasets",
    },
    result: (o) => `AUC ${change(o)}.`,
  },
  {
    id: "landmine-indirect",
    name: "Landmine: indirect",
    draft: { dataset: "landmine", attack: "indirect" },
    comparison: { dataset: "landmine" },
    shows: "The tasks are nearly identical: poisoning the other fields inverts the shared model.",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "Direct attacks are more effective than indirect attacks and random attacks given the same budget.",
    },
    result: (o, _, direct) => `AUC ${change(o)} indirect${direct ? `, → ${n(end(direct))} direct` : ""}; lower is a stronger attack.`,
  },
  {
    id: "landmine-hybrid",
    name: "Landmine: hybrid, 30 %",
    draft: { dataset: "landmine", attack: "hybrid", budget: 0.3, iterations: 10 },
    shows: "Do the correlations reveal the poisoned tasks? Compare the heatmaps.",
    paper: {
      section: "Conclusion and Future Work",
      quote: "the tasks under attacking show a strong correlation with only 30% data injected",
    },
    result: (o, { attackers }) => {
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
    shows: "Ten digits, one-vs-rest; five target tasks are poisoned.",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "direct attacks significantly degrade the learning performance on all datasets",
    },
    result: (o) => `AUC ${change(o)}.`,
  },
  {
    id: "mnist-indirect",
    name: "MNIST: indirect",
    draft: { dataset: "mnist", attack: "indirect" },
    shows: "The digit tasks share little information, so there is little to exploit.",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote: "Indirect attacks almost have no effect on MNIST dataset.",
    },
    result: (o) => `AUC ${change(o)}.`,
  },
];

/** @param {Example} example */
const dataOf = ({ draft }) => String(draft["dataset"] ?? "synthetic");

export class Examples {
  /** @param {Session} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {Map<string, Outcome>} by link, of this session */
    this.outcomes = new Map();
    /** @type {Map<string, HTMLElement>} by id: the element that shows our result */
    this.numbers = new Map();
    const close = el("button", { type: "button", "data-testid": "examples-close", onclick: () => this.dialog.close() }, "Close");
    this.fill = el("button", { type: "button", "data-testid": "examples-fill", onclick: () => this.fillIn() }, "Run all examples");
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
      const available = this.lab.isThere(data);
      const note = available ? `about ${time} each` : "not included in this build: open its files under “Data” first";
      const mine = EXAMPLES.filter((example) => dataOf(example) === data);
      return el(
        "section",
        { "aria-labelledby": `examples-${data}` },
        el("h3", { id: `examples-${data}` }, title, el("small", {}, ` ${note}`)),
        el("ul", { class: "example-list" }, ...mine.map((example) => this.card(example, available))),
      );
    });
    const figures = this.lab.engine.figures.map(({ number, title, claim, datasets }) => {
      const link = el("a", { href: `#view=figure${number}`, "data-testid": `example-figure${number}`, onclick: () => this.dialog.close() }, `Figure ${number}: ${title.toLowerCase()}`);
      return el(
        "li",
        { class: "example" },
        el("h4", {}, link),
        el("p", {}, `The full figure: ${datasets.map((name) => DATA[name]?.title ?? name).join(", ")}.`),
        el("dl", { class: "claims" }, el("dt", {}, "The paper"), el("dd", {}, claim), el("dt", {}, "This page"), el("dd", {}, "Shown next to the curves of the figure.")),
      );
    });
    this.lists.replaceChildren(
      el("section", { "aria-labelledby": "examples-figures" }, el("h3", { id: "examples-figures" }, "The paper’s figures", el("small", {}, " many runs each, seconds to a minute")), el("ul", { class: "example-list" }, ...figures)),
    );
    this.lists.prepend(...groups);
    this.showNumbers();
  }

  /** @param {Example} example @param {boolean} available */
  card(example, available) {
    const { id, name, shows, paper } = example;
    const run = () => {
      this.dialog.close();
      this.lab.adopt(example.draft);
      this.lab.start();
      $("results").scrollIntoView({ block: "start" });
    };
    const number = el("dd", { "data-testid": `here-${id}` });
    this.numbers.set(id, number);
    const rows = [el("dt", {}, "This page"), number];
    if (paper) rows.unshift(el("dt", {}, "The paper"), el("dd", {}, `“${paper.quote}” `, el("cite", {}, paper.section)));
    return el(
      "li",
      { class: "example" },
      el("h4", {}, el("button", { type: "button", "data-testid": `example-${id}`, disabled: !available, onclick: run }, name)),
      el("p", {}, shows),
      el("dl", { class: "claims" }, ...rows),
    );
  }

  /** Our result of an example as a sentence, empty until its runs are done. @param {Example} example */
  sentence(example) {
    const complete = this.lab.engine.complete(example.draft);
    if ("errors" in complete) return "";
    const outcome = this.outcomes.get(complete.link);
    const comparison = example.comparison ? this.outcomes.get(this.link(example.comparison)) : undefined;
    return outcome ? example.result(outcome, complete.spec, comparison ?? null) : "";
  }

  showNumbers() {
    for (const example of EXAMPLES) {
      const number = this.numbers.get(example.id);
      if (!number) continue;
      const available = this.lab.isThere(dataOf(example));
      const sentence = this.sentence(example);
      number.textContent = sentence || (available ? "not run yet" : "data not available");
      number.classList.toggle("absent", sentence === "");
    }
  }

  /** The drafts of these examples that can be run and have not been. @param {Example[]} examples */
  missing(examples) {
    const drafts = examples
      .filter((example) => this.lab.isThere(dataOf(example)))
      .flatMap(({ draft, comparison }) => (comparison ? [draft, comparison] : [draft]));
    const byLink = new Map(drafts.map((draft) => [this.link(draft), draft]));
    return [...byLink].filter(([link]) => !this.outcomes.has(link));
  }

  /**
   * Runs the missing drafts of these examples; returns the message of a failure, or "".
   * @param {Example[]} examples
   * @param {(done: number, all: number) => void} onDone
   */
  async complete(examples, onDone) {
    const missing = this.missing(examples);
    let [done, failed] = [0, ""];
    const workers = Math.min(navigator.hardwareConcurrency || 2, 4);
    if (missing.length === 0) return "";
    try {
      await runComparisons(this.lab, missing.map(([, draft]) => draft), workers, (k, outcome) => {
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
    this.status.textContent = failed ? `Some runs failed: ${failed}` : "All results were computed on this computer.";
    this.fill.disabled = false;
    this.showNumbers();
  }

  /**
   * Records a result; if it reproduces an experiment of the paper, shows the paper's claim in the summary.
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
        el("dd", {}, `“${example.paper.quote}” `, el("cite", {}, example.paper.section)),
        el("dt", {}, "This page"),
        here,
      ),
    );
    $("claim").hidden = false;
    await this.complete([example], () => {});
    here.textContent = this.sentence(example);
  }
}
