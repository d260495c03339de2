/**
 * The engine: a wasm module, compiled once for the page (form, links, charts) and for the workers
 * (the solver). Other modules are downloaded when they are needed: see extras.js.
 */

import { compileEngine } from "./compile.js";
import init, * as page from "../pkg/engine.js";

/** Loads the module that the first result needs. */
export async function loadEngine() {
  const module = await compileEngine();
  await init({ module_or_path: module });
  return {
    /** For workers. */
    module,
    version: page.version(),
    maxFileBytes: page.max_file_bytes(),
    fields: page.fields(),
    published: page.published_data(),
    complete: page.complete,
    readLink: page.read_link,
    drawCurve: page.draw_curve,
    curveLayout: page.curve_layout,
    drawHeatmap: page.draw_heatmap,
    heatmapLayout: page.heatmap_layout,
    figures: page.figures(),
  };
}

/** @typedef {Awaited<ReturnType<typeof loadEngine>>} Engine */
