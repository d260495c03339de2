/**
 * The steps of the tour: settings, text and findings. A step's numbers come from the report of its run,
 * and a sentence is shown only if it is true of that report.
 */

import { formula } from "../ui/math.js";
import { metricDigits, taskList, taskName, twoDecimals } from "./report.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Draft, Report } from "../engine/types.js" */

/**
 * @typedef {{pairs: number, caught: number, surface: number, shown: number}} Points
 * How the poisoned points look: `pairs`: the share of pairs in which a poisoned point has a larger norm than a
 * clean one (ROC AUC); `caught`: how many of as many largest norms as there are poisoned points are theirs;
 * `surface`: how many of the `shown` ones lie on the surface of the ball
 * @typedef {{
 *   text: string, options: string[], waits: boolean,
 *   answer: (report: Report, comparison: Outcome | null, points: Points | null) => number | null,
 * }} Question
 * A guess before the findings; `waits`: the run starts after it. `answer`: which option is right, null while a
 * result is missing.
 * @typedef {{
 *   title: string, text: string[], formula?: () => Element, draft: Draft, card: string,
 *   block: ScrollLogicalPosition, comparison?: Draft, maps?: "truth" | "attack", question?: Question,
 *   isLast?: boolean, more?: "defend",
 *   findings: (report: Report, comparison: Outcome | null, points: Points | null) => (string | false)[],
 * }} Step
 * `card`: a selector of the card to show; `comparison`: a run to compare with; `maps`: two maps to show side by
 * side; `findings`: sentences, or false in place of one that does not hold; `more`: the view that goes on from here, with
 * the settings of the step.
 */

/** Few training points per task: here MTRL helps, and the attack has a clear effect. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, seed: 3 };
const UNTOUCHED = { method: "random", budget: 0, iterations: 0 };
/** Single-task learning, with the λ1 that works best for it. */
const SINGLE_TASK = { ...SMALL, ...UNTOUCHED, lambda1: 0.02, lambda2: 0 };

const percent = (/** @type {number} */ share) => `${Math.round(100 * share)} %`;

/** @param {Report} report */
function injected({ spec }) {
  const each = Math.floor(spec.budget * (spec.train_per_task ?? 0));
  return { each, all: each * spec.attackers.length, clean: spec.train_per_task ?? 0 };
}

/**
 * The first limit that a value is below.
 * @param {number} value
 * @param {number[]} limits
 */
const place = (value, limits) => limits.filter((limit) => value >= limit).length;

/** @param {Report} report */
const ratio = ({ clean, attacked }) => attacked.metric / clean.metric;

/** The targets' metric at the end of a comparison run. @param {Outcome} outcome */
const lastOf = ({ metric }) => metric.at(-1) ?? NaN;

/**
 * The share of the damage without a defence that does not happen with one.
 * @param {Report} report with it
 * @param {Outcome} free without it
 */
const prevented = ({ clean, attacked }, free) =>
  1 - (attacked.metric - clean.metric) / (lastOf(free) - free.clean);

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
    question: {
      text: "Which learner has the lower test error on T1 to T3?",
      options: ["Separate models", "One joint learner", "No difference"],
      waits: false,
      answer: ({ clean }, single) =>
        single && ([1, 2, 0][place(clean.metric / single.clean, [0.95, 1.05])] ?? null),
    },
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
      "The true correlations of this synthetic data set are known, but not given to the learner. Compare the true map with the learned one.",
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
    maps: "truth",
    question: {
      text: "T1 and T4 are opposed: their true correlation is −0.90. What does the learner find with 12 points each?",
      options: ["Strongly opposed", "Weakly opposed", "Unrelated or alike"],
      waits: false,
      answer: ({ clean }) => place(clean.correlation[3] ?? NaN, [-0.5, -0.1]),
    },
    findings: ({ clean, true_correlation: truth }) => {
      const m = Math.sqrt(clean.correlation.length);
      const shown = /** @type {[number, number][]} */ ([
        [0, 1],
        [0, 3],
        [0, 7],
      ]);
      return shown.map(([a, b]) => {
        const [actual, learned] = [truth?.[a * m + b] ?? NaN, clean.correlation[a * m + b] ?? NaN];
        return `${taskName(a)} and ${taskName(b)}: true correlation ${twoDecimals(actual)}, learned ${twoDecimals(learned)}.`;
      });
    },
  },
  {
    title: "Adding poisoned points",
    text: [
      "An attacker adds a few points to the training sets of the target tasks. None has a larger norm than the data set has. The test set is never changed.",
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
    question: {
      text: "Two random points join the 12 clean ones of each of T1 to T3. What happens to their test error?",
      options: ["Less than 10 % worse", "10 % to 75 % worse", "Even worse"],
      waits: true,
      answer: (report) => place(ratio(report), [1.1, 1.75]),
    },
    findings: (report, _, points) => {
      const { each, clean } = injected(report);
      const targets = taskList(report.spec.targets);
      return [
        `Attack budget ${percent(report.spec.budget)}: ${each} poisoned points are added to the ${clean} clean points of each of ${targets}.`,
        report.attacked.metric > report.clean.metric &&
          `Even random points do some harm: the test error of ${targets} rises from ${metricDigits(report.clean.metric)} to ${metricDigits(report.attacked.metric)}.`,
        points !== null &&
          Math.abs(points.pairs - 0.5) < 0.2 &&
          `They look ordinary: a poisoned point has a larger norm than a clean one in ${percent(points.pairs)} of all pairs; 50 % would be chance.`,
      ];
    },
  },
  {
    title: "Direct attack: poison the target tasks",
    text: [
      "Now the attacker optimises the points. The gradient shows how to move each point so that the retrained model fits the target tasks worse. The attack moves the points, retrains the model, and repeats.",
      "U is the training loss of the target tasks: the attacker's utility.",
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
    question: {
      text: "The same six points, now placed to do harm. What is the test error of T1 to T3?",
      options: ["Below 0.6", "0.6 to 1", "Above 1: worse than guessing"],
      waits: true,
      answer: ({ attacked }) => place(attacked.metric, [0.6, 1]),
    },
    findings: (report, _, points) => {
      const start = report.trace.metric[0] ?? NaN;
      const { all } = injected(report);
      const end = report.attacked.metric;
      return [
        end > start &&
          `With ${all} random points, the test error was ${metricDigits(start)}; after ${report.trace.iteration.length - 1} iterations it is ${metricDigits(end)}. On clean data it was ${metricDigits(report.clean.metric)}.`,
        end > 1 && "An NMSE above 1 is worse than predicting the mean.",
        surfaceText(points),
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
    question: {
      text: "Ten points go into the other five tasks, none into T1 to T3. What happens to the test error of T1 to T3?",
      options: ["Nothing: nobody touched them", "10 % to 50 % worse", "Even worse"],
      waits: true,
      answer: (report) => place(ratio(report), [1.1, 1.5]),
    },
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
    title: "What a defender sees",
    text: [
      "A defender can look at single points, and at the learned correlations.",
      "To harm the targets via other tasks, the attack must distort the correlations: compare before with after.",
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
    block: "start",
    maps: "attack",
    question: {
      text: "Do the points give the attack away? Of the ten largest norms in the training sets, how many are poisoned points?",
      options: ["0 to 3", "4 to 7", "8 to 10"],
      waits: false,
      answer: (_report, _single, points) => points && place(points.caught, [4, 8]),
    },
    findings: (report, _, points) => {
      const { spec, clean, attacked, true_correlation: truth } = report;
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
        points !== null &&
          `Of the ${injected(report).all} largest norms, ${points.caught} are poisoned points. ${
            points.pairs > 0.8 ? "These points do not look ordinary." : "These points look ordinary."
          }`,
        `Largest change: ${taskName(most[0])} and ${taskName(most[1])}, from ${twoDecimals(at(clean.correlation, most))} to ${twoDecimals(at(attacked.correlation, most))}. The true correlation is ${twoDecimals(at(truth, most))}.`,
        `The paper: attacking tasks become strongly correlated. Here ${strong(clean.correlation)} of their ${own.length} pairs exceed 0.5 before and ${strong(attacked.correlation)} after: watch the change, not the value.`,
      ];
    },
  },
  {
    title: "Limiting the pull",
    text: [
      "A defence: other tasks may pull at a task, but only so hard. With the pull cap μ, it follows them until its own points object by more than μ.",
      "This attacker knows the cap. A defence tried only against one who does not know it proves nothing.",
    ],
    formula: () =>
      formula(["mrow", "‖", ["mrow", "∇", ["msub", "f", "i"]], "(", ["msub", "w", "i"], ")", "‖"], "≤", "μ"),
    draft: { ...SMALL, attack: "indirect", learner: "capped", pull_cap: 0.1 },
    comparison: { ...SMALL, attack: "indirect" },
    card: ".summary",
    block: "start",
    question: {
      text: "The same ten points again. How much of the damage to T1 to T3 does the cap prevent?",
      options: ["Under a quarter", "About half", "Over three quarters"],
      waits: true,
      answer: (report, free) => free && place(prevented(report, free), [0.25, 0.75]),
    },
    findings: (report, free) => {
      if (!free) return [];
      const { spec, clean, attacked } = report;
      const share = prevented(report, free);
      return [
        `Without the cap, the attack raises the test error of ${taskList(spec.targets)} from ${metricDigits(free.clean)} to ${metricDigits(lastOf(free))}; with the cap, from ${metricDigits(clean.metric)} to ${metricDigits(attacked.metric)}.`,
        share > 0 &&
          `The cap prevents ${percent(share)} of the damage` +
            (clean.metric <= free.clean ? ", and the error on clean data is no higher." : "."),
      ];
    },
    more: "defend",
  },
  {
    title: "Your turn",
    text: [
      "Be the defender: somebody poisoned one task. Find it in the maps of the correlations.",
      "Or be the attacker: take a poisoned point and move it by hand. The model is trained again at every move.",
    ],
    draft: { ...SMALL, attack: "indirect" },
    card: "#where-card",
    block: "start",
    isLast: true,
    findings: () => [],
  },
];

/** @param {Points | null} points */
function surfaceText(points) {
  if (!points || points.surface < points.shown / 2) return false;
  const all = points.surface === points.shown ? "all" : `${points.surface}`;
  return `The price: ${all} of the ${points.shown} points now lie on the surface of the ball, and have a larger norm than a clean point in ${percent(points.pairs)} of all pairs.`;
}
