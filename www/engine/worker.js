/**
 * The solver's thread: holds one data set, runs one specification at a time. It receives no message
 * while it computes, so the page cancels a run by ending the worker.
 */

import { compileEngine } from "./compile.js";
import { loadExtras } from "./extras.js";
import * as engine from "../pkg/engine.js";

/** @import { FromWorker, Problem, RunFile, Source, ToWorker } from "./types.js" */

/**
 * The modules that can run a specification: the engine, and the extras, which can run every one.
 * @typedef {typeof engine | import("./extras.js").Extras} Library
 */

/** @type {{source: Source, library: Library, data: engine.Data | import("../pkg/extras.js").Data} | null} */
let held = null;
/** @type {engine.Run | import("../pkg/extras.js").Run | null} */
let lastRun = null;
/** The run whose points are moved by hand. @type {import("../pkg/extras.js").ByHand | null} */
let hand = null;

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
async function read({ content }, { Data }) {
  if (content.kind === "synthetic") return Data.synthetic(content.spec);
  const extras = await loadExtras();
  return guarded(extras, () => {
    const { payload, notes } = points(extras, content);
    return Data.from_payload(payload, notes);
  });
}

/**
 * The points in a source, and what goes with those of a user's file.
 * @param {import("./extras.js").Extras} extras
 * @param {Exclude<Source["content"], {kind: "synthetic"}>} content
 * @returns {{payload: Uint8Array, notes?: import("../pkg/extras.js").FileNotes}}
 */
function points(extras, content) {
  switch (content.kind) {
    case "bundle":
      return { payload: extras.read_bundle(content.name, new Uint8Array(content.bytes)) };
    case "file":
      return extras.read_file(content.name, bytesOf(content.bytes), content.columns ?? undefined);
    case "raw": {
      /** @type {[string, Uint8Array][]} */
      const files = content.files.map(([name, bytes]) => [name, new Uint8Array(bytes)]);
      return { payload: extras.read_raw_files(content.name, files) };
    }
  }
}

/** @param {Blob} blob */
function bytesOf(blob) {
  // Only workers have it, so the types of a page do not know it.
  const { FileReaderSync } = /** @type {any} */ (self);
  return new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob));
}

/**
 * Inspects a user's file with the extras.
 * @template T
 * @param {Source} source
 * @param {(extras: import("./extras.js").Extras, name: string, bytes: Uint8Array) => T} look
 */
async function lookAt({ content }, look) {
  if (content.kind !== "file") {
    throw { code: "data", field: "dataset", message: `${content.kind} data have no columns to map` };
  }
  return look(await loadExtras(), content.name, bytesOf(content.bytes));
}

/**
 * @param {Source} source
 * @param {import("./types.js").Spec} spec
 * @param {(done: number, total: number) => void} onProgress
 */
async function tune(source, spec, onProgress) {
  const extras = await loadExtras();
  const data = /** @type {import("../pkg/extras.js").Data} */ (await read(source, extras));
  try {
    return extras.tune(data, spec, onProgress);
  } finally {
    data.free();
  }
}

/** @type {InstanceType<import("./extras.js").Extras["RiskRunner"]> | null} keeps what jobs share */
let riskRunner = null;
/** The data of these jobs. */
let riskKey = "";

/** @param {Extract<ToWorker, {type: "risk"}>} message */
async function riskJob({ key, spec, work, attacker }) {
  if (held?.source.key !== key) {
    throw { code: "data", field: null, message: "the data set has not been loaded" };
  }
  const extras = await loadExtras();
  const data = /** @type {import("../pkg/extras.js").Data} */ (await load(held.source, extras));
  if (riskKey !== key) riskRunner?.free();
  if (riskKey !== key || !riskRunner) riskRunner = new extras.RiskRunner();
  riskKey = key;
  const runner = riskRunner;
  return guarded(extras, () => runner.run(data, spec, work, attacker));
}

/** @param {Source} source @param {Library} [library] */
async function load(source, library = held?.library ?? engine) {
  if (held?.source.key === source.key && held.library === library) return held.data;
  held?.data.free();
  held = null;
  held = { source, library, data: await read(source, library) };
  return held.data;
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
      emit({ type: "file", id: message.id, csv: file(message.name, message.digest) });
      break;
    case "inspect": {
      const { id, source, reading } = message;
      const inspected = await lookAt(source, (extras, name, bytes) =>
        extras.inspect_file(name, bytes, reading),
      );
      emit({ type: "inspected", id, inspected });
      break;
    }
    case "check": {
      const { id, source, columns } = message;
      const checked = await lookAt(source, (extras, name, bytes) =>
        extras.check_columns(name, bytes, columns),
      );
      emit({ type: "checked", id, checked });
      break;
    }
    case "tune": {
      const { id, source, spec } = message;
      const emitProgress = (/** @type {number} */ done, /** @type {number} */ total) =>
        emit({ type: "tuning", id, done, total });
      emit({ type: "tuned", id, tuned: await tune(source, spec, emitProgress) });
      break;
    }
    case "risk":
      emit({ type: "risk", id: message.id, found: await riskJob(message) });
      break;
    case "hand":
      emit({ type: "hand", id: message.id, retrained: await byHand(message) });
      break;
    case "defend": {
      const { id, source, spec, job } = message;
      const extras = await loadExtras();
      const data = /** @type {import("../pkg/extras.js").Data} */ (await load(source, extras));
      emit({ type: "defended", id, result: guarded(extras, () => extras.defence_job(data, spec, job)) });
      break;
    }
    case "example":
      emit({ type: "example", id: message.id, ...(await loadExtras()).example_file() });
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

/** @param {Extract<ToWorker, {type: "hand"}>} message */
async function byHand({ source, spec, move }) {
  const extras = await loadExtras();
  const data = /** @type {import("../pkg/extras.js").Data} */ (await load(source, extras));
  return guarded(extras, () => {
    hand ??= new extras.ByHand(data, spec);
    return move ? hand.move_to(...move) : hand.restore();
  });
}

/** @param {Extract<ToWorker, {type: "run"}>} message */
async function run({ id, key, spec, brief }) {
  if (!held || held.source.key !== key) {
    throw { code: "data", field: null, message: "the data set has not been loaded" };
  }
  const library = engine.needs_extras(spec) ? await loadExtras() : engine;
  const data = await load(held.source, library);
  lastRun?.free();
  lastRun = null;
  const clock = () => performance.now() / 1000;
  guarded(library, () => {
    const run = data.run(spec, clock, brief ? undefined : (event) => emit({ ...event, id }));
    lastRun = run;
    if (brief) emit({ type: "measured", id, measured: run.measured() });
    else emit({ type: "done", id, report: run.report(), report_json: run.report_json() });
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
