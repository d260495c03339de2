/** Words that the core needs for its messages. Sentences about a result are in views/report.js. */

/** @param {unknown} error */
export const errorMessage = (error) =>
  error && typeof error === "object" && "message" in error ? String(error.message) : String(error);

/** "1 task", "2 tasks". @param {number} count @param {string} one */
export const countOf = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;

/** The first of them, and how many more. @param {string[]} all */
export const few = (all) =>
  all.slice(0, 4).join(", ") + (all.length > 4 ? ` and ${all.length - 4} more` : "");

/** @param {number} seconds */
export const duration = (seconds) =>
  seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;
