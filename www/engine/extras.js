/** The wasm modules that the first load does not include: each is downloaded once, when needed. */

import { once } from "../core/once.js";

/** @typedef {typeof import("../pkg/extras.js")} Extras */
/** @typedef {typeof import("../pkg/reading.js")} Pictures */
/** @typedef {typeof import("../pkg/take.js")} Take */

/**
 * @template {{default: () => Promise<unknown>}} T
 * @param {() => Promise<T>} fetchModule
 * @returns {() => Promise<T>}
 */
const module = (fetchModule) =>
  once(async () => {
    try {
      const module = await fetchModule();
      await module.default();
      return module;
    } catch (error) {
      const why = error instanceof Error ? error.message : `${error}`;
      throw { code: "data", field: null, message: `Part of the page could not be downloaded (${why})` };
    }
  });

/** File readers, figures of the paper. @type {() => Promise<Extras>} */
export const loadExtras = module(() => import("../pkg/extras.js"));
/** Charts of points and of two runs. @type {() => Promise<Pictures>} */
export const loadPictures = module(() => import("../pkg/reading.js"));
/** Charts as files. @type {() => Promise<Take>} */
export const loadTake = module(() => import("../pkg/take.js"));
