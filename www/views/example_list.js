/**
 * The examples: what each demonstrates, on which data set, and, for the paper's experiments, the paper's
 * claim next to our result. All numbers come from runs.
 */

import { preset } from "./preset_list.js";
import { metricDigits, twoDecimals } from "./report.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Draft, Spec } from "../engine/types.js" */

/**
 * @typedef {{
 *   id: string, name: string, shows: string, draft: Draft, comparison?: Draft,
 *   paper?: {section: string, quote: string},
 *   result: (outcome: Outcome, spec: Spec, comparison: Outcome | null) => string,
 *   risk?: string,
 * }} Example
 * `comparison`: a second run to compare with; `risk`: the text of a link to the risk map of its data set.
 */

/** Data sets in display order; times include loading the data, on a typical computer. */
export const DATA = /** @type {Record<string, {title: string, time: string}>} */ ({
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

/** @param {number | undefined} value @returns {value is number} */
const isNumber = (value) => value !== undefined && Number.isFinite(value);

/** Few training points, as in the tour: here MTRL helps, and the attack has a clear effect. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, seed: 3 };

/** @type {Example[]} */
export const EXAMPLES = [
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
    result: (o, _, alone) =>
      `Test error (NMSE) ${n(o.clean)} jointly${alone ? `, ${n(alone.clean)} separately` : ""}.`,
  },
  {
    ...preset("constant"),
    name: "The paper's constant step",
    shows: "With the published gradient and a constant step, the utility oscillates.",
    result: (o) =>
      `Utility ${n(o.utility[0] ?? NaN)} at the start, then between ${n(Math.min(...o.utility.slice(1)))} and ${n(Math.max(...o.utility.slice(1)))}.`,
  },
  {
    ...preset("sarcos"),
    name: "Sarcos: direct",
    shows: "Seven robot arm joints; the three target tasks are poisoned (budget 20 %).",
    paper: {
      section: "Evaluating Solution Qualities, Figure 2",
      quote:
        "Both direct attacks and indirect attacks computed by PATOM significantly outperform random attacks",
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
      quote:
        "on Sarcos dataset, direct attacks with 30% malicious data injected leads to about 50% higher averaged NMSE",
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
      quote:
        "Both direct attacks and indirect attacks computed by PATOM significantly outperform random attacks",
    },
    result: (o) => `NMSE ${change(o)}; random points ${n(start(o))}.`,
  },
  {
    id: "cap",
    name: "The cap holds",
    draft: { dataset: "sarcos", attack: "indirect", learner: "capped" },
    comparison: { dataset: "sarcos", attack: "indirect" },
    shows:
      "The indirect attack again, by an attacker who knows the pull cap. Look at the line “certified” in the " +
      "curve: no points in other tasks can take the error beyond it.",
    result: (o, _, free) => `NMSE ${change(o)} with the cap${free ? `, ${change(free)} without` : ""}.`,
  },
  {
    id: "filter-fails",
    name: "The filter that fails",
    draft: { dataset: "sarcos", sanitise: "norm", sanitise_share: 1 / 6, radius: "q75" },
    comparison: { dataset: "sarcos", sanitise: "norm", sanitise_share: 1 / 6 },
    shows:
      "The filter drops the points of largest norm, as many as were injected. This attacker knows that and " +
      "stays among the norms of the clean points. Compare “Sanitised” with “after”.",
    result: (o, _, standard) =>
      `NMSE ${change(o)} unfiltered${isNumber(o.sanitised) ? `, ${n(o.sanitised)} filtered` : ""}` +
      `${isNumber(standard?.sanitised) ? `; against the standard attack the filter gives ${n(standard.sanitised)}` : ""}.`,
  },
  {
    id: "sarcos-gradients",
    name: "Sarcos: exact or published gradient",
    draft: { dataset: "sarcos", attack: "indirect", gradient: "published" },
    comparison: { dataset: "sarcos", attack: "indirect" },
    shows:
      "The published gradient holds Ω fixed. In the indirect attack it gains little and stops early; the exact gradient continues.",
    paper: {
      section: "Gradients Computation",
      quote:
        "at convergence, we can treat Ω in Problem (8) as a constant-value matrix when computing the gradients",
    },
    result: (o, _, exact) =>
      `NMSE ${change(o)} with the published gradient${exact ? `, → ${n(end(exact))} with the exact one` : ""}.`,
  },
  {
    id: "sarcos-constant",
    name: "Sarcos: the paper's constant step",
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
      quote:
        "the ground-truth correlation between tasks 2 and 3 is −0.99 […] the correlation between tasks 2 and 3 becomes 0.99",
    },
    result: (o) =>
      `T2 and T3: ${twoDecimals(o.before[1 * 7 + 2] ?? NaN)} → ${twoDecimals(o.after[1 * 7 + 2] ?? NaN)}.`,
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
      quote:
        "Direct attacks are more effective than indirect attacks and random attacks given the same budget.",
    },
    result: (o, _, direct) =>
      `AUC ${change(o)} indirect${direct ? `, → ${n(end(direct))} direct` : ""}; lower is a stronger attack.`,
  },
  {
    ...preset("field"),
    risk: "Which field can ruin which? Open the risk map",
    comparison: { ...preset("field").draft, learner: "single_task" },
    shows:
      "Poisoned points in the last minefield alone: 20 % more of its points. See every other field fall in " +
      "“Results per task”; learned alone, none would.",
    result: (o, _, alone) =>
      `Mean AUC of the other 28 fields ${change(o)}${alone ? `; learned alone ${n(end(alone))}` : ""}.`,
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
      return `Mean correlation of the attacking tasks ${twoDecimals(mean(o.before))} → ${twoDecimals(mean(o.after))}.`;
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
