/**
 * What can be done in the lab: choose settings, open data and links, run, cancel, recall a result. It
 * changes the state (store.js) and notifies the views. No elements, no addresses.
 */

import { loadExtras } from "../engine/extras.js";
import { Solver } from "../engine/solver.js";
import { labFragment, splitLabLink } from "./route.js";
import { fetchBundle, hasBundle, syntheticSource, withColumns } from "./sources.js";
import { Store } from "./store.js";
import { setBusy } from "./unload.js";
import { duration, errorMessage, few } from "./words.js";

/** @import { Engine } from "../engine/engine.js" */
/** @import { Complete, DatasetRef, Draft, Inspected, Kept, Link, Problem, Published, Refused, Report, Result, RunState, Source, Spec } from "../engine/types.js" */
/** @import { Keys, Route } from "./route.js" */
/** @import { Opened } from "./store.js" */

export const DATASETS = ["synthetic", "landmine", "sarcos", "mnist"];
/** Settings that do not depend on the tasks or labels of the data set. */
const KEPT_WITH_OTHER_DATA = ["attack", "method", "gradient", "step", "budget", "iterations", "seed"];

/** Milliseconds after which reading a file can be cancelled. */
const SLOW = 1000;

/**
 * @param {Solver} solver
 * @param {Source} source
 */
const load = async (solver, source) => ({ source, description: await solver.load(source) });

/** @param {DatasetRef} ref */
const openedKey = (ref) => (typeof ref === "string" ? ref : ref.sha256);

export class Session extends Store {
  /**
   * @param {Engine} engine
   * @param {Solver} solver
   */
  constructor(engine, solver) {
    super();
    this.engine = engine;
    this.solver = solver;
    /** @type {Solver | null} reads a user's file while `solver` may run */
    this.reader = null;
    /**
     * Asks the user to map columns; gives a mapping and its text, or null. Set by the view that can
     * show the question.
     * @type {(reader: Solver, source: Source, inspected: Inspected, columns: string | null) => Promise<import("../views/columns.js").Chosen | null>}
     */
    this.askColumns = async () => null;
    /** Counts requests for a run: what an older request still does is ignored. */
    this.requests = 0;
    /** @type {Session["expected"]} the claim of a link that was compared last */
    this.compared = null;
    /** Counts other choices: a file that was read meanwhile does not replace them. */
    this.choices = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} until the notice that a file is being read */
    this.slow = undefined;
  }

  /**
   * @param {string} problem empty: no problem any more
   * @param {Source} [source] a file that other columns may help to read
   */
  dataProblem(problem, source) {
    this.emit({ type: "data", problem, ...(source && { source }) });
  }

  /** Another view is shown. @param {Route} route */
  go(route) {
    this.route = route;
    this.emit({ type: "route" });
  }

  /* Settings */

  /** @returns {DatasetRef} */
  get dataset() {
    return this.draft.dataset ?? "synthetic";
  }

  /** Is the result shown that of other settings? */
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
      ref === "synthetic" || this.opened.has(openedKey(ref)) || (typeof ref === "string" && hasBundle(ref))
    );
  }

  /** The chosen data set, if it was loaded. */
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
    // The result in the link of an awaited file is that of other settings.
    if (this.expected?.link === "") this.expected = null;
    this.chosen = name;
    if (value === undefined) delete this.draft[name];
    else this.draft[name] = value;
    this.update();
  }

  /** Replaces all settings. @param {Draft} draft */
  adopt(draft) {
    this.reset();
    this.draft = { ...draft };
    return this.update();
  }

  /** Resets all settings, and withdraws the notices about them. */
  reset() {
    this.choices++;
    this.draft = {};
    this.columns = null;
    this.expected = null;
    this.unclaimed = "";
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
   * Checks the draft.
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
      if (!this.complete) throw { message: "the settings are invalid" };
      return syntheticSource(this.complete.spec);
    }
    const known = this.bundles.get(ref);
    if (known) return known;
    try {
      const source = await fetchBundle(ref, this.broken.has(ref));
      const description = await this.solver.load(source);
      this.bundles.set(ref, source);
      this.described.set(source.key, description);
      this.broken.delete(ref);
      this.dataProblem("");
      return source;
    } catch (problem) {
      this.distrust(ref);
      throw { message: `${ref}: ${errorMessage(problem)}` };
    } finally {
      this.emit({ type: "data" });
    }
  }

  /** The source of a specification, for other workers. @param {Spec} spec */
  async sourceFor(spec) {
    const { dataset } = spec;
    if (dataset === "synthetic") return syntheticSource(spec);
    if (typeof dataset === "string") return this.sourceOf(dataset);
    const opened = this.opened.get(dataset.sha256);
    if (!opened) throw { message: `open the file ${dataset.name} in the lab first` };
    return opened.source;
  }

  /** The source of a published data set, for other workers. @param {string} name */
  async sourceOf(name) {
    return (
      this.opened.get(name)?.source ??
      this.bundles.get(name) ??
      (await fetchBundle(name, this.broken.has(name)))
    );
  }

  /** Its bytes could not be read: the next attempt downloads them again. @param {string} name */
  distrust(name) {
    this.bundles.delete(name);
    this.broken.add(name);
  }

  /**
   * Opens files that the user chose or dropped, and runs on them.
   * @param {File[]} files
   * @param {Published | null} requested the data set whose raw files the user chose
   */
  async openFiles(files, requested) {
    const [file] = files;
    if (!file) return;
    // Several files at once can only be the raw files of a published data set.
    const published =
      requested ??
      this.engine.published.find(
        (one) => one.files.length > 1 && one.files.some((raw) => raw.name === file.name),
      ) ??
      null;
    const total = files.reduce((sum, { size }) => sum + size, 0);
    if (total > this.engine.maxFileBytes) {
      const limit = Math.round(this.engine.maxFileBytes / (1 << 20));
      return this.dataProblem(`${file.name} is too large: the limit is ${limit} MiB.`);
    }
    this.dataProblem("");
    const [, ...more] = published ? [] : files.map(({ name }) => name);
    this.emit({ type: "status", text: `Reading ${file.name} …` });
    try {
      const read = await this.readAside(file.name, async (reader) => {
        const { openFile, openRawFiles } = await import("./files.js");
        if (!published) return this.readOwn(reader, await openFile(file));
        const found = await load(reader, await openRawFiles(published, files));
        if (found.description.name === published.name) return found;
        throw { message: `${file.name} is not the published file of ${published.name}` };
      });
      if (read) {
        const awaited = this.dataset;
        const isAwaited = typeof awaited === "object" && awaited.sha256 === read.description.sha256;
        this.opens(read);
        if (more.length > 0) {
          const text = `Only ${file.name} was opened, not ${few(more)}: a data set is one file.`;
          this.notice(text, "", "other-files");
        }
        if (!this.complete) this.clear("The settings do not fit the file", "The form shows which ones.");
        // A link was waiting for it, it is published, or the user has seen what it holds.
        else if (isAwaited || (read.reading?.asked ?? true)) await this.start();
        else this.clear(`${file.name} was read`, "Check the summary, then run.");
      }
    } catch (problem) {
      const source =
        problem && typeof problem === "object" && "source" in problem ? problem.source : undefined;
      this.dataProblem(`${file.name}: ${errorMessage(problem)}`, /** @type {Source | undefined} */ (source));
      this.emit({ type: "status", text: "The file could not be read. Nothing has changed." });
      this.emit({ type: "announce", text: `${file.name} could not be read` });
    }
  }

  /**
   * Reads a file with a second worker, which replaces the lab's when the file is read; a run continues
   * until then. Gives null if the file is no longer wanted.
   * @param {string} name
   * @param {(reader: Solver) => Promise<Opened | null>} read null: the user cancelled
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
        this.notice(`${name} was read: choose it under Data.`, "", "file");
      } else if (choices === this.choices) {
        this.emit({ type: "status", text: `${name} was not opened.` });
      }
      return null;
    } catch (problem) {
      if (isWanted()) throw problem;
      return null;
    } finally {
      if (isWanted() || reader === this.solver) this.endReading();
    }
  }

  /** Shows a notice with a way to cancel once reading takes long. @param {string} name */
  whileReading(name) {
    clearTimeout(this.slow);
    this.withdraw("reading-file");
    const run = () => {
      this.endReading();
      this.emit({ type: "status", text: `${name} was not opened.` });
    };
    const show = () => this.notice(`Reading ${name} …`, "", "reading-file", { text: "Cancel reading", run });
    this.slow = setTimeout(show, SLOW);
  }

  endReading() {
    clearTimeout(this.slow);
    this.withdraw("reading-file");
    this.reader?.close();
    this.reader = null;
  }

  /**
   * Reads a user's file: as the link that waits for it defines, by the names of its columns, or as the
   * user answers; null if the user cancels.
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
    const inspected = await reader.inspect(source, null);
    const { preview, published, sha256, columns: guess } = inspected;
    const is = typeof awaited === "object" && awaited.sha256 === sha256;
    // A link without a mapping means the file as it names its columns.
    if (published || (is && columns === null)) return load(reader, source);
    const { summary } = preview;
    if (preview.problem && !preview.question) throw { message: preview.problem, source };
    if (!preview.sure || !summary) return this.readAs(reader, source, inspected, is ? columns : null);
    const read = await load(reader, withColumns(source, preview.has_our_names ? null : guess));
    return { ...read, reading: { preview, mapping: preview.guess, summary, asked: false } };
  }

  /**
   * Reads a file as the user answers; null if the user cancels.
   * @param {Solver} reader
   * @param {Source} source
   * @param {Inspected} inspected
   * @param {string | null} columns the mapping to begin with
   */
  async readAs(reader, source, inspected, columns) {
    // The question has its own Cancel.
    clearTimeout(this.slow);
    this.withdraw("reading-file");
    const chosen = await this.askColumns(reader, source, inspected, columns);
    if (!chosen) return null;
    const { columns: text, ...reading } = chosen;
    return { ...(await load(reader, withColumns(source, text))), reading: { ...reading, asked: true } };
  }

  /** Asks for another mapping of the columns, and runs on the result. @param {Source} source */
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
  keepOpened(opened) {
    const { source, description } = opened;
    const { name, sha256 } = description;
    this.opened.set(DATASETS.includes(name) ? name : sha256, opened);
    this.emit({ type: "opened", opened });
    this.described.set(source.key, description);
    this.broken.delete(name);
  }

  /** A file was read: it is the one that the link waits for, or the new choice. @param {Opened} read */
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
          `that of the link with ${awaited.sha256.slice(0, 12)}.`,
        "bad",
        "file",
      );
    }
    const wrong = this.leaveOutWrong();
    if (wrong.length === 0) return;
    this.expected = null;
    this.notice(
      `Some settings are invalid for ${name}. ${wrong.join(" ")} The default is used instead.`,
      "bad",
      "link",
    );
  }

  /**
   * Removes invalid fields from the draft and checks it again, since one may hide another.
   * @returns {string[]} what was wrong
   */
  leaveOutWrong() {
    const wrongWords = [];
    let checked = this.update();
    for (let round = 0; "errors" in checked && round < 30; round++) {
      const wrong = checked.errors.filter(({ field }) => field && field in this.draft);
      if (wrong.length === 0) break;
      for (const { field, message } of wrong) {
        wrongWords.push(`${message}.`);
        if (field) delete this.draft[field];
      }
      checked = this.update();
    }
    return wrongWords;
  }

  /* Links */

  /** The link of the settings, with the claim of their result. */
  fragment() {
    const { complete, run, result } = this;
    // Without valid settings: the run in progress, or the result shown.
    const link = (complete ?? run ?? result)?.link;
    if (link === undefined) return "";
    const shown = result?.link === link && !run;
    return labFragment(shown ? this.resultLink() : link, this.others);
  }

  /** The link of the result that is shown, without keys of the view. */
  resultLink() {
    return this.result ? this.fragmentOf(this.result) : "";
  }

  /** The keys of the page except these. @param {string[]} names @returns {Keys} */
  keysWithout(names) {
    return this.others.filter(([key]) => !names.includes(key));
  }

  /** The value of a key of the page. @param {string} key */
  view(key) {
    return this.others.find(([other]) => other === key)?.[1];
  }

  /** Sets a key of the page in the link. @param {string} key @param {string} [value] */
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
   * @param {string} [held] the link of a run that is not started
   * @returns {Promise<void> | void}
   */
  openLink(text, held) {
    this.stop();
    this.others = [];
    this.reset();
    const { spec, keys } = splitLabLink(text);
    const link = this.engine.readLink(`#${spec}`);
    if ("errors" in link) {
      const errors = link.errors.map(({ message }) => `${message}.`).join(" ");
      this.notice(`This link cannot be opened: ${errors} The page shows the default instead.`, "bad", "link");
      this.update();
      return this.start();
    }
    this.others = [...keys, ...link.others];
    this.draft = link.draft;
    this.columns = link.columns;
    const ref = this.dataset;
    const open = typeof ref === "object" ? this.opened.get(ref.sha256) : undefined;
    if (open && (open.description.shape.columns ?? null) !== link.columns) {
      return this.readAgain(open.source, link.columns, text, held);
    }
    if (typeof ref === "object" && !this.opened.has(ref.sha256)) {
      this.notice(
        `This link needs a file: open ${ref.name} (SHA-256 ${ref.sha256.slice(0, 12)}…) to see its ` +
          "result. The file stays on your computer.",
        "",
        "file",
      );
    }
    const wrong = this.leaveOutWrong();
    const messages = [];
    if (wrong.length > 0) {
      messages.push("Some settings in this link are invalid.", ...wrong, "The default is used instead.");
    }
    if (link.unknown.length > 0) {
      messages.push(
        `This version does not know these keys of the link: ${few(link.unknown)}. They are kept and ignored.`,
      );
    }
    if (messages.length > 0) this.notice(messages.join(" "), wrong.length > 0 ? "bad" : "", "link");
    const { complete } = this;
    if (!complete) {
      if (typeof ref === "object") {
        this.clear(`Open ${ref.name} to see the result`, "Waiting for the file.");
        this.expected = expectedOf(link, "");
      }
      return;
    }
    if (wrong.length === 0) this.expected = expectedOf(link, complete.link);
    if (spec && !link.has_digest) this.unclaimed = complete.link;
    if (complete.link === held) {
      return this.clear("This run was interrupted", "Press Run to start it again.");
    }
    return this.start();
  }

  /**
   * A link maps the columns of an open file in another way.
   * @param {Source} source
   * @param {string | null} columns
   * @param {string} text of the link
   * @param {string} [held] as in `openLink`
   * @returns {Promise<void>}
   */
  async readAgain(source, columns, text, held) {
    const request = ++this.requests;
    try {
      this.keepOpened(await load(this.solver, withColumns(source, columns)));
      if (request === this.requests) return this.openLink(text, held);
    } catch (problem) {
      if (request !== this.requests) return;
      this.update();
      this.clear("The link does not fit the file", "Open the file again to map its columns.");
      this.dataProblem(errorMessage(problem), withColumns(source, null));
    }
  }

  /** Shows whether a link's result was reproduced. @param {Report} report @param {string} link */
  async compareWithLink(report, link) {
    const expected = (this.compared = this.expected);
    this.expected = null;
    this.withdraw("digest");
    if (!expected || (expected.link !== "" && expected.link !== link)) return;
    const request = this.requests;
    try {
      const { compare_claims: compare } = await loadExtras();
      if (request !== this.requests) return;
      const found = compare(expected.claim, report.claim, report.metric_name);
      if (found) this.notice(found.words, found.same ? "good" : "bad", "digest");
    } catch (problem) {
      this.notice(`Not compared with the link: ${errorMessage(problem)}`, "bad", "digest");
    }
  }

  /* Running */

  /** Runs the settings. @param {{live?: boolean}} [how] `live`: because they changed */
  async start({ live = false } = {}) {
    if (!this.complete) return;
    this.stop();
    const request = ++this.requests;
    const { spec, link, metric } = this.complete;
    if (!this.isThere(spec.dataset)) {
      this.clear(
        `${this.dataset} has to be opened first`,
        'This build does not include the data set. "Data" says how to get it.',
      );
      return;
    }
    /** @type {RunState} */
    const run = { spec, link, metric, clean: null, scene: null, points: [], start: performance.now(), live };
    this.run = run;
    setBusy(this, true);
    // Marks of earlier runs would accumulate.
    performance.clearMarks();
    performance.mark("run");
    this.emit({ type: "started", run });
    /** @type {Source} */
    let source;
    try {
      source = await this.source();
    } catch (problem) {
      if (request === this.requests && this.run === run) {
        this.failed({ code: "data", field: "dataset", message: errorMessage(problem) });
      }
      return;
    }
    if (request !== this.requests || this.run !== run) return;
    /** @type {RunState["points"][]} one entry a start of the attack */
    const starts = [];
    this.solver.run(spec, source, {
      onClean: (model, scene) => {
        run.clean = model;
        run.scene = scene;
      },
      onProgress: (points) => {
        const isFirst = starts.length === 0;
        for (const point of points) {
          if (point.iteration === 0) {
            run.points = [];
            starts.push(run.points);
          }
          run.points.push(point);
        }
        if (isFirst) performance.mark("first-point");
        this.emit({ type: "progress", run });
      },
      onDone: (report) => {
        run.points = starts[report.won ?? 0] ?? [];
        this.finish(run, report);
      },
      onError: (problem) => this.run === run && this.failed(problem),
    });
  }

  /**
   * @param {RunState} run
   * @param {Report} report
   */
  finish(run, report) {
    if (this.run !== run) return;
    this.endRun();
    this.result = { report, link: run.link, run };
    performance.mark("report");
    this.emit({ type: "done", run, report });
    performance.mark("done");
    this.compareWithLink(report, run.link);
  }

  /**
   * Replaces a result that was computed wrongly.
   * @param {Result} result
   */
  correct(result) {
    this.result = result;
    this.emit({ type: "done", run: result.run, report: result.report, corrected: true });
    this.expected = this.compared;
    this.compareWithLink(result.report, result.link);
  }

  endRun() {
    this.run = null;
    setBusy(this, false);
  }

  /** @param {Problem} problem */
  failed(problem) {
    const run = this.run;
    this.endRun();
    this.result = null;
    const text =
      problem.code === "panic"
        ? `The engine stopped with an internal error: ${problem.message}. It has been restarted: press ` +
          "Run to try again. If the error comes again, please report it with the link in the address bar."
        : problem.message;
    this.emit({ type: "ended", how: "failed", run, headline: "The run did not finish", text, problem });
    this.notice(text, "bad", "run");
    if (problem.field === "dataset") this.dataProblem(problem.message);
  }

  /** Cancels the run in progress; its curve stays. */
  stop() {
    const run = this.run;
    this.withdraw("run");
    if (!run) return false;
    this.endRun();
    this.result = null;
    this.requests++;
    this.solver.cancel();
    const done = run.points.at(-1)?.iteration;
    const seconds = (performance.now() - run.start) / 1000;
    const where =
      done === undefined ? "before the first iteration" : `at iteration ${done} of ${run.spec.iterations}`;
    const headline = `Cancelled ${where}`;
    const text = `After ${duration(seconds)}. ${done === undefined ? "" : "The curve so far is kept."}`;
    this.emit({ type: "ended", how: "cancelled", run, headline, text, problem: null });
    return true;
  }

  /**
   * Shows a kept result, without computing it again.
   * @param {Kept} kept
   * @param {string} text for the status
   */
  recall(kept, text) {
    const { run, report } = kept;
    this.stop();
    this.requests++;
    const read = this.engine.readLink(run.link);
    this.others = [];
    this.reset();
    if (!("errors" in read)) [this.draft, this.columns] = [read.draft, read.columns];
    this.update();
    if (!report) {
      this.result = null;
      const curve = run.points.length > 0 ? "The curve so far was kept." : "";
      return this.emit({ type: "ended", how: "cancelled", run, headline: text, text: curve, problem: null });
    }
    const link = this.complete?.link ?? run.link;
    this.result = { report, link, run, at: text, kept };
    this.expected = { link, claim: report.claim };
    this.emit({ type: "done", run, report });
  }

  /**
   * Shows no result: the settings cannot be run yet.
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
