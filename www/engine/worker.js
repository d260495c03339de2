/**
 * The solver's thread: holds one data set, runs one specification at a time. It receives no message
 * while it computes, so the page cancels a run by ending the worker. Not here: what needs the extras
 * (`worker_extras`), which is loaded when it is asked for.
 */

import { compileEngine } from "./compile.js";
import { loadExtras } from "./extras.js";
import * as engine from "../pkg/engine.js";

/** @import { FromWorker, Problem, Progress, RunEvent, RunFile, Source, ToWorker } from "./types.js" */

/**
 * The modules that can run a specification: the engine, and the extras, which can run every one.
 * @typedef {typeof engine | import("./extras.js").Extras} Library
 */

/** @type {{source: Source, library: Library, data: engine.Data | import("../pkg/extras.js").Data} | null} */
let held = null;
/** @type {engine.Run | import("../pkg/extras.js").Run | null} */
let lastRun = null;

/** Milliseconds between two messages about a run, at least: the page draws no faster. */
const FRAME = 16;

const OUT_OF_MEMORY =
  "Not enough memory for this run. The engine has been restarted. Reduce the number of poisoned points " +
  "or the size of the file, or close other tabs.";

/** @param {FromWorker} message */
const emit = (message) => self.postMessage(message);

/**
 * Does work of a library, whose panics have messages of their own.
 * @template T
 * @param {Library} library
 * @param {() => T} work
 */
function guarded(library, work) {
  try {
    return work();
  } catch (error) {
    const panic = error instanceof WebAssembly.RuntimeError ? library.last_panic() : "";
    throw panic ? new Error(panic) : error;
  }
}

/** @param {Source} source @param {Library} library */
async function read(source, { Data }) {
  const { content } = source;
  if (content.kind === "synthetic") return Data.synthetic(content.spec);
  const extras = await loadExtras();
  const { points } = await import("./worker_extras.js");
  return guarded(extras, () => {
    const { payload, notes } = points(extras, source);
    return Data.from_payload(payload, notes);
  });
}

/** @param {Source} source @param {Library} [library] */
async function load(source, library = held?.library ?? engine) {
  if (held?.source.key === source.key && held.library === library) return held.data;
  held?.data.free();
  held = null;
  held = { source, library, data: await read(source, library) };
  return held.data;
}

/** The data that the page has loaded here. @param {string} key @param {Library} library */
async function loadHeld(key, library) {
  if (held?.source.key !== key) {
    throw { code: "data", field: null, message: "the data set has not been loaded" };
  }
  return load(held.source, library);
}

/**
 * Errors from Rust are plain objects; anything else is a trap or a bug of the page.
 * @param {unknown} error
 * @returns {{problem: Problem, fatal: boolean}}
 */
function explain(error) {
  if (error && typeof error === "object" && "code" in error && "message" in error) {
    return { problem: /** @type {Problem} */ (error), fatal: false };
  }
  const panic = error instanceof WebAssembly.RuntimeError ? engine.last_panic() : "";
  // A trap without a panic is a failed allocation; failures in the browser name the cause.
  const trapped = error instanceof WebAssembly.RuntimeError && /unreachable/i.test(error.message);
  if (!panic && (trapped || (error instanceof RangeError && /memory|allocat/i.test(error.message)))) {
    return { problem: { code: "memory", field: null, message: OUT_OF_MEMORY }, fatal: true };
  }
  const message = panic || (error instanceof Error ? `${error.name}: ${error.message}` : `${error}`);
  return { problem: { code: "panic", field: null, message }, fatal: true };
}

/**
 * The page's module, or the same one compiled again.
 * @param {Extract<ToWorker, {type: "init"}>} message
 */
async function moduleOf({ module, fresh }) {
  if (!fresh) return module;
  try {
    return await compileEngine();
  } catch {
    // The server is unreachable.
    return module;
  }
}

/** @param {ToWorker} message */
async function answer(message) {
  switch (message.type) {
    case "init":
      engine.initSync({ module: await moduleOf(message) });
      holdLock(message.lock, () => emit({ type: "ready" }));
      break;
    case "load":
      emit({ type: "loaded", id: message.id, description: (await load(message.source)).describe() });
      break;
    case "run":
      await run(message);
      break;
    case "file":
      emit({ type: "file", id: message.id, text: file(message.name, message.digest) });
      break;
    default:
      emit(
        await (await import("./worker_extras.js")).answer(message, {
          emit,
          guarded,
          load,
          loadExtras,
          loadHeld,
          read,
        }),
      );
      break;
  }
}

/**
 * A file of the last run; empty if that was another one.
 * @param {RunFile} name
 * @param {string} digest
 */
function file(name, digest) {
  if (lastRun?.digest() !== digest) return "";
  switch (name) {
    case "report":
      return lastRun.report_json();
    case "points":
      return lastRun.points_csv();
    case "poisoned":
      return lastRun.poisoned_csv();
    case "trace":
      return lastRun.trace_csv();
    case "correlations":
      return lastRun.correlations_csv();
  }
}

/**
 * Passes on what a run reports, in at most one message a frame: what comes sooner waits for what comes next.
 * @param {number} id
 */
function reporter(id) {
  /** @type {Progress[]} */
  let points = [];
  let posted = 0;
  const flush = () => {
    if (points.length > 0) emit({ type: "progress", id, points });
    points = [];
    posted = performance.now();
  };
  return {
    flush,
    /** @param {RunEvent} event */
    onEvent(event) {
      if (event.type === "clean") return emit({ ...event, id });
      points.push(event);
      // The first point is never held back.
      if (performance.now() - posted >= FRAME) flush();
    },
  };
}

/** @param {Extract<ToWorker, {type: "run"}>} message */
async function run({ id, key, spec, brief }) {
  const library = engine.needs_extras(spec) ? await loadExtras() : engine;
  const data = await loadHeld(key, library);
  lastRun?.free();
  lastRun = null;
  const clock = () => performance.now() / 1000;
  const { onEvent, flush } = reporter(id);
  guarded(library, () => {
    let run;
    try {
      run = data.run(spec, clock, brief ? undefined : onEvent);
    } finally {
      flush();
    }
    lastRun = run;
    if (brief) emit({ type: "measured", id, measured: run.measured() });
    else emit({ type: "done", id, report: run.report() });
  });
}

/**
 * Holds a lock while this worker exists: the page waits for the lock, and so notices a worker that
 * ended without a message. Without locks (plain http), the page does not notice it.
 * @param {string} name
 * @param {() => void} then
 */
function holdLock(name, then) {
  if (!navigator.locks) return then();
  navigator.locks
    .request(name, () => {
      then();
      return new Promise(() => {});
    })
    .catch(then);
}

/** Messages are answered in order: a run waits for its data. */
let last = Promise.resolve();
self.onmessage = (event) => {
  /** @type {ToWorker} */
  const message = event.data;
  last = last
    .then(() => answer(message))
    .catch((error) => emit({ type: "error", id: "id" in message ? message.id : 0, ...explain(error) }));
};
