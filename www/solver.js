/**
 * The page's side of the worker: loads data into it, runs specifications, cancels by replacing it,
 * and notices when it dies.
 */

/** @import { CheckedColumns, Description, FromWorker, Inspected, Mapping, Measured, Model, Problem, Progress, Reading, Report, RunFile, Scene, Source, Spec, ToWorker } from "./types.js" */

/**
 * @typedef {{
 *   onClean: (model: Model, scene: Scene) => void,
 *   onProgress: (point: Progress) => void,
 *   onDone: (report: Report, json: string) => void,
 *   onMeasured: (measured: Measured) => void,
 *   onError: (problem: Problem) => void,
 * }} RunHandlers
 * A brief run is only measured; any other one is told of as it goes on.
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
  /** @param {WebAssembly.Module} module */
  constructor(module) {
    this.module = module;
    this.nextId = 1;
    /** @type {Map<number, (message: FromWorker | Problem) => void>} */
    this.waiting = new Map();
    /** @type {Map<number, ToWorker>} what waits for an answer, and is no run */
    this.questions = new Map();
    this.closed = false;
    /** The next run fails in this way: for tests. */
    this.failNext = "";
    this.spawn();
  }

  /** Replaces the worker; whatever it was doing is over. */
  spawn() {
    this.worker?.terminate();
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    /** @type {Worker | undefined} */
    this.worker = worker;
    /** Key of the source that the worker holds, or is about to hold. */
    this.loadedKey = "";
    // What the worker shall hear once it is ready: before, its end would go unnoticed.
    this.queue = /** @type {ToWorker[] | null} */ ([]);
    const lock = `patom-${crypto.randomUUID?.() ?? Math.random()}`;
    worker.onmessage = (event) => this.hear(worker, lock, event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      const message = event.message ? `The calculation could not start: ${event.message}` : "";
      this.lost(worker, message ? { ...DIED, message } : DIED);
    };
    worker.postMessage({ type: "init", module: this.module, lock });
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
  hear(worker, lock, message) {
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
    // Stale ids have no one waiting.
    this.waiting.get(message.id)?.(message);
    if (message.type === "error" && message.fatal && worker === this.worker) this.renew();
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
    for (const tell of waiting) tell(problem);
  }

  /**
   * Reads a data set. An equal one that is already there is not read again.
   * @param {Source} source
   * @returns {Promise<Description>}
   */
  load(source) {
    return this.ask({ type: "load", source }, "loaded").then(
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
    if (this.failNext) this.post({ type: "fail", how: this.failNext });
    this.failNext = "";
    if (this.loadedKey !== source.key) {
      this.load(source).catch((problem) => {
        // The end of the worker is told to both, the reading and the run.
        if (this.waiting.delete(id)) handlers.onError(problem);
      });
    }
    const id = this.nextId++;
    this.running = id;
    this.waiting.set(id, (message) => {
      if (!("type" in message)) {
        this.waiting.delete(id);
        return handlers.onError(message);
      }
      switch (message.type) {
        case "clean":
          return handlers.onClean?.(message.model, message.scene);
        case "progress":
          return handlers.onProgress?.(message);
        case "done":
          this.waiting.delete(id);
          return handlers.onDone?.(message.report, message.report_json);
        case "measured":
          this.waiting.delete(id);
          return handlers.onMeasured?.(message.measured);
        case "error":
          this.waiting.delete(id);
          return handlers.onError(message.problem);
      }
    });
    this.post({ type: "run", id, key: source.key, spec, brief: Boolean(handlers.onMeasured) });
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
    for (const id of this.waiting.keys()) if (!this.questions.has(id)) this.waiting.delete(id);
    this.renew();
  }

  /** A new worker for the questions of the old one. */
  renew() {
    this.spawn();
    for (const question of this.questions.values()) this.post(question);
  }

  /** Nobody waits any more. */
  forget() {
    this.waiting.clear();
    this.questions.clear();
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
    return (await this.ask({ type: "file", name, digest }, "file")).csv;
  }

  /**
   * Looks at a user's file.
   * @param {Source} source
   * @param {Reading | null} reading null: as it seems to be
   * @returns {Promise<Inspected>}
   */
  async inspect(source, reading) {
    return (await this.ask({ type: "inspect", source, reading }, "inspected")).inspected;
  }

  /**
   * What a mapping, or the text of one, makes of a user's file.
   * @param {Source} source
   * @param {Mapping | string} columns
   * @returns {Promise<CheckedColumns>}
   */
  async check(source, columns) {
    return (await this.ask({ type: "check", source, columns }, "checked")).checked;
  }

  /** A file to look at, and the limits of a user's file. */
  example() {
    return this.ask({ type: "example" }, "example");
  }

  /**
   * Asks the worker something that has one answer.
   * @template {FromWorker["type"]} T
   * @param {any} question a message without its id
   * @param {T} type of the answer
   * @returns {Promise<Extract<FromWorker, {type: T}>>}
   */
  ask(question, type) {
    const id = this.nextId++;
    const message = { ...question, id };
    return new Promise((resolve, reject) => {
      this.questions.set(id, message);
      this.waiting.set(id, (message) => {
        this.waiting.delete(id);
        this.questions.delete(id);
        if ("type" in message && message.type === type) {
          return resolve(/** @type {Extract<FromWorker, {type: T}>} */ (message));
        }
        reject("type" in message && message.type === "error" ? message.problem : message);
      });
      this.post(message);
    });
  }
}
