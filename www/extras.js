/** The wasm modules that the first load does without: each fetched once, when something needs it. */

/** @typedef {typeof import("./pkg/extras.js")} Extras */
/** @typedef {typeof import("./pkg/reading.js")} Pictures */
/** @typedef {typeof import("./pkg/take.js")} Take */

/**
 * @template {{default: () => Promise<unknown>}} T
 * @param {() => Promise<T>} fetchModule
 * @returns {() => Promise<T>}
 */
function once(fetchModule) {
  /** @type {Promise<T> | null} */
  let loading = null;
  const load = async () => {
    const module = await fetchModule();
    await module.default();
    return module;
  };
  return () => {
    loading ??= load().catch((error) => {
      // The next one asks again.
      loading = null;
      const why = error instanceof Error ? error.message : `${error}`;
      throw { code: "data", field: null, message: `A part of the page could not be loaded (${why})` };
    });
    return loading;
  };
}

/** Readers of files, figures of the paper. @type {() => Promise<Extras>} */
export const loadExtras = once(() => import("./pkg/extras.js"));
/** Pictures of points and of two runs. @type {() => Promise<Pictures>} */
export const loadPictures = once(() => import("./pkg/reading.js"));
/** Pictures as files. @type {() => Promise<Take>} */
export const loadTake = once(() => import("./pkg/take.js"));
