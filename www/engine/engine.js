/**
 * The engine: a wasm module, compiled once for the page (form, links, charts) and for the workers
 * (the solver). Other modules are downloaded when they are needed: see extras.js.
 */

import { compileEngine } from "./compile.js";
import init, * as page from "../pkg/engine.js";

/** @import { Complete, Draft, Field, Figure, Link, Published, Refused, Shape } from "./types.js" */

/** Loads the module that the first result needs. */
export async function loadEngine() {
  const module = await compileEngine();
  await init({ module_or_path: module });
  return {
    /** For workers. */
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
    drawCurve: page.draw_curve,
    curveLayout: page.curve_layout,
    drawHeatmap: page.draw_heatmap,
    heatmapLayout: page.heatmap_layout,
    /** @type {Figure[]} */
    figures: page.figures(),
  };
}

/** @typedef {Awaited<ReturnType<typeof loadEngine>>} Engine */
