/**
 * The page's side of the worker: loads data into it, runs specifications, cancels by replacing it,
 * notices when it dies, and asks once more what an engine broke down over.
 */

/** @import { CheckedColumns, Description, FromWorker, Inspected, Mapping, Measured, Model, Problem, Progress, Reading, Report, RunFile, Scene, Source, Spec, ToWorker } from "./types.js" */

/**
 * @typedef {{
 *   onClean: (model: Model, scene: Scene) => void,
 *   onProgress: (point: Progress) => void,
 *   onDone: (report: Report, json: string) => void,
 *   onMeasured: (measured: Measured) => void,
 *   onError: (problem: Problem) => void,
 *   onSecond: () => void,
 *   onAgain: (problem: Problem) => void,
 * }} RunHandlers
 * A brief run is only measured; any other one is told of as it goes on. `onSecond`: it is computed
 * once more, to compare. `onAgain`: the engine broke down, and the run begins once more.
 */

/** @type {Problem} */
const DIED = {
  code: "worker",
  field: null,
  message:
    "The browser ended the calculation (perhaps it ran out of memory). Nothing else is lost: " +
    "press Run to start it again.",
};

export class Solver {
  /**
   * Each run is computed twice, and has a result if both agree: WebKit runs the engine wrongly once
   * in a while (docs/trust.md).
   */
  static twice = navigator.vendor.startsWith("Apple");

  /** @param {WebAssembly.Module} module */
  constructor(module) {
    this.module = module;
    this.nextId = 1;
    /** @type {Map<number, (message: FromWorker | Problem) => void>} */
    this.waiting = new Map();
    /** @type {Map<number, () => void>} asks the worker anew for what waits for an answer */
    this.pending = new Map();
    /** The last run. */
    this.running = 0;
    /** What broke an engine down, and was asked once more. @type {{id: number, problem: Problem} | null} */
    this.repeated = null;
    this.closed = false;
    this.spawn();
  }

  /**
   * Replaces the worker; whatever it was doing is over.
   * @param {boolean} [anew] the engine is compiled once more, too
   */
  spawn(anew = false) {
    this.worker?.terminate();
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    /** @type {Worker | undefined} */
    this.worker = worker;
    /** Key of the source that the worker holds, or is about to hold. */
    this.loadedKey = "";
    // What the worker shall hear once it is ready: before, its end would go unnoticed.
    this.queue = /** @type {ToWorker[] | null} */ ([]);
    const lock = `patom-${crypto.randomUUID?.() ?? Math.random()}`;
    worker.onmessage = (event) => this.onMessage(worker, lock, event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      const message = event.message ? `The calculation could not start: ${event.message}` : "";
      this.lost(worker, message ? { ...DIED, message } : DIED);
    };
    worker.postMessage({ type: "init", module: this.module, anew, lock });
  }

  /** @param {ToWorker} message */
  post(message) {
    if (this.closed) return;
    if (!this.worker) this.spawn();
    if (message.type === "load") this.loadedKey = message.source.key;
    if (this.queue) this.queue.push(message);
    else this.worker?.postMessage(message);
  }

  /**
   * @param {Worker} worker
   * @param {string} lock
   * @param {FromWorker} message
   */
  onMessage(worker, lock, message) {
    if (worker !== this.worker) return;
    if (message.type === "ready") {
      // Granted only when the worker is gone.
      navigator.locks?.request(lock, () => this.lost(worker, DIED)).catch(() => {});
      for (const waiting of this.queue ?? []) worker.postMessage(waiting);
      this.queue = null;
      return;
    }
    // It could not even begin.
    if (message.type === "error" && message.id === 0) return this.lost(worker, message.problem);
    if (message.type === "error" && message.fatal) return this.brokeDown(worker, message);
    // Stale ids have no one waiting.
    this.waiting.get(message.id)?.(message);
  }

  /**
   * A browser may run the engine wrongly once in a while (docs/trust.md): what broke it down is asked
   * once more. A fault of the engine's own comes again, and is told.
   * @param {Worker} worker
   * @param {Extract<FromWorker, {type: "error"}>} message
   */
  brokeDown(worker, message) {
    const { id, problem } = message;
    const anew = problem.code === "panic" && id !== this.repeated?.id && this.waiting.has(id);
    if (anew) {
      this.repeated = { id, problem };
      if (id === this.running) this.onAgain?.(problem);
    } else this.waiting.get(id)?.(message);
    if (worker === this.worker) this.renew(anew);
  }

  /**
   * @param {Worker} worker
   * @param {Problem} problem
   */
  lost(worker, problem) {
    if (worker !== this.worker) return;
    const waiting = [...this.waiting.values()];
    this.forget();
    // One that never began would fail again and again: the next one begins when it is needed.
    if (this.queue) this.end();
    else this.spawn();
    for (const reject of waiting) reject(problem);
  }

  /**
   * Reads a data set. An equal one that is already there is not read again.
   * @param {Source} source
   * @returns {Promise<Description>}
   */
  load(source) {
    return this.request({ type: "load", source }, "loaded").then(
      ({ description }) => description,
      (problem) => {
        if (this.loadedKey === source.key) this.loadedKey = "";
        throw problem;
      },
    );
  }

  /**
   * Starts a run; the one before it must be over or cancelled.
   * @param {Spec} spec
   * @param {Source} source
   * @param {Partial<RunHandlers> & Pick<RunHandlers, "onError">} handlers
   */
  run(spec, source, handlers) {
    const id = this.nextId++;
    this.running = id;
    this.onAgain = handlers.onAgain;
    const brief = Boolean(handlers.onMeasured);
    const request = () => {
      if (this.loadedKey !== source.key) this.post({ type: "load", id, source });
      this.post({ type: "run", id, key: source.key, spec, brief, twice: Solver.twice });
    };
    this.pending.set(id, request);
    this.waiting.set(id, (message) => {
      if (!("type" in message)) {
        this.over(id);
        return handlers.onError(message);
      }
      switch (message.type) {
        case "clean":
          return handlers.onClean?.(message.model, message.scene);
        case "progress":
          return handlers.onProgress?.(message);
        case "second":
          return handlers.onSecond?.();
        case "done":
          this.over(id);
          return handlers.onDone?.(message.report, message.report_json);
        case "measured":
          this.over(id);
          return handlers.onMeasured?.(message.measured);
        case "error":
          this.over(id);
          // Perhaps it was its data; what the worker does hold, it does not read again.
          this.loadedKey = "";
          return handlers.onError(message.problem);
      }
    });
    request();
  }

  /** Nobody waits for this answer any more. @param {number} id */
  over(id) {
    this.pending.delete(id);
    return this.waiting.delete(id);
  }

  /**
   * Runs a specification for what a figure keeps of it.
   * @param {Spec} spec
   * @param {Source} source
   * @returns {Promise<Measured>}
   */
  measure(spec, source) {
    return new Promise((onMeasured, onError) => this.run(spec, source, { onMeasured, onError }));
  }

  /** Ends a run at once. Whatever else the worker was asked for, the next one answers. */
  cancel() {
    this.over(this.running);
    this.renew();
  }

  /** A new worker for the pending requests of the old one. @param {boolean} [anew] see `spawn` */
  renew(anew) {
    this.spawn(anew);
    for (const request of [...this.pending.values()]) request();
  }

  /** Nobody waits any more. */
  forget() {
    this.waiting.clear();
    this.pending.clear();
  }

  /** Ends the worker for good. */
  close() {
    this.closed = true;
    this.end();
  }

  /** Ends the worker; the next question starts another. */
  end() {
    this.forget();
    this.worker?.terminate();
    this.worker = undefined;
    this.loadedKey = "";
  }

  /**
   * A file of the last run, as CSV; empty if that was not the one with this digest, or the worker
   * has been replaced since.
   * @param {RunFile} name
   * @param {string} digest
   * @returns {Promise<string>}
   */
  async file(name, digest) {
    return (await this.request({ type: "file", name, digest }, "file")).csv;
  }

  /**
   * Looks at a user's file.
   * @param {Source} source
   * @param {Reading | null} reading null: as it seems to be
   * @returns {Promise<Inspected>}
   */
  async inspect(source, reading) {
    return (await this.request({ type: "inspect", source, reading }, "inspected")).inspected;
  }

  /**
   * What a mapping, or the text of one, makes of a user's file.
   * @param {Source} source
   * @param {Mapping | string} columns
   * @returns {Promise<CheckedColumns>}
   */
  async check(source, columns) {
    return (await this.request({ type: "check", source, columns }, "checked")).checked;
  }

  /** A file to look at, and the limits of a user's file. */
  example() {
    return this.request({ type: "example" }, "example");
  }

  /**
   * Asks the worker something that has one answer.
   * @template {FromWorker["type"]} T
   * @param {any} question a message without its id
   * @param {T} type of the answer
   * @returns {Promise<Extract<FromWorker, {type: T}>>}
   */
  request(question, type) {
    const id = this.nextId++;
    const message = { ...question, id };
    const post = () => this.post(message);
    return new Promise((resolve, reject) => {
      this.pending.set(id, post);
      this.waiting.set(id, (message) => {
        this.over(id);
        if ("type" in message && message.type === type) {
          return resolve(/** @type {Extract<FromWorker, {type: T}>} */ (message));
        }
        reject("type" in message && message.type === "error" ? message.problem : message);
      });
      post();
    });
  }
}
