/** Helpers that build and find elements. Text is never parsed as HTML. */

/**
 * Makes characters that change the writing direction visible, so that a name cannot reorder the text around it.
 * @param {string} text
 */
export const legible = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} [attributes]
 *   `on...` functions are listeners; `false`, `null` and `undefined` leave an attribute out
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of children) {
    if (child !== null && child !== undefined) {
      element.append(typeof child === "string" ? legible(child) : child);
    }
  }
  return element;
}

/**
 * The element with this id; its absence is a programming error.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`element #${id} not found`);
  return element;
}

/** The element with this id, of any kind. @param {string} id */
export const $ = (id) => byId(id, HTMLElement);

/**
 * A listener for a button that replaces another one: ignores the second press of a double click,
 * which was meant for the first button.
 * @param {() => void} act
 * @returns {(event: MouseEvent) => void}
 */
export const onSinglePress = (act) => (event) => {
  if (event.detail < 2) act();
};

/**
 * Saves a file on the user's computer.
 * @param {string} name
 * @param {Blob} blob
 */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
