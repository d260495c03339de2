/**
 * The page's side of a worker: loads data into it, runs specifications, cancels by replacing it, and
 * notices when it ends. Repeating a run to confirm it is in confirm.js.
 */

/** @import { CheckedColumns, Description, Dialect, Found, FromWorker, Inspected, JobResult, Mapping, Measured, Model, Problem, Progress, Report, RiskJob, RunFile, Scene, Source, Spec, ToWorker } from "./types.js" */

/**
 * @typedef {{
 *   onClean: (model: Model, scene: Scene) => void,
 *   onProgress: (points: Progress[]) => void,
 *   onDone: (report: Report) => void,
 *   onMeasured: (measured: Measured) => void,
 *   onError: (problem: Problem) => void,
 * }} RunHandlers
 * A run with `onMeasured` is brief: it reports no progress.
 */

/** @type {Problem} */
const DIED = {
  code: "worker",
  field: null,
  message:
    "The browser stopped the worker, possibly because it ran out of memory. Your settings are intact: " +
    "press Run to start again.",
};

/**
 * Milliseconds until a run that gives no sign of life gets another worker; then twice as many, so that
 * a run that only takes long ends all the same. On a busy machine a worker of WebKit sometimes hangs
 * (docs/webkit.md).
 */
const PATIENCE = 15_000;

export class Solver {
  /**
   * @param {WebAssembly.Module} module
   * @param {boolean} [fresh] the worker compiles the engine again
   */
  constructor(module, fresh = false) {
    this.module = module;
    this.nextId = 1;
    /** @type {Map<number, (message: FromWorker | Problem) => void>} */
    this.waiting = new Map();
    /** @type {Map<number, () => void>} sends a request without an answer to a new worker */
    this.pending = new Map();
    /** The last run. */
    this.running = 0;
    this.closed = false;
    this.spawn(fresh);
  }

  /**
   * Replaces the worker; whatever it was doing is over.
   * @param {boolean} [fresh] the engine is compiled again, too
   */
  spawn(fresh = false) {
    this.worker?.terminate();
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    /** @type {Worker | undefined} */
    this.worker = worker;
    /** Key of the source that the worker holds, or is about to hold. */
    this.loadedKey = "";
    // Sent once the worker is ready: before that, its end would go unnoticed.
    this.queue = /** @type {ToWorker[] | null} */ ([]);
    /** When the worker was ready: milliseconds of `performance.now`. */
    this.readyAt = 0;
    const lock = `patom-${crypto.randomUUID?.() ?? Math.random()}`;
    worker.onmessage = (event) => this.onMessage(worker, lock, event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      const what = this.queue ? "could not start" : "failed";
      this.lost(worker, event.message ? { ...DIED, message: `The worker ${what}: ${event.message}` } : DIED);
    };
    worker.postMessage({ type: "init", module: this.module, fresh, lock });
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
      this.readyAt = performance.now();
      return;
    }
    // The worker could not start.
    if (message.type === "error" && message.id === 0) return this.lost(worker, message.problem);
    // Nothing waits for the answer to a request that was cancelled.
    this.waiting.get(message.id)?.(message);
    // The compiled code may be at fault, so it is compiled again.
    if (message.type === "error" && message.fatal && worker === this.worker) this.renew(true);
  }

  /**
   * @param {Worker} worker
   * @param {Problem} problem
   */
  lost(worker, problem) {
    if (worker !== this.worker) return;
    const waiting = [...this.waiting.values()];
    this.forget();
    // One that did not start would fail again and again: the next request starts another.
    if (this.queue) this.end();
    else this.spawn();
    for (const reject of waiting) reject(problem);
  }

  /**
   * Reads a data set, unless the worker holds it already.
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
    const brief = Boolean(handlers.onMeasured);
    const request = () => {
      if (this.loadedKey !== source.key) this.post({ type: "load", id, source });
      this.post({ type: "run", id, key: source.key, spec, brief });
    };
    this.pending.set(id, request);
    let silent = true;
    this.waiting.set(id, (message) => {
      if (!("type" in message)) {
        this.over(id);
        return handlers.onError(message);
      }
      if (message.type !== "loaded") silent = false;
      switch (message.type) {
        case "clean":
          return handlers.onClean?.(message.model, message.scene);
        case "progress":
          return handlers.onProgress?.(message.points);
        case "done":
          this.over(id);
          return handlers.onDone?.(message.report);
        case "measured":
          this.over(id);
          return handlers.onMeasured?.(message.measured);
        case "error":
          this.over(id);
          // Its data may be the cause; the worker does not read again what it holds.
          this.loadedKey = "";
          return handlers.onError(message.problem);
      }
    });
    request();
    const watch = (/** @type {number} */ patience) =>
      setTimeout(() => {
        if (!silent || !this.pending.has(id)) return;
        this.renew();
        watch(2 * patience);
      }, patience);
    // How long the clean model of a user's file takes, nobody knows.
    if (source.content.kind !== "file") watch(PATIENCE);
  }

  /** The answer is no longer needed. @param {number} id */
  over(id) {
    this.pending.delete(id);
    return this.waiting.delete(id);
  }

  /**
   * Runs a specification without reporting progress.
   * @param {Spec} spec
   * @param {Source} source
   * @returns {Promise<Measured>}
   */
  measure(spec, source) {
    return new Promise((onMeasured, onError) => this.run(spec, source, { onMeasured, onError }));
  }

  /** Ends a run at once. Other pending requests go to the next worker. */
  cancel() {
    this.over(this.running);
    this.renew();
  }

  /** A new worker for the pending requests of the old one. @param {boolean} [fresh] see `spawn` */
  renew(fresh) {
    this.spawn(fresh);
    for (const request of [...this.pending.values()]) request();
  }

  /** Drops all pending requests. */
  forget() {
    this.waiting.clear();
    this.pending.clear();
  }

  /** Ends the worker for good. */
  close() {
    this.closed = true;
    this.end();
  }

  /** Ends the worker; the next request starts another. */
  end() {
    this.forget();
    this.worker?.terminate();
    this.worker = undefined;
    this.loadedKey = "";
  }

  /**
   * A file of the last run; empty if that run has another digest, or the worker was replaced
   * since.
   * @param {RunFile} name
   * @param {string} digest
   * @returns {Promise<string>}
   */
  async file(name, digest) {
    return (await this.request({ type: "file", name, digest }, "file")).text;
  }

  /**
   * Previews a user's file.
   * @param {Source} source
   * @param {Dialect | null} reading null: detected
   * @returns {Promise<Inspected>}
   */
  async inspect(source, reading) {
    return (await this.request({ type: "inspect", source, reading }, "inspected")).inspected;
  }

  /**
   * Applies a mapping, or the text of one, to a user's file.
   * @param {Source} source
   * @param {Mapping | string} columns
   * @returns {Promise<CheckedColumns>}
   */
  async check(source, columns) {
    return (await this.request({ type: "check", source, columns }, "checked")).checked;
  }

  /**
   * Chooses λ1 and λ2 by cross-validation.
   * @param {Spec} spec
   * @param {Source} source
   * @param {(done: number, total: number) => void} onProgress
   */
  async tune(spec, source, onProgress) {
    const onOther = (/** @type {FromWorker} */ message) => {
      if (message.type === "tuning") onProgress(message.done, message.total);
    };
    return (await this.request({ type: "tune", spec, source }, "tuned", onOther)).tuned;
  }

  /**
   * Runs a job of a risk study.
   * @param {RiskJob} job
   * @param {Source} source
   * @returns {Promise<Found>}
   */
  async risk(job, source) {
    if (this.loadedKey !== source.key) await this.load(source);
    return (await this.request({ type: "risk", key: source.key, ...job }, "risk")).found;
  }

  /**
   * Moves an injected point of a run by hand, and trains again. A worker serves one run.
   * @param {Spec} spec
   * @param {Source} source
   * @param {[number, number, number] | null} move its number in the picture, its place; null: all go back
   */
  async hand(spec, source, move) {
    return (await this.request({ type: "hand", spec, source, move }, "hand")).retrained;
  }

  /**
   * Does one job of a study of defences.
   * @param {Spec} spec of the study
   * @param {Source} source
   * @param {number} job its number
   * @returns {Promise<JobResult>}
   */
  async defend(spec, source, job) {
    return (await this.request({ type: "defend", spec, source, job }, "defended")).result;
  }

  /** An example file, and the limits of a user's file. */
  example() {
    return this.request({ type: "example" }, "example");
  }

  /**
   * Sends a request that has one answer.
   * @template {FromWorker["type"]} T
   * @param {any} content a message without its id
   * @param {T} type of the answer
   * @param {(message: FromWorker) => void} [onProgress] gets the progress that comes before
   * @returns {Promise<Extract<FromWorker, {type: T}>>}
   */
  request(content, type, onProgress) {
    const id = this.nextId++;
    const message = { ...content, id };
    const post = () => this.post(message);
    return new Promise((resolve, reject) => {
      this.pending.set(id, post);
      this.waiting.set(id, (message) => {
        if ("type" in message && message.type === "tuning") return onProgress?.(message);
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
