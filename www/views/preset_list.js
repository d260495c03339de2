/** The main examples: identifiers and settings. Their buttons are in the document. */

import { byId } from "../ui/dom.js";

/** @import { Draft } from "../engine/types.js" */

/**
 * The main examples. Their buttons are in the document, so that the layout does not shift.
 * @type {Record<"direct" | "indirect" | "random" | "constant" | "sarcos" | "landmine" | "field", Draft>}
 */
export const DRAFTS = {
  direct: {},
  indirect: { attack: "indirect" },
  random: { method: "random" },
  constant: { gradient: "published", step: "constant" },
  sarcos: { dataset: "sarcos" },
  landmine: { dataset: "landmine" },
  field: { dataset: "landmine", attack: "indirect", targets: Array.from({ length: 28 }, (_, k) => k) },
};

/** @typedef {keyof typeof DRAFTS} Preset */

/** @param {Preset} id */
export const buttonOf = (id) => byId(`try-${id}`, HTMLButtonElement);

/** An example's identifier, name and settings. @param {Preset} id */
export const preset = (id) => ({ id, name: buttonOf(id).textContent ?? "", draft: DRAFTS[id] });
