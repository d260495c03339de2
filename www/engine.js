/** The page's own instance of the engine: the form, links and charts. The solver's is elsewhere. */

import init, * as wasm from "./pkg/patom.js";

/** @import { Complete, Draft, Field, Figure, Link, Published, Refused, Shape } from "./types.js" */

/** @returns {Promise<WebAssembly.Module>} */
async function compile() {
  const url = new URL("./pkg/patom_bg.wasm", import.meta.url);
  try {
    return await WebAssembly.compileStreaming(fetch(url));
  } catch {
    // A host that sends the file with a wrong type: compile it from its bytes.
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
}

/** Compiles the engine once, for the page and its workers. */
export async function loadEngine() {
  const module = await compile();
  await init({ module_or_path: module });
  return {
    module,
    version: wasm.version(),
    maxFileBytes: wasm.max_file_bytes(),
    /** @type {Field[]} */
    fields: wasm.fields(),
    /** @type {Published[]} */
    published: wasm.published_data(),
    /** @type {(draft: Draft, shape?: Shape) => Complete | Refused} */
    complete: wasm.complete,
    /** @type {(text: string) => Link | Refused} */
    readLink: wasm.read_link,
    drawCurve: wasm.draw_curve,
    curveLayout: wasm.curve_layout,
    drawHeatmap: wasm.draw_heatmap,
    heatmapLayout: wasm.heatmap_layout,
    drawPair: wasm.draw_pair,
    PointsPicture: wasm.PointsPicture,
    pointsHeight: wasm.points_height,
    /** @type {Figure[]} */
    figures: wasm.figures(),
    Sweep: wasm.Sweep,
  };
}

/** @typedef {Awaited<ReturnType<typeof loadEngine>>} Engine */
