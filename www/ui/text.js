/**
 * The text of every enum value that a person can meet. Where a value is shown is up to the views. The enums
 * are generated from Rust: a value without a text is a type error.
 */

/** @import { Status, Stop } from "../engine/types.js" */

/** A value that needs no text of its own, as it is written in settings and links. @param {string} value */
export const readable = (value) => value.replaceAll("_", " ");

/** A number as people read it: with the minus sign, in its exponent too. @param {string} number */
export const minus = (number) => number.replaceAll("-", "−");

/** @type {Record<Status, string>} */
export const SOLVER_STATUS = {
  converged: "converged",
  settled: "settled: the alternation stopped, but its error bound exceeds the tolerance",
  iteration_limit: "NOT converged: iteration limit reached",
  stalled: "NOT converged: no further progress in floating point",
};

/** @type {Record<Stop, string>} */
export const STOP = {
  iterations: "all iterations done",
  no_ascent: "no step increases the utility further",
  nothing_to_optimise: "nothing to optimise",
};

/**
 * The text of a value; of one that this page does not know (a recalled result may be older), the value itself.
 * @template {string} T
 * @param {Record<T, string>} texts
 * @param {T} value
 */
export const textOf = (texts, value) => texts[value] ?? readable(value);
