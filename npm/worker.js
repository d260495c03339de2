/** The thread that computes: loads the wasm modules that a run needs, and answers one request at a time. */

/** @import { Draft, Problem, Progress, Shape } from "./pkg/engine.js" */
/** @import { Bytes, OwnFile, Result } from "./types.js" */

/**
 * @typedef {{spec: string | Draft, data?: Bytes | OwnFile, points: boolean, follows: boolean}} Request
 * @typedef {{type: "iteration", point: Progress} | {type: "done", result: Result}
 *   | {type: "error", problem: Problem}} Answer
 */

/** What Node has in place of the web: bundlers for browsers must not look for it. */
const [FILES, THREADS] = ["node:fs/promises", "node:worker_threads"];

/**
 * @template {{default: (options: any) => Promise<unknown>}} Module
 * @param {Promise<Module>} loading
 * @param {URL} wasm
 */
async function open(loading, wasm) {
  const module = await loading;
  // Node fetches no files.
  const source =
    wasm.protocol === "file:" ? await (await import(/* @vite-ignore */ FILES)).readFile(wasm) : wasm;
  await module.default({ module_or_path: source });
  return module;
}

/** @type {Promise<typeof import("./pkg/engine.js")> | undefined} */
let engine;
const loadEngine = () =>
  (engine ??= open(import("./pkg/engine.js"), new URL("./pkg/engine_bg.wasm", import.meta.url)));

/** Readers of files, and the defences. @type {Promise<typeof import("./pkg/extras.js")> | undefined} */
let extras;
const loadExtras = () =>
  (extras ??= open(import("./pkg/extras.js"), new URL("./pkg/extras_bg.wasm", import.meta.url)));

/** @param {string | Draft} spec @param {typeof import("./pkg/engine.js")} engine */
function read(spec, { read_link }) {
  if (typeof spec !== "string") return { draft: { ...spec }, columns: undefined };
  const link = read_link(spec);
  if ("errors" in link) throw link.errors[0];
  return { draft: link.draft, columns: link.columns ?? undefined };
}

/** @param {Bytes} bytes */
const bytesOf = (bytes) => (bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));

/**
 * The data set of a run; the draft then names it. None: the synthetic one.
 * @param {Draft} draft
 * @param {string | undefined} columns
 * @param {Request["data"]} given
 */
async function dataOf(draft, columns, given) {
  if (!given) return null;
  const { Data, read_bundle, read_file } = await loadExtras();
  if (!("name" in given)) {
    return Data.from_payload(read_bundle(`${draft.dataset ?? "synthetic"}`, bytesOf(given)));
  }
  const { payload, notes } = read_file(given.name, bytesOf(given.bytes), given.columns ?? columns);
  const data = Data.from_payload(payload, notes);
  const { sha256 } = data.describe();
  const named = draft.dataset?.sha256;
  if (named && named !== sha256) {
    const message = `${given.name} has SHA-256 ${sha256}; the specification names ${named}`;
    throw { code: "data", field: "dataset", message };
  }
  draft.dataset = { name: given.name, sha256 };
  return data;
}

/** @param {Request} request @param {(answer: Answer) => void} emit */
async function run({ spec: what, data: given, points, follows }, emit) {
  const engine = await loadEngine();
  const { draft, columns } = read(what, engine);
  let data = await dataOf(draft, columns, given);
  const completion = engine.complete(
    draft,
    typeof draft.dataset === "object" ? data?.describe().shape : undefined,
  );
  if ("errors" in completion) throw completion.errors[0];
  const { spec, link } = completion;
  if (!data) {
    if (spec.dataset !== "synthetic") {
      const message = `${spec.dataset} needs its points; give its bundle as \`data\``;
      throw { code: "data", field: "dataset", message };
    }
    const { Data } = engine.needs_extras(spec) ? await loadExtras() : engine;
    data = Data.synthetic(spec);
  }
  const clock = () => performance.now() / 1000;
  const run = data.run(spec, clock, (event) => {
    if (follows && event.type === "progress") emit({ type: "iteration", point: event });
  });
  /** @type {Result} */
  const result = { digest: run.digest(), link, report: run.report(), json: run.report_json() };
  if (points) result.points = run.points_csv();
  run.free();
  data.free();
  emit({ type: "done", result });
}

/** @param {unknown} error @returns {Problem} */
function problemOf(error) {
  if (error && typeof error === "object" && "code" in error && "message" in error) {
    return /** @type {Problem} */ (error);
  }
  return { code: "panic", field: null, message: `${error}` };
}

/** @param {{postMessage: (answer: Answer) => void}} port @param {Request} request */
const answer = (port, request) =>
  run(request, (message) => port.postMessage(message)).catch((error) =>
    port.postMessage({ type: "error", problem: problemOf(error) }),
  );

if (typeof self === "object" && "postMessage" in self) {
  self.onmessage = ({ data }) => void answer(/** @type {any} */ (self), data);
} else {
  const { parentPort } = await import(/* @vite-ignore */ THREADS);
  parentPort.on("message", (/** @type {Request} */ request) => void answer(parentPort, request));
}
