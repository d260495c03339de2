/** The wasm modules that the first load does without: fetched once, when something needs them. */

/** @typedef {typeof import("./pkg/extras.js")} Extras */
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

/** @type {() => Promise<Extras>} */
export const loadExtras = once(() => import("./pkg/extras.js"));

/** @type {() => Promise<Take>} */
export const loadTake = once(() => import("./pkg/take.js"));
