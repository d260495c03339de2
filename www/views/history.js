/**
 * Your recent results: keeps what came out of runs in this browser, shows the list, and says what
 * a reload cut short. Loaded after the first result; the page works without it.
 */

import { $, el } from "../ui/dom.js";
import { errorMessage } from "../core/lab.js";
import { goesOn, noteRun } from "../core/unload.js";
import { notice } from "../ui/notices.js";
import * as store from "../core/database.js";
import * as sweeps from "../core/sweeps.js";
import { headline, iterationsOf } from "./report.js";

/** @import { Lab } from "../core/lab.js" */
/** @import { CutShort, Kept, LabEvent, RunState } from "../engine/types.js" */

/** Milliseconds between two saves of a run that goes on. */
const PACE = 1000;
/** Bytes of the ways of injected points that are kept of a result; of a larger one they are left out. */
const WAYS = 4 << 20;

/** Held as long as this tab lives: what a tab that is gone left running was cut short. */
const TAB = `tab ${store.unique()}`;

export class Keeper {
  /**
   * @param {Lab} lab
   * @param {CutShort | null} cut the run that a reload of this tab cut short
   */
  constructor(lab, cut) {
    this.lab = lab;
    /** @type {Kept | null} the run that goes on */
    this.current = null;
    this.timer = 0;
    /** Saves one after another, in their order. */
    this.saving = /** @type {Promise<unknown>} */ (Promise.resolve());
    /** @type {Kept[]} results that wait to be saved */
    this.unsaved = [];
    /** Tells other tabs that there is something new. */
    this.others = new BroadcastChannel("patom-results");
    this.others.onmessage = () => this.refresh();
    /** @type {Promise<Kept[] | null> | null} */
    this.refreshing = null;
    this.outdated = false;
    this.list = el("ol", { class: "recent-list", "data-testid": "recent-list" });
    this.problem = el("p", { "data-testid": "recent-problem", hidden: true });
    const forget = el("button", { type: "button", "data-testid": "forget-all" }, "Forget all");
    forget.onclick = () => this.then(Promise.all([store.clear(), sweeps.clear()]));
    const about =
      `The last ${store.MOST}, kept in this browser alone. Of a file of yours only its name and ` +
      "hash are kept, never its content.";
    this.root = el(
      "details",
      { class: "card recent", "data-testid": "recent", hidden: true, ontoggle: () => this.refresh() },
      el("summary", {}, el("h2", {}, "Your recent results")),
      el("p", { class: "lead" }, about),
      this.list,
      forget,
    );
    $("offline").after(this.problem);
    $("results").querySelector(".how")?.before(this.root);
    navigator.locks?.request(TAB, () => new Promise(() => {})).catch(() => {});
    addEventListener("pagehide", () => this.save());
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    lab.listen((event) => this.onEvent(event));
    if (lab.run) this.begin(lab.run);
    if (lab.result) this.finish("done");
    this.refresh().then((kept) => cut && this.explain(cut, kept ?? []));
  }

  /** @param {LabEvent} event */
  onEvent(event) {
    if (event.type === "started") this.begin(event.run);
    if (event.type === "done") this.finish("done");
    if (event.type === "ended") this.finish(event.how);
  }

  /** @param {RunState} run */
  begin(run) {
    goesOn(this, true);
    this.current = { id: store.unique(), tab: TAB, at: Date.now(), state: "running", run, report: null, json: "" };
    clearInterval(this.timer);
    this.timer = setInterval(() => this.save(), PACE);
  }

  /** Keeps the present state of a run that goes on. */
  save() {
    const record = this.current;
    if (!record) return;
    const { id, run } = record;
    const iteration = run.points.at(-1)?.iteration ?? null;
    noteRun({ id, link: run.link, iteration, iterations: run.spec.iterations });
    this.queue(() => store.put(record));
  }

  /** @param {"done" | "cancelled" | "failed"} how */
  finish(how) {
    goesOn(this, false);
    clearInterval(this.timer);
    noteRun(null);
    const { result } = this.lab;
    const { current } = this;
    this.current = null;
    // What was only shown again is kept already; the default is what the page opens with.
    if (result?.at) return;
    const id = current?.id ?? store.unique();
    const common = { id, tab: TAB, at: Date.now() };
    const start = this.lab.engine.complete({});
    const isDefault = !("errors" in start) && result?.link === start.link;
    if (how === "done" && result && !isDefault) {
      const { report, json, link } = result;
      const ways = result.run.points.length * (result.run.points[0]?.places.byteLength ?? 0);
      const run = ways <= WAYS ? result.run : { ...result.run, scene: null, points: [] };
      this.unsaved.push({ ...common, state: "done", run, report, json });
      // Runs may end faster than they can be saved, and no more than the last are kept.
      if (this.unsaved.length > store.MOST) this.unsaved.shift();
      this.queue(async () => {
        const next = this.unsaved.shift();
        if (next) await store.put(next);
      });
    } else if (how === "cancelled" && current && current.run.points.length > 1) {
      this.queue(() => store.put({ ...current, ...common, state: "cancelled" }));
    } else if (current) {
      this.queue(() => store.remove(id));
    }
    this.then(this.saving);
  }

  /** @param {() => Promise<unknown>} work */
  queue(work) {
    this.saving = this.saving.then(work).then(
      () => this.complain(""),
      (problem) => this.complain(errorMessage(problem)),
    );
  }

  /** @param {Promise<unknown>} work */
  then(work) {
    work.then(
      () => {
        this.others.postMessage(null);
        this.refresh();
      },
      (problem) => this.complain(errorMessage(problem)),
    );
  }

  /** @param {string} problem */
  complain(problem) {
    this.problem.hidden = problem === "";
    this.problem.textContent = `Results are not kept: ${problem}. All else works.`;
  }

  /** Shows what is kept, by this tab and others; returns it. */
  refresh() {
    this.outdated = true;
    this.refreshing ??= this.showAll().finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  /** Once more for all who asked meanwhile. */
  async showAll() {
    let kept = null;
    while (this.outdated) {
      this.outdated = false;
      kept = await this.showKept();
    }
    return kept;
  }

  async showKept() {
    try {
      const kept = await store.all();
      const alive = await livingTabs();
      const shown = kept.filter(({ state, tab }) => state !== "running" || !alive.includes(tab));
      const items = shown.map((record) => this.item(record));
      const strange = items.filter((item) => item === null).length;
      this.list.replaceChildren(...items.filter((item) => item !== null));
      if (strange > 0) this.list.append(el("li", {}, `${strange} more of another version of this page`));
      this.root.hidden = shown.length === 0;
      return kept;
    } catch (problem) {
      this.complain(errorMessage(problem));
      return null;
    }
  }

  /** Null if it is none of this version's. @param {Kept} record */
  item(record) {
    try {
      return this.itemOf(record);
    } catch {
      return null;
    }
  }

  /** @param {Kept} record */
  itemOf(record) {
    const { report, run, at } = record;
    const { dataset, attack, method, budget, iterations, seed } = run.spec;
    const name = typeof dataset === "string" ? dataset : dataset.name;
    const end = report ? `digest ${report.digest}` : ended(record);
    const how = method === "random" ? `random, ${attack}` : attack;
    const settings = `${name} · ${how} · budget ${budget} · ${iterationsOf(iterations)} · seed ${seed}`;
    const button = el(
      "button",
      { type: "button", "data-link": run.link },
      el("b", {}, settings),
      report ? el("span", {}, headline(report)) : "",
      el("small", {}, `${whenWords(at)} · ${end}`),
    );
    button.onclick = () => {
      this.lab.recall(record, report ? keptWords(record) : ended(record));
      $("results").scrollIntoView({ block: "start" });
      $("results").focus({ preventScroll: true });
    };
    return el("li", {}, button);
  }

  /**
   * Says that a reload cut a run short, and shows its curve.
   * @param {CutShort} cut
   * @param {Kept[]} kept
   */
  explain(cut, kept) {
    const { lab } = this;
    const record = kept.find(({ id }) => id === cut.id);
    const awaited = lab.complete?.link === cut.link && !lab.run && !lab.result;
    const where = record ? ended(record) : endedAt(cut.iteration, cut.iterations);
    if (awaited && record) lab.recall(record, where);
    if ($("lab").hidden) return;
    const again = () => {
      if (lab.complete?.link === cut.link) lab.start();
      else lab.openLink(cut.link);
    };
    const curve = record ? " The curve so far is kept." : "";
    notice(`${where}, when the page was left.${curve}`, "", "run", {
      text: "Run it again",
      run: again,
    });
  }
}

/** @param {Kept} record */
const ended = ({ state, run }) =>
  endedAt(
    run.points.at(-1)?.iteration ?? null,
    run.spec.iterations,
    state === "cancelled" ? "Cancelled" : "Interrupted",
  );

/**
 * @param {number | null} iteration
 * @param {number} iterations
 */
const endedAt = (iteration, iterations, how = "Interrupted") =>
  iteration === null ? `${how} before the first iteration` : `${how} at iteration ${iteration} of ${iterations}`;

/** @param {number} at */
const whenWords = (at) =>
  new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** @param {Kept} record */
const keptWords = ({ at }) => `Kept since ${whenWords(at)}, not computed again: press Run to check it.`;

/** The tabs that hold their lock; none where there are no locks. */
async function livingTabs() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.map(({ name }) => name ?? "");
}
