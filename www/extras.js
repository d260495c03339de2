/** The wasm module that the first load does without: fetched once, when something needs it. */

/** @typedef {typeof import("./pkg/extras.js")} Extras */

/** @type {Promise<Extras> | null} */
let loading = null;

/** @returns {Promise<Extras>} */
export function loadExtras() {
  loading ??= fetchExtras().catch((error) => {
    // The next one asks again.
    loading = null;
    const why = error instanceof Error ? error.message : `${error}`;
    throw { code: "data", field: null, message: `A part of the page could not be loaded (${why})` };
  });
  return loading;
}

async function fetchExtras() {
  const extras = await import("./pkg/extras.js");
  await extras.default();
  return extras;
}
