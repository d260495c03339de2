/**
 * The wasm modules: `page` (form, links, charts) is instantiated here, `solver` is compiled here for
 * the workers, `extras` (figures of the paper, readers of files) and `take` (saving and opening
 * pictures) are fetched when they are needed.
 */

import init, * as page from "./pkg/page.js";

/** @import { Complete, Draft, Field, Figure, Link, Published, Refused, Shape } from "./types.js" */

/**
 * @param {URL} url
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(url) {
  try {
    return await WebAssembly.compileStreaming(fetch(url));
  } catch {
    // A host that sends the file with a wrong type: compile it from its bytes.
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
}

/** Loads what the first result needs. */
export async function loadEngine() {
  const [module, own] = await Promise.all([
    compile(new URL("./pkg/solver_bg.wasm", import.meta.url)),
    compile(new URL("./pkg/page_bg.wasm", import.meta.url)),
  ]);
  await init({ module_or_path: own });
  return {
    /** The solver's, for workers. */
    module,
    version: page.version(),
    maxFileBytes: page.max_file_bytes(),
    /** @type {Field[]} */
    fields: page.fields(),
    /** @type {Published[]} */
    published: page.published_data(),
    /** @type {(draft: Draft, shape?: Shape) => Complete | Refused} */
    complete: page.complete,
    /** @type {(text: string) => Link | Refused} */
    readLink: page.read_link,
    /** @type {(told: string, found: string, metricName: string) => {same: boolean, words: string} | null} */
    compareClaims: page.compare_claims,
    drawCurve: page.draw_curve,
    curveLayout: page.curve_layout,
    drawHeatmap: page.draw_heatmap,
    heatmapLayout: page.heatmap_layout,
    /** @type {Figure[]} */
    figures: page.figures(),
  };
}

/** @typedef {Awaited<ReturnType<typeof loadEngine>>} Engine */
