/** The package: one run at a time in a worker, which is kept for the next one. Types are in types.d.ts. */

/** @import { Options, Result, run as Run } from "./types.js" */
/** @import { Answer } from "./worker.js" */

/** A worker of a browser or of Node. @typedef {{on?: Function, terminate: Function, postMessage: Function} & any} Thread */

export class PatomError extends Error {
  /** @param {{code: string, field: string | null, message: string}} problem */
  constructor({ code, field, message }) {
    super(message);
    this.name = "PatomError";
    this.code = code;
    this.field = field;
  }
}

/** Node has no workers of the web. */
const THREADS = "node:worker_threads";

/** @returns {Promise<Thread>} */
async function start() {
  if (typeof Worker === "function") {
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  }
  const threads = await import(/* @vite-ignore */ THREADS);
  return new threads.Worker(new URL("./worker.js", import.meta.url));
}

/** Starting a worker compiles the engine, so one that is finished is used again. @type {Thread | null} */
let idle = null;

/** @param {Thread} thread @param {(answer: Answer) => void} onAnswer @param {(error: Error) => void} onError */
function listen(thread, onAnswer, onError) {
  if (thread.on) {
    thread.removeAllListeners();
    thread.on("message", onAnswer);
    thread.on("error", onError);
    // Node waits for a worker with a run, and not for an idle one.
    thread.ref();
    return;
  }
  thread.onmessage = (/** @type {MessageEvent} */ { data }) => onAnswer(data);
  thread.onerror = (/** @type {ErrorEvent} */ event) => {
    event.preventDefault?.();
    onError(new Error(event.message || "the worker could not be loaded; it must be of the page's origin"));
  };
}

/** @type {typeof Run} */
export async function run(spec, { data, onIteration, signal, points = false } = {}) {
  signal?.throwIfAborted();
  const thread = idle ?? (await start());
  idle = null;
  /** @type {() => void} */
  let onAbort = () => {};
  try {
    /** @type {Result} */
    const result = await new Promise((resolve, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) return onAbort();
      /** @param {Answer} answer */
      const onAnswer = (answer) => {
        if (answer.type === "error") return reject(new PatomError(answer.problem));
        if (answer.type === "done") return resolve(answer.result);
        try {
          onIteration?.(answer.point);
        } catch (error) {
          reject(error);
        }
      };
      listen(thread, onAnswer, reject);
      thread.postMessage({ spec, data, points, follows: Boolean(onIteration) });
    });
    if (idle) thread.terminate();
    else idle = thread;
    thread.unref?.();
    return result;
  } catch (error) {
    // It may still compute, or be damaged.
    thread.terminate();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
