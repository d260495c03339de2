/**
 * The fragment of the address: which view is shown, with which parameters, and the link of the lab.
 * Pure: text to values and back. The keys of the specification in a link are read by the engine.
 */

/** @typedef {[string, string][]} Keys  Decoded, in their order. */

/**
 * @typedef {{
 *   view: "lab" | "figure" | "compare" | "risk" | "defend",
 *   figure: number, method: string, datasets: string, seeds: string,
 *   left: string, right: string, names: string,
 *   lab: string, embed: boolean,
 * }} Route
 * `figure`: its number in the paper, with the method, the data sets and the seeds; `left` and `right`:
 * the links to compare, and `names`, what they are called, separated by |; `lab`: the rest, which is the link of the lab, and of "risk" and "defend" the
 * specification that they are about; `embed`: without controls.
 */

/** Views by name, beside the lab and the figures. */
const NAMED = /** @type {const} */ (["compare", "risk", "defend"]);
/** Keys of views other than the lab. */
const VIEW_KEYS = ["view", "left", "right", "names", "method", "data", "seeds"];
/** Keys of the lab's view. `view` names the cards of an embedded result. */
const LAB_KEYS = ["view", "embed", "map", "theme", "story"];

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} part of a fragment @returns {[string, string]} */
function split(part) {
  const at = part.indexOf("=");
  return at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
}

/** @param {string} fragment with or without # */
const parts = (fragment) => fragment.replace(/^#/, "").split("&").filter(Boolean);

/** @param {string} fragment @returns {Route} */
export function parseRoute(fragment) {
  const all = parts(fragment);
  const keys = all.map(split);
  const value = (/** @type {string} */ wanted) => keys.find(([key]) => key === wanted)?.[1] ?? "";
  const figure = Number(/^figure([123])$/.exec(value("view"))?.[1] ?? 0);
  const view = figure ? "figure" : (NAMED.find((name) => name === value("view")) ?? "lab");
  const others = view === "lab" ? [] : VIEW_KEYS;
  return {
    view,
    figure,
    method: value("method"),
    datasets: value("data"),
    seeds: value("seeds"),
    left: value("left"),
    right: value("right"),
    names: value("names"),
    lab: all.filter((_, k) => !others.includes(keys[k]?.[0] ?? "")).join("&"),
    embed: value("embed") === "1",
  };
}

/**
 * A link of the lab in two: what the engine reads, and the keys of the page.
 * @param {string} fragment
 * @returns {{spec: string, keys: Keys}}
 */
export function splitLabLink(fragment) {
  const all = parts(fragment);
  const isPageKey = (/** @type {string} */ part) => LAB_KEYS.includes(split(part)[0]);
  const keys = all.filter(isPageKey).map(split);
  return {
    spec: all.filter((part) => !isPageKey(part)).join("&"),
    keys: keys.filter(([key], k) => keys.findIndex(([other]) => other === key) === k),
  };
}

/** The fragment of the lab. @param {string} link from the engine @param {Keys} keys */
export const labFragment = (link, keys) =>
  [link, ...keys.map((pair) => pair.map(encodeURIComponent).join("="))].filter(Boolean).join("&");

/** The address of a figure. @param {number} number @param {string} [method] */
export const figureAddress = (number, method) => `#view=figure${number}${method ? `&method=${method}` : ""}`;

/** The address of a view about a specification. @param {"risk" | "defend"} view @param {string} link */
export const viewAddress = (view, link) => `#${["view=" + view, link].filter(Boolean).join("&")}`;

/**
 * The address of a comparison of two links; either may be empty.
 * @param {string} a
 * @param {string} b
 * @param {string} [names]
 */
export function comparisonLink(a, b, names = "") {
  // Readable: in a value of the fragment only a few letters have to be encoded.
  const value = (/** @type {string} */ link) => link.replace(/[%&#]/g, encodeURIComponent);
  const key = (/** @type {string} */ name, /** @type {string} */ text) => text && `&${name}=${value(text)}`;
  return `#view=compare${key("left", a)}${key("right", b)}${key("names", names)}`;
}
