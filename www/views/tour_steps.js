/**
 * The steps of the tour: settings, text and findings. A step's numbers come from the report of its run,
 * and a sentence is shown only if it is true of that report.
 */

import { formula } from "../ui/math.js";
import { metricDigits, taskList, taskName } from "./report.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Draft, Report } from "../engine/types.js" */

/**
 * @typedef {{
 *   title: string, text: string[], formula: () => Element, draft: Draft, card: string,
 *   block: ScrollLogicalPosition, comparison?: Draft,
 *   findings: (report: Report, comparison: Outcome | null) => (string | false)[],
 * }} Step
 * `card`: a selector of the card to show; `comparison`: a run to compare with; `findings`: sentences,
 * or false in place of one that does not hold.
 */

/** Few training points per task: here MTRL helps, and the attack has a clear effect. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, seed: 3 };
const UNTOUCHED = { method: "random", budget: 0, iterations: 0 };
/** Single-task learning, with the λ1 that works best for it. */
const SINGLE_TASK = { ...SMALL, ...UNTOUCHED, lambda1: 0.02, lambda2: 0 };

const two = (/** @type {number} */ value) => value.toFixed(2).replace("-", "−");
const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;

/** @param {Report} report */
function injected({ spec }) {
  const each = Math.floor(spec.budget * (spec.train_per_task ?? 0));
  return { each, all: each * spec.attackers.length, clean: spec.train_per_task ?? 0 };
}

/** @param {number[]} tasks @returns {[number, number][]} */
const pairs = (tasks) =>
  tasks.flatMap((a, k) => tasks.slice(k + 1).map((b) => /** @type {[number, number]} */ ([a, b])));

/** @type {Step[]} */
export const STEPS = [
  {
    title: "Multi-task learning helps",
    text: [
      "Eight small learning tasks have only 12 training points each, too few to learn much from.",
      "A multi-task learner trains one model per task, all jointly, so that related tasks share information. The last term of the formula couples them: with λ2 = 0, each task is learned separately.",
    ],
    formula: () =>
      formula(
        ["munder", "min", ["mrow", "W", ",", "Ω"]],
        ["munder", "∑", "i"],
        ["mfrac", "1", ["msub", "n", "i"]],
        ["munder", "∑", "j"],
        [
          "mrow",
          "ℓ",
          "(",
          ["msubsup", "w", "i", "⊤"],
          ["msub", "x", ["mrow", "i", "j"]],
          ",",
          ["msub", "y", ["mrow", "i", "j"]],
          ")",
        ],
        "+",
        ["mfrac", ["msub", "λ", "1"], "2"],
        ["mrow", "tr", "(", "W", ["msup", "W", "⊤"], ")"],
        "+",
        ["mfrac", ["msub", "λ", "2"], "2"],
        ["mrow", "tr", "(", "W", ["msup", "Ω", ["mrow", "−", "1"]], ["msup", "W", "⊤"], ")"],
      ),
    draft: { ...SMALL, ...UNTOUCHED },
    comparison: SINGLE_TASK,
    card: ".summary",
    block: "start",
    findings: ({ spec, clean }, single) => {
      if (!single) return [];
      return [
        `Learned separately, with the best λ1 for it: the test error of ${taskList(spec.targets)} is ${metricDigits(single.clean)} (NMSE).`,
        clean.metric < single.clean &&
          `Learned jointly: ${metricDigits(clean.metric)}, which is ${percent(1 - clean.metric / single.clean)} lower with the same points.`,
      ];
    },
  },
  {
    title: "The tasks are related",
    text: [
      "The learner also estimates how tasks are related: the task covariance Ω. The heatmap shows it as correlations: +1 identical, 0 unrelated, −1 opposite.",
      "The true correlations of this synthetic data set are known, but not given to the learner. Compare the first two heatmaps.",
    ],
    formula: () =>
      formula(["msub", "ρ", ["mrow", "i", "j"]], "=", [
        "mfrac",
        ["msub", "Ω", ["mrow", "i", "j"]],
        ["msqrt", ["msub", "Ω", ["mrow", "i", "i"]], ["msub", "Ω", ["mrow", "j", "j"]]],
      ]),
    draft: { ...SMALL, ...UNTOUCHED },
    card: "#heat-card",
    block: "start",
    findings: ({ clean, true_correlation: truth }) => {
      const m = Math.sqrt(clean.correlation.length);
      const shown = /** @type {[number, number][]} */ ([
        [0, 1],
        [0, 3],
        [0, 7],
      ]);
      return shown.map(([a, b]) => {
        const [actual, learned] = [truth?.[a * m + b] ?? NaN, clean.correlation[a * m + b] ?? NaN];
        return `${taskName(a)} and ${taskName(b)}: true correlation ${two(actual)}, learned ${two(learned)}.`;
      });
    },
  },
  {
    title: "Adding poisoned points",
    text: [
      "An attacker adds a few points to the training sets of the target tasks. Their norms and labels look ordinary: no norm exceeds that of the clean points. The test set is never changed.",
      "At the start, the points are drawn at random.",
    ],
    formula: () =>
      formula(
        ["mrow", "‖", ["mover", "x", "^"], "‖", "≤", "r", ","],
        ["mspace"],
        ["mrow", ["msub", ["mover", "n", "^"], "i"], "=", "⌊", "b", ["msub", "n", "i"], "⌋"],
      ),
    draft: { ...SMALL, method: "random" },
    card: ".summary",
    block: "start",
    findings: (report) => {
      const { each, clean } = injected(report);
      const targets = taskList(report.spec.targets);
      return [
        `Attack budget ${percent(report.spec.budget)}: ${each} poisoned points are added to the ${clean} clean points of each of ${targets}.`,
        report.attacked.metric > report.clean.metric &&
          `Even random points do some harm: the test error of ${targets} rises from ${metricDigits(report.clean.metric)} to ${metricDigits(report.attacked.metric)}.`,
      ];
    },
  },
  {
    title: "Direct attack: poison the target tasks",
    text: [
      "Now the attacker optimises the points. The gradient shows how to move each point so that the retrained model fits the target tasks worse. The attack moves the points, retrains the model, and repeats.",
      "U is the training loss of the target tasks: the attacker’s utility.",
    ],
    formula: () =>
      formula(
        [
          "mrow",
          "U",
          "=",
          ["munder", "∑", ["mrow", "i", "∈", "targets"]],
          "L",
          "(",
          ["msub", "D", "i"],
          ",",
          ["msub", "w", "i"],
          ")",
          ",",
        ],
        ["mspace"],
        [
          "mrow",
          ["mover", "x", "^"],
          "←",
          "Proj",
          "(",
          ["mover", "x", "^"],
          "+",
          "η",
          ["msub", "∇", ["mover", "x", "^"]],
          "U",
          ")",
        ],
      ),
    draft: SMALL,
    card: "#curve-card",
    block: "start",
    findings: (report) => {
      const start = report.trace.metric[0] ?? NaN;
      const { all } = injected(report);
      const end = report.attacked.metric;
      return [
        end > start &&
          `With ${all} random points, the test error was ${metricDigits(start)}; after ${report.trace.iteration.length - 1} iterations it is ${metricDigits(end)}. On clean data it was ${metricDigits(report.clean.metric)}.`,
        end > 1 && "An NMSE above 1 is worse than predicting the mean.",
      ];
    },
  },
  {
    title: "Indirect attack: poison other tasks",
    text: [
      "Suppose the target tasks are protected, so the attacker can poison only the other tasks.",
      "But the tasks share information. Each model is a combination of the training points of all tasks, weighted by Ω. So the damage spreads to the targets.",
    ],
    formula: () =>
      formula(
        [
          "mrow",
          ["msub", "w", "p"],
          "=",
          ["munder", "∑", "i"],
          ["msub", "Φ", ["mrow", "i", "p"]],
          ["munder", "∑", "j"],
          ["msub", "α", ["mrow", "i", "j"]],
          ["msub", "x", ["mrow", "i", "j"]],
          ",",
        ],
        ["mspace"],
        [
          "mrow",
          "Φ",
          "=",
          "Ω",
          [
            "msup",
            ["mrow", "(", ["msub", "λ", "1"], "Ω", "+", ["msub", "λ", "2"], "I", ")"],
            ["mrow", "−", "1"],
          ],
        ],
      ),
    draft: { ...SMALL, attack: "indirect" },
    card: "#tasks-card",
    block: "start",
    findings: (report) => {
      const { spec, clean, attacked, trace } = report;
      const targets = taskList(spec.targets);
      const start = trace.metric[0] ?? NaN;
      return [
        !spec.attackers.some((task) => spec.targets.includes(task)) &&
          `${targets} receive no poisoned points. All ${injected(report).all} are in ${taskList(spec.attackers)}.`,
        attacked.metric > clean.metric &&
          `Still, the test error of ${targets} rises from ${metricDigits(clean.metric)} to ${metricDigits(attacked.metric)}` +
            (attacked.metric > start ? `; with random points it is ${metricDigits(start)}.` : "."),
      ];
    },
  },
  {
    title: "What the heatmap reveals",
    text: [
      "To harm the targets via other tasks, the attack must distort the learned correlations. The last heatmap shows this: attacked minus clean.",
      "Monitoring the learned correlations can reveal an attack even if every single point looks ordinary.",
    ],
    formula: () =>
      formula([
        "mrow",
        "Δ",
        ["msub", "ρ", ["mrow", "i", "j"]],
        "=",
        ["msubsup", "ρ", ["mrow", "i", "j"], "attacked"],
        "−",
        ["msubsup", "ρ", ["mrow", "i", "j"], "clean"],
      ]),
    draft: { ...SMALL, attack: "indirect" },
    card: "#heat-card",
    block: "end",
    findings: ({ spec, clean, attacked, true_correlation: truth }) => {
      const m = Math.sqrt(clean.correlation.length);
      const at = (/** @type {ArrayLike<number> | null} */ map, /** @type {[number, number]} */ [a, b]) =>
        map?.[a * m + b] ?? NaN;
      const moved = (/** @type {[number, number]} */ pair) =>
        Math.abs(at(attacked.correlation, pair) - at(clean.correlation, pair));
      const all = pairs([...Array(m).keys()]);
      const most = all.reduce((best, pair) => (moved(pair) > moved(best) ? pair : best));
      const own = pairs(spec.attackers);
      const strong = (/** @type {ArrayLike<number>} */ map) =>
        own.filter((pair) => at(map, pair) > 0.5).length;
      return [
        `Largest change: ${taskName(most[0])} and ${taskName(most[1])}, from ${two(at(clean.correlation, most))} to ${two(at(attacked.correlation, most))}. The true correlation is ${two(at(truth, most))}.`,
        `The paper reports that attacking tasks become strongly correlated. Here ${strong(clean.correlation)} of their ${own.length} pairs exceed 0.5 before the attack and ${strong(attacked.correlation)} after it: the change matters, not only the value.`,
      ];
    },
  },
];
