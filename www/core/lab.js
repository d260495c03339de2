/**
 * The lab without its looks: what is chosen, which data are open, what runs, what came out of it,
 * and what a link says. No elements, no addresses: whoever shows something listens.
 */

import { fetchBundle, hasBundle, openFile, openRawFiles, syntheticSource, withColumns } from "./sources.js";
import { loadExtras } from "../engine/extras.js";
import { Solver } from "../engine/solver.js";
import * as views from "../views/report.js";

/** @import { Engine } from "../engine/engine.js" */
/** @import { Comparison, Complete, DatasetRef, Description, Draft, Inspected, Kept, LabEvent, Link, Problem, Published, Refused, Report, RunState, Source, Spec } from "../engine/types.js" */

export const DATASETS = ["synthetic", "landmine", "sarcos", "mnist"];
/** Choices that do not speak of the tasks or the labels of one data set. */
const KEPT_WITH_OTHER_DATA = ["attack", "method", "gradient", "step", "budget", "iterations", "seed"];

/** @param {unknown} error */
export const errorMessage = (error) =>
  error && typeof error === "object" && "message" in error ? String(error.message) : String(error);

/** Milliseconds after which reading a file can be cancelled. */
const SLOW = 1000;

/** @typedef {{source: Source, description: Description}} Opened */

/**
 * @param {Solver} solver
 * @param {Source} source
 */
const load = async (solver, source) => ({ source, description: await solver.load(source) });

/** The first of them, and how many more. @param {string[]} all */
const few = (all) => all.slice(0, 4).join(", ") + (all.length > 4 ? ` and ${all.length - 4} more` : "");

/** @param {DatasetRef} ref */
const openedKey = (ref) => (typeof ref === "string" ? ref : ref.sha256);

export class Lab {
  /**
   * @param {Engine} engine
   * @param {Solver} solver
   */
  constructor(engine, solver) {
    this.engine = engine;
    this.solver = solver;
    /** @type {Solver | null} reads a user's file while `solver` may run */
    this.reader = null;
    /** @type {((event: LabEvent) => void)[]} */
    this.listeners = [];
    /** @type {Draft} what was chosen; all else is default */
    this.draft = {};
    /** @type {Complete | null} the draft, if it is valid */
    this.complete = null;
    /** @type {Problem[]} what is wrong with the draft */
    this.problems = [];
    /** @type {Map<string, Opened>} by name or SHA-256 */
    this.opened = new Map();
    /** @type {Map<string, Source>} by name */
    this.bundles = new Map();
    /** @type {Map<string, Description>} by key of the source */
    this.described = new Map();
    /** @type {Set<string>} data sets of this copy that could not be loaded */
    this.broken = new Set();
    /** @type {[string, string][]} keys of the link that are not the specification's */
    this.others = [];
    /** @type {string | null} the mapping that the link has for the file it waits for */
    this.columns = null;
    /**
     * Asks the user which column is what; gives the text of a mapping, or null. Set by whoever can
     * show the question.
     * @type {(reader: Solver, source: Source, inspected: Inspected, columns: string | null) => Promise<string | null>}
     */
    this.askColumns = async () => null;
    /** @type {{link: string, claim: string} | null} what a link says of its result */
    this.expected = null;
    /** @type {RunState | null} what goes on */
    this.run = null;
    /** @type {{report: Report, json: string, link: string, run: RunState, at?: string} | null} what is shown; `at` says that it was kept */
    this.result = null;
    /** Counts the runs asked for: an older one that comes late is ignored. */
    this.asked = 0;
    /** Counts what else was chosen: a file that has been read by then does not take its place. */
    this.choices = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} until it is said that a file is being read */
    this.slow = undefined;
  }

  /** @param {(event: LabEvent) => void} listener */
  listen(listener) {
    this.listeners.push(listener);
  }

  /** @param {LabEvent} event */
  emit(event) {
    for (const listener of this.listeners) listener(event);
  }

  /**
   * @param {string} text
   * @param {"" | "bad" | "good"} [kind]
   * @param {string} [about] a later notice about the same thing takes its place
   * @param {{text: string, run: () => void}} [action] what can be done about it
   */
  notice(text, kind = "", about = text, action) {
    this.emit({ type: "notice", text, kind, about, ...(action && { action }) });
  }

  /** @param {string} about */
  withdraw(about) {
    this.emit({ type: "withdraw", about });
  }

  /**
   * @param {string} problem empty: there is none any more
   * @param {Source} [source] a file that other columns may help to read
   */
  dataProblem(problem, source) {
    this.emit({ type: "data", problem, ...(source && { source }) });
  }

  /* What is chosen */

  /** @returns {DatasetRef} */
  get dataset() {
    return this.draft.dataset ?? "synthetic";
  }

  /** Is there a result that belongs to other settings than the present ones? */
  get stale() {
    const shown = this.result?.link;
    return shown !== undefined && this.complete !== null && shown !== this.complete.link && !this.run;
  }

  /** Can the settings be run now? */
  get ready() {
    return this.complete !== null && this.isThere(this.dataset);
  }

  /** @param {DatasetRef} ref */
  isThere(ref) {
    return (
      ref === "synthetic" ||
      this.opened.has(openedKey(ref)) ||
      (typeof ref === "string" && hasBundle(ref))
    );
  }

  /** What is known of the chosen data set. */
  description() {
    const ref = this.dataset;
    const opened = this.opened.get(openedKey(ref));
    if (opened) return opened.description;
    if (ref === "synthetic" && this.complete) {
      return this.described.get(syntheticSource(this.complete.spec).key);
    }
    return typeof ref === "string" ? this.described.get(`bundle ${ref}`) : undefined;
  }

  /**
   * @param {string} name of a field
   * @param {any} value undefined: the default
   */
  choose(name, value) {
    // Not the settings any more that the link of an awaited file has a result of.
    if (this.expected?.link === "") this.expected = null;
    if (value === undefined) delete this.draft[name];
    else this.draft[name] = value;
    this.update();
  }

  /** Takes all settings at once. @param {Draft} draft */
  adopt(draft) {
    this.startAfresh();
    this.draft = { ...draft };
    return this.update();
  }

  /** Nothing is chosen, and what was said of earlier choices is withdrawn. */
  startAfresh() {
    this.choices++;
    this.draft = {};
    this.columns = null;
    this.expected = null;
    for (const about of ["link", "file", "other-files"]) this.withdraw(about);
    this.dataProblem("");
  }

  /** @param {DatasetRef} ref */
  chooseDataset(ref) {
    /** @type {Draft} */
    const draft = ref === "synthetic" ? {} : { dataset: ref };
    for (const name of KEPT_WITH_OTHER_DATA) if (name in this.draft) draft[name] = this.draft[name];
    this.adopt(draft);
    if (typeof ref === "string" && ref !== "synthetic" && this.isThere(ref)) {
      this.source().then(
        () => this.update(),
        (problem) => this.dataProblem(errorMessage(problem)),
      );
    }
  }

  /**
   * Checks the draft, and tells what came of it.
   * @returns {Complete | Refused}
   */
  update() {
    const ref = this.dataset;
    const file = typeof ref === "object" ? this.opened.get(ref.sha256) : undefined;
    const checked = this.engine.complete(this.draft, file?.description.shape);
    this.problems = "errors" in checked ? checked.errors : [];
    this.complete = "errors" in checked ? null : checked;
    this.emit({ type: "changed" });
    return checked;
  }

  /* Data */

  /** The bytes of the chosen data set, read by the worker. @returns {Promise<Source>} */
  async source() {
    const ref = this.dataset;
    const opened = this.opened.get(openedKey(ref));
    if (opened) return opened.source;
    if (typeof ref === "object") throw { message: `open the file ${ref.name} first` };
    if (ref === "synthetic") {
      if (!this.complete) throw { message: "the settings are not valid" };
      return syntheticSource(this.complete.spec);
    }
    const known = this.bundles.get(ref);
    if (known) return known;
    try {
      const source = await fetchBundle(ref);
      const description = await this.solver.load(source);
      this.bundles.set(ref, source);
      this.described.set(source.key, description);
      this.broken.delete(ref);
      this.dataProblem("");
      return source;
    } catch (problem) {
      this.broken.add(ref);
      throw { message: `${ref}: ${errorMessage(problem)}` };
    } finally {
      this.emit({ type: "data" });
    }
  }

  /** The source of a specification, for others than the lab. @param {Spec} spec */
  async sourceFor(spec) {
    const { dataset } = spec;
    if (dataset === "synthetic") return syntheticSource(spec);
    if (typeof dataset === "string") return this.sourceOf(dataset);
    const opened = this.opened.get(dataset.sha256);
    if (!opened) throw { message: `open the file ${dataset.name} in the lab first` };
    return opened.source;
  }

  /** The source of a published data set, for others than the lab. @param {string} name */
  async sourceOf(name) {
    return this.opened.get(name)?.source ?? this.bundles.get(name) ?? (await fetchBundle(name));
  }

  /**
   * Opens what a user chose or dropped, and runs on it.
   * @param {File[]} files
   * @param {Published | null} asked the data set whose raw files were asked for
   */
  async takeFiles(files, asked) {
    const [file] = files;
    if (!file) return;
    // Several files at once can only be the raw files of a published data set.
    const wanted =
      asked ??
      this.engine.published.find(
        (one) => one.files.length > 1 && one.files.some((raw) => raw.name === file.name),
      ) ??
      null;
    const total = files.reduce((sum, { size }) => sum + size, 0);
    if (total > this.engine.maxFileBytes) {
      const limit = Math.round(this.engine.maxFileBytes / (1 << 20));
      return this.dataProblem(`${file.name} is too large: at most ${limit} MiB are read.`);
    }
    this.dataProblem("");
    const [, ...more] = wanted ? [] : files.map(({ name }) => name);
    if (more.length > 0) {
      this.notice(`${file.name} alone is opened, not ${few(more)}: all tasks stand in one file.`, "", "other-files");
    }
    this.emit({ type: "status", text: `Reading ${file.name} …` });
    try {
      const read = await this.readAside(file.name, async (reader) => {
        if (!wanted) {
          const own = await this.readOwn(reader, await openFile(file));
          if (!own) this.emit({ type: "status", text: `${file.name} was not opened.` });
          return own;
        }
        const found = await load(reader, await openRawFiles(wanted, files));
        if (found.description.name === wanted.name) return found;
        throw { message: `${file.name} is not the published file of ${wanted.name}` };
      });
      if (read) {
        this.opens(read);
        if (this.complete) await this.start();
        else this.clear("The settings do not fit the file", "The form says what is wrong.");
      }
    } catch (problem) {
      const source = problem && typeof problem === "object" && "source" in problem ? problem.source : undefined;
      this.dataProblem(`${file.name}: ${errorMessage(problem)}`, /** @type {Source | undefined} */ (source));
      this.emit({ type: "status", text: "The file could not be used; nothing has changed." });
      this.emit({ type: "announce", text: `${file.name} could not be used` });
    }
  }

  /**
   * Reads a file with a worker of its own, which takes the place of the lab's when there is
   * something to run on: until then a run goes on. Gives what was read if that is still wanted.
   * @param {string} name
   * @param {(reader: Solver) => Promise<Opened | null>} read null: the user gives up
   */
  async readAside(name, read) {
    this.reader?.close();
    const reader = (this.reader = new Solver(this.engine.module));
    const { choices } = this;
    const isWanted = () => reader === this.reader;
    this.whileReading(name);
    try {
      const found = await read(reader);
      if (!isWanted()) return null;
      if (found && choices === this.choices) {
        this.stop();
        [this.solver, this.reader] = [reader, this.solver];
        return found;
      }
      if (found) {
        this.keepOpened(found);
        this.notice(`${name} has been read: it can be chosen under Data.`, "", "file");
      }
      return null;
    } catch (problem) {
      if (isWanted()) throw problem;
      return null;
    } finally {
      if (isWanted() || reader === this.solver) this.endReading();
    }
  }

  /** Says what is being read once it takes long. @param {string} name */
  whileReading(name) {
    clearTimeout(this.slow);
    this.withdraw("reading-file");
    const run = () => {
      this.endReading();
      this.emit({ type: "status", text: `${name} was not opened.` });
    };
    const say = () => this.notice(`Reading ${name} …`, "", "reading-file", { text: "Cancel reading", run });
    this.slow = setTimeout(say, SLOW);
  }

  endReading() {
    clearTimeout(this.slow);
    this.withdraw("reading-file");
    this.reader?.close();
    this.reader = null;
  }

  /**
   * Reads a user's file: as the link says that waits for it, or by the names of its columns, or as
   * the user says when asked; null if the user gives up.
   * @param {Solver} reader
   * @param {Source} source
   */
  async readOwn(reader, source) {
    const awaited = this.dataset;
    const { columns } = this;
    if (typeof awaited === "object" && columns !== null) {
      const read = await load(reader, withColumns(source, columns)).catch(() => null);
      if (read?.description.sha256 === awaited.sha256) return read;
    }
    try {
      return await load(reader, source);
    } catch (problem) {
      const inspected = await reader.inspect(source, null);
      if (inspected.preview.has_our_names) throw { message: errorMessage(problem), source };
      const is = typeof awaited === "object" && awaited.sha256 === inspected.sha256;
      return this.readAs(reader, source, inspected, is ? columns : null);
    }
  }

  /**
   * Reads a file as the user says; null if the user gives up.
   * @param {Solver} reader
   * @param {Source} source
   * @param {Inspected} inspected
   * @param {string | null} columns the mapping to begin with
   */
  async readAs(reader, source, inspected, columns) {
    // The question has a way out of its own.
    clearTimeout(this.slow);
    this.withdraw("reading-file");
    const chosen = await this.askColumns(reader, source, inspected, columns);
    return chosen === null ? null : load(reader, withColumns(source, chosen));
  }

  /** Asks again which column is what, and runs on what comes of it. @param {Source} source */
  async changeColumns(source) {
    const plain = withColumns(source, null);
    const { content } = source;
    const [name, known] = content.kind === "file" ? [content.name, content.columns] : ["The file", null];
    try {
      const read = await this.readAside(name, async (reader) =>
        this.readAs(reader, plain, await reader.inspect(plain, null), known),
      );
      if (!read) return;
      const { name: own, sha256 } = read.description;
      this.keepOpened(read);
      this.chooseDataset({ name: own, sha256 });
      await this.start();
    } catch (problem) {
      this.dataProblem(errorMessage(problem));
    }
  }

  /** @param {Opened} opened */
  keepOpened({ source, description }) {
    const { name, sha256 } = description;
    this.opened.set(DATASETS.includes(name) ? name : sha256, { source, description });
    this.described.set(source.key, description);
    this.broken.delete(name);
  }

  /** A file has been read: it is what the link waits for, or the new choice. @param {Opened} read */
  opens(read) {
    const { name, sha256 } = read.description;
    const published = DATASETS.includes(name);
    this.keepOpened(read);
    const awaited = this.dataset;
    const { expected } = this;
    const is = typeof awaited === "object" && !published && awaited.sha256 === sha256;
    if (is) this.withdraw("file");
    else this.chooseDataset(published ? name : { name, sha256 });
    if (typeof awaited === "object" && expected && !published && !is) {
      this.notice(
        `${name} is not the file of the link: its SHA-256 begins with ${sha256.slice(0, 12)}, ` +
          `the link says ${awaited.sha256.slice(0, 12)}.`,
        "bad",
        "file",
      );
    }
    const wrong = this.leaveOutWrong();
    if (wrong.length === 0) return;
    this.expected = null;
    this.notice(`${name} does not allow all settings. ${wrong.join(" ")} The default is used instead.`, "bad", "link");
  }

  /**
   * Leaves out what is wrong with the draft, and checks it; one field may uncover another.
   * @returns {string[]} what was wrong
   */
  leaveOutWrong() {
    const said = [];
    let checked = this.update();
    for (let round = 0; "errors" in checked && round < 30; round++) {
      const wrong = checked.errors.filter(({ field }) => field && field in this.draft);
      if (wrong.length === 0) break;
      for (const { field, message } of wrong) {
        said.push(`${message}.`);
        if (field) delete this.draft[field];
      }
      checked = this.update();
    }
    return said;
  }

  /* Links */

  /** The link of the settings, with what is known of their result. */
  fragment() {
    const { complete, run, result } = this;
    // Without valid settings: what goes on, or what is shown.
    const link = (complete ?? run ?? result)?.link;
    if (link === undefined) return "";
    const shown = result?.link === link && !run;
    return [shown ? this.resultLink() : link, ...this.otherKeys()].join("&");
  }

  /** The link of the result that is shown, without keys of the view. */
  resultLink() {
    return this.result ? this.fragmentOf(this.result) : "";
  }

  /** @param {string[]} but keys to leave out */
  otherKeys(but = []) {
    return this.others
      .filter(([key]) => !but.includes(key))
      .map((pair) => pair.map(encodeURIComponent).join("="));
  }

  /** What the link says of the view. @param {string} key */
  view(key) {
    return this.others.find(([other]) => other === key)?.[1];
  }

  /** Puts a choice of the view into the link. @param {string} key @param {string} [value] */
  setView(key, value) {
    this.others = this.others.filter(([other]) => other !== key);
    if (value !== undefined) this.others.push([key, value]);
    this.emit({ type: "changed" });
  }

  /** The link of a result. @param {{link: string, report: Report}} result */
  fragmentOf({ link, report }) {
    return `${link}&${report.claim}`;
  }

  /**
   * @param {string} text the fragment of an address
   * @param {string} [held] the link of a run that is not to be started
   * @returns {Promise<void> | void}
   */
  openLink(text, held) {
    this.stop();
    this.others = [];
    this.startAfresh();
    const link = this.engine.readLink(text);
    if ("errors" in link) {
      const said = link.errors.map(({ message }) => `${message}.`).join(" ");
      this.notice(`This link cannot be used: ${said} The page shows the default instead.`, "bad", "link");
      this.update();
      return this.start();
    }
    this.others = link.others;
    this.draft = link.draft;
    this.columns = link.columns;
    const ref = this.dataset;
    const open = typeof ref === "object" ? this.opened.get(ref.sha256) : undefined;
    if (open && (open.description.shape.columns ?? null) !== link.columns) {
      return this.readAgain(open.source, link.columns, text, held);
    }
    if (typeof ref === "object" && !this.opened.has(ref.sha256)) {
      this.notice(
        `This link is about a file: open ${ref.name} (SHA-256 ${ref.sha256.slice(0, 12)}…) to see ` +
          "its result. The file stays on your computer.",
        "",
        "file",
      );
    }
    const wrong = this.leaveOutWrong();
    const said = [];
    if (wrong.length > 0) {
      said.push("The link asks for what is not allowed.", ...wrong, "The default is used instead.");
    }
    if (link.unknown.length > 0) {
      said.push(`The link has what this version does not know: ${few(link.unknown)}. It is kept, and ignored.`);
    }
    if (said.length > 0) this.notice(said.join(" "), wrong.length > 0 ? "bad" : "", "link");
    const { complete } = this;
    if (!complete) {
      if (typeof ref === "object") {
        this.clear(`Open ${ref.name} to see the result`, "Waiting for the file.");
        this.expected = expectedOf(link, "");
      }
      return;
    }
    if (wrong.length === 0) this.expected = expectedOf(link, complete.link);
    if (complete.link === held) {
      return this.clear("This run was interrupted", "Press Run to start it again.");
    }
    return this.start();
  }

  /**
   * A link reads an open file in another way than it was read.
   * @param {Source} source
   * @param {string | null} columns
   * @param {string} text of the link
   * @param {string} [held] as in `openLink`
   * @returns {Promise<void>}
   */
  async readAgain(source, columns, text, held) {
    const asked = ++this.asked;
    try {
      this.keepOpened(await load(this.solver, withColumns(source, columns)));
      if (asked === this.asked) return this.openLink(text, held);
    } catch (problem) {
      if (asked !== this.asked) return;
      this.update();
      this.clear("The link does not fit the file", "Open it again to say which column is what.");
      this.dataProblem(errorMessage(problem), withColumns(source, null));
    }
  }

  /** Says whether a link's result came out again. @param {Report} report @param {string} link */
  async compareWithLink(report, link) {
    const expected = this.expected;
    this.expected = null;
    this.withdraw("digest");
    if (!expected || (expected.link !== "" && expected.link !== link)) return;
    const asked = this.asked;
    try {
      const { compare_claims: compare } = await loadExtras();
      if (asked !== this.asked) return;
      /** @type {Comparison | null} */
      const found = compare(expected.claim, report.claim, report.metric_name);
      if (found) this.notice(found.words, found.same ? "good" : "bad", "digest");
    } catch (problem) {
      this.notice(`Not compared with the link: ${errorMessage(problem)}`, "bad", "digest");
    }
  }

  /* Running */

  /** Runs what is chosen. */
  async start() {
    if (!this.complete) return;
    this.stop();
    const asked = ++this.asked;
    const { spec, link, metric } = this.complete;
    if (!this.isThere(spec.dataset)) {
      this.clear(
        `${this.dataset} has to be opened first`,
        "This copy of the page lacks it. Under Data stands where to get it.",
      );
      return;
    }
    /** @type {RunState} */
    const run = { spec, link, metric, clean: null, scene: null, points: [], second: false, start: performance.now() };
    this.run = run;
    // Those of the run before would pile up.
    performance.clearMarks();
    performance.mark("run");
    this.emit({ type: "started", run });
    /** @type {Source} */
    let source;
    try {
      source = await this.source();
    } catch (problem) {
      if (asked === this.asked && this.run === run) {
        this.failed({ code: "data", field: "dataset", message: errorMessage(problem) });
      }
      return;
    }
    if (asked !== this.asked || this.run !== run) return;
    this.solver.run(spec, source, {
      onClean: (model, scene) => {
        run.clean = model;
        run.scene = scene;
      },
      onProgress: (point) => {
        run.points.push(point);
        if (run.points.length === 1) performance.mark("first-point");
        this.emit({ type: "progress", run, point });
      },
      onDone: (report, json) => this.finish(run, report, json),
      onError: (problem) => this.run === run && this.failed(problem),
      onSecond: () => {
        run.second = true;
      },
      onAgain: (problem) => {
        run.points.length = 0;
        run.second = false;
        this.notice(
          `The engine broke down (${problem.message}). It has been restarted, and this run began again.`,
          "",
          "run",
        );
      },
    });
  }

  /**
   * @param {RunState} run
   * @param {Report} report
   * @param {string} json
   */
  finish(run, report, json) {
    if (this.run !== run) return;
    this.run = null;
    this.result = { report, json, link: run.link, run };
    performance.mark("report");
    this.emit({ type: "done", run, report });
    performance.mark("done");
    this.compareWithLink(report, run.link);
  }

  /** @param {Problem} problem */
  failed(problem) {
    const run = this.run;
    this.run = null;
    this.result = null;
    const text =
      problem.code === "panic"
        ? `The engine stopped with an internal error: ${problem.message}. It has been restarted; ` +
          "please report this with the link in the address bar."
        : problem.message;
    this.emit({ type: "ended", how: "failed", run, headline: "The run did not finish", text, problem });
    this.notice(text, "bad", "run");
    if (problem.field === "dataset") this.dataProblem(problem.message);
  }

  /** Ends a run that goes on; its curve stays. */
  stop() {
    const run = this.run;
    this.withdraw("run");
    if (!run) return false;
    this.run = null;
    this.result = null;
    this.asked++;
    this.solver.cancel();
    const done = run.points.at(-1)?.iteration;
    const seconds = (performance.now() - run.start) / 1000;
    const where = done === undefined ? "before the first iteration" : `at iteration ${done} of ${run.spec.iterations}`;
    const headline = `Cancelled ${where}`;
    const text = `After ${views.duration(seconds)}. ${done === undefined ? "" : "The curve so far is kept."}`;
    this.emit({ type: "ended", how: "cancelled", run, headline, text, problem: null });
    return true;
  }

  /**
   * Shows what was kept, without computing it again.
   * @param {Kept} kept
   * @param {string} text says so
   */
  recall({ run, report, json }, text) {
    this.stop();
    this.asked++;
    const read = this.engine.readLink(run.link);
    this.others = [];
    this.startAfresh();
    if (!("errors" in read)) [this.draft, this.columns] = [read.draft, read.columns];
    this.update();
    if (!report) {
      this.result = null;
      const curve = run.points.length > 0 ? "The curve so far was kept." : "";
      return this.emit({ type: "ended", how: "cancelled", run, headline: text, text: curve, problem: null });
    }
    const link = this.complete?.link ?? run.link;
    this.result = { report, json, link, run, at: text };
    this.expected = { link, claim: report.claim };
    this.emit({ type: "done", run, report });
  }

  /**
   * Nothing to show: what is asked for cannot run yet.
   * @param {string} headline
   * @param {string} text
   */
  clear(headline, text) {
    this.result = null;
    this.emit({ type: "empty", headline, text });
  }
}

/**
 * @param {Link} link
 * @param {string} own
 */
const expectedOf = (link, own) => (link.has_digest ? { link: own, claim: link.claim } : null);
