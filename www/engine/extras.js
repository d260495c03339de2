/** The wasm module that the first result does not need: fetched once, when something needs it. */

import { once } from "../core/once.js";

/** @typedef {typeof import("../pkg/extras.js")} Extras */

/**
 * Readers of files, pictures of points and of two runs, figures of the paper, export.
 * @type {() => Promise<Extras>}
 */
export const loadExtras = once(async () => {
  try {
    const extras = await import("../pkg/extras.js");
    await extras.default();
    return extras;
  } catch (error) {
    const why = error instanceof Error ? error.message : `${error}`;
    throw { code: "data", field: null, message: `Part of the page could not be downloaded (${why})` };
  }
});
