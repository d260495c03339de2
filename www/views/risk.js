/**
 * The view "Risk": is the data at risk, which task can be used against which, and what does sharing cost? Of any
 * specification; of the published data sets the results are there at once.
 */

import "../style/figures.css";
import "../style/risk.css";
import { splitLabLink, viewAddress } from "../core/route.js";
import { once } from "../core/once.js";
import { errorMessage } from "../core/words.js";
import { loadExtras } from "../engine/extras.js";
import { Solver } from "../engine/solver.js";
import { el } from "../ui/dom.js";
import { curveContent, exposureContent, mapContent } from "./risk_contents.js";
import { RiskPart } from "./risk_part.js";

/** @import { Route } from "../core/route.js" */
/** @import { Engine } from "../engine/engine.js" */
/** @import { Extras } from "../engine/extras.js" */
/** @import { Complete, DatasetRef, Draft, Shape, Source } from "../engine/types.js" */
/** @import { PageContext } from "./compare.js" */
/** @import { Study } from "./risk_part.js" */

/** Fields of a specification that a study sets itself. */
const SET_BY_STUDY = ["attack", "attackers", "method", "sanitise", "sanitise_share", "starts", "knowledge"];

/** Data sets whose results come with the page. */
const PUBLISHED = ["synthetic", "landmine", "sarcos", "mnist"];

/** The published results of a data set as text; empty if there are none. @param {string} dataset */
async function publishedText(dataset) {
  if (!PUBLISHED.includes(dataset)) return "";
  const response = await fetch(`published/risk-${dataset}.json`);
  return response.ok ? response.text() : "";
}

/**
 * Loads its wasm module, then the view.
 * @param {Engine} engine
 * @param {PageContext} page
 */
export async function openRisk(engine, page) {
  return new RiskView(engine, await loadExtras(), page);
}

/** @typedef {RiskView} View */

class RiskView {
  /**
   * @param {Engine} engine
   * @param {Extras} extras
   * @param {PageContext} page
   */
  constructor(engine, extras, page) {
    this.engine = engine;
    this.extras = extras;
    this.page = page;
    /** The settings, without what the study sets itself. @type {Draft} */
    this.draft = {};
    /** The link of these settings; empty: of none. */
    this.link = "";
    /** What the address asked for. */
    this.asked = 0;
    /** @type {Shape | undefined} of an opened file */
    this.shape = undefined;
    /** The published results, if they are of these settings. @type {Study | null} */
    this.published = null;
    /** What is computed here. @type {Study | null} */
    this.study = null;
    /** Can jobs be run: is the data there? */
    this.canRun = false;
    this.datasetName = "";
    this.datasetKey = "";
    /** Data and settings, for exported pictures; the page shows less in a picture. */
    this.pictureTitle = "";
    this.shortTitle = "";
    /** @type {() => Promise<Source>} */
    this.source = () => Promise.reject(new Error("no data"));

    const title = (/** @type {string} */ part) => extras.risk_title(part);
    this.parts = [
      new RiskPart(this, "exposure", title("exposure"), exposureContent(title("exposure"))),
      new RiskPart(this, "map", title("map"), mapContent(this)),
      new RiskPart(this, "lambda2", title("lambda2"), curveContent("lambda2", title("lambda2"))),
      new RiskPart(this, "pull_cap", title("pull_cap"), curveContent("pull_cap", title("pull_cap"))),
    ];
    this.choice = el("nav", { class: "views risk-data", "aria-label": "Data of the risk study" });
    this.settings = el("p", { class: "lead", "data-testid": "risk-settings" });
    this.problem = el("div", {
      class: "field-error",
      role: "alert",
      hidden: true,
      "data-testid": "risk-problem",
    });
    this.cards = el("div", { class: "figure-cards" }, ...this.parts.map(({ root }) => root));
    this.root = el(
      "div",
      { class: "figure-view risk-view", "data-testid": "risk" },
      el(
        "section",
        { class: "card", "aria-labelledby": "risk-title" },
        el("h2", { id: "risk-title", tabindex: -1 }, "Which task endangers which?"),
        el(
          "p",
          {},
          "Tasks that learn together can be attacked through each other. Measured here: what poisoned points in " +
            "one task do to all others, and what helps.",
        ),
        this.choice,
        this.settings,
        this.problem,
      ),
      this.cards,
    );
  }

  /** The address of the view with these settings. */
  get address() {
    return viewAddress("risk", this.link);
  }

  /** Shows the specification of a link; empty: the default. @param {{lab: string}} route */
  async open({ lab }) {
    const asked = ++this.asked;
    this.showChoice("");
    const link = this.engine.readLink(`#${splitLabLink(lab).spec}`);
    if ("errors" in link) return this.fail(link.errors.map(({ message }) => message).join("; "));
    const draft = { ...link.draft };
    for (const name of SET_BY_STUDY) delete draft[name];
    const ref = /** @type {DatasetRef} */ (draft.dataset ?? "synthetic");
    const opened = typeof ref === "object" ? this.page.session.opened.get(ref.sha256) : undefined;
    if (typeof ref === "object" && !opened) {
      return this.fail(`Open the file ${ref.name} in the lab first. It stays on your computer`);
    }
    const complete = this.engine.complete(draft, opened?.description.shape);
    if ("errors" in complete) return this.fail(complete.errors.map(({ message }) => message).join("; "));
    this.problem.hidden = true;
    this.cards.hidden = false;
    this.showChoice(typeof ref === "string" ? ref : ref.name);
    if (complete.link === this.link) return;
    for (const part of this.parts) part.close();
    this.link = complete.link;
    this.draft = draft;
    this.shape = opened?.description.shape;
    this.datasetName = typeof ref === "string" ? ref : ref.name.replace(/\.[^.]*$/, "");
    this.datasetKey = typeof ref === "string" ? ref : ref.sha256;
    this.canRun = this.page.session.isThere(ref);
    this.showSettings(complete, ref);
    this.root.dataset.state = "loading";
    try {
      const { published, study } = await this.studies(complete, ref, draft);
      if (asked !== this.asked) return;
      const old = [this.published, this.study];
      this.published = published;
      this.study = study;
      for (const part of this.parts) part.reset(study);
      for (const one of old) one?.free();
      await Promise.all(this.parts.map((part) => part.restore()));
      if (asked !== this.asked) return;
      this.root.dataset.state = "ready";
      for (const part of this.parts) part.refresh();
      this.computeMissing(asked);
    } catch (problem) {
      if (asked !== this.asked) return;
      this.link = "";
      this.fail(errorMessage(problem));
    }
  }

  /**
   * The published study, if it is of these settings, and one for what is computed here.
   * @param {Complete} complete
   * @param {DatasetRef} ref
   * @param {Draft} draft
   * @returns {Promise<{published: Study | null, study: Study}>}
   */
  async studies(complete, ref, draft) {
    const { RiskStudy } = this.extras;
    const { session } = this.page;
    this.source = once(() => session.sourceFor(complete.spec));
    if (typeof ref === "string") {
      const base = this.engine.complete(ref === "synthetic" ? {} : { dataset: ref });
      const text =
        "link" in base && base.link === complete.link ? await publishedText(ref).catch(() => "") : "";
      if (text) {
        const study = RiskStudy.of_published(text);
        for (const { name } of this.parts) study.clear(name);
        return { published: RiskStudy.of_published(text), study };
      }
    }
    const solver = new Solver(this.engine.module);
    try {
      const description = await solver.load(await this.source());
      const { task_names, sha256: data_sha256, metric, shape } = description;
      const subject = { task_names, data_sha256, metric: ref === "synthetic" ? complete.metric : metric };
      return { published: null, study: new RiskStudy(draft, shape, subject) };
    } finally {
      solver.close();
    }
  }

  /** Computes what is not there, part after part; what takes long asks first. @param {number} asked */
  async computeMissing(asked) {
    for (const part of this.parts) {
      if (asked !== this.asked || !this.canRun) return;
      if (part.isComplete || part.pool || part.root.dataset.state === "kept") continue;
      await new Promise((resolve) => {
        part.onEnd = () => resolve(undefined);
        part.run(true, true);
      });
      part.onEnd = null;
      // The user cancelled, or it asks.
      if (part.root.dataset.state !== "done") return;
    }
  }

  /** @param {string} shown name of the data */
  showChoice(shown) {
    const { session } = this.page;
    const own = [...session.opened.values()].filter(({ reading }) => reading);
    const entries = [
      ...["synthetic", ...this.engine.published.map(({ name }) => name)].map((name) => ({
        name,
        title: this.titleOf(name),
        address: viewAddress("risk", name === "synthetic" ? "" : this.linkOf({ dataset: name })),
      })),
      ...own.map(({ description: { name, sha256, shape } }) => ({
        name,
        title: name,
        address: viewAddress("risk", this.linkOf({ dataset: { name, sha256 } }, shape)),
      })),
    ];
    this.choice.replaceChildren(
      ...entries.map(({ name, title, address }) =>
        el(
          "a",
          {
            href: address,
            "aria-current": name === shown ? "page" : null,
            "data-testid": `risk-data-${name}`,
          },
          title,
        ),
      ),
    );
  }

  /** @param {Draft} draft @param {Shape} [shape] */
  linkOf(draft, shape) {
    const complete = this.engine.complete(draft, shape);
    return "link" in complete ? complete.link : "";
  }

  /** @param {string} dataset */
  titleOf(dataset) {
    const published = this.engine.published.find(({ name }) => name === dataset);
    return published?.title.split(": ")[0] ?? "Synthetic";
  }

  /** @param {Complete} complete @param {DatasetRef} ref */
  showSettings({ spec, link }, ref) {
    const name = typeof ref === "string" ? this.titleOf(ref) : ref.name;
    const learner = spec.learner === "multi_task" ? "" : `, learner ${spec.learner.replace("_", "-")}`;
    this.shortTitle = `${name}, budget ${Math.round(100 * spec.budget)} %`;
    this.pictureTitle = `${this.shortTitle}, λ1 ${spec.lambda1}, λ2 ${spec.lambda2}${learner}, seed ${spec.seed}`;
    const change = el("a", { href: `#${link}`, "data-testid": "risk-to-lab" }, "Change them in the lab");
    const missing = this.canRun ? "" : " Not in this build: open its files in the lab to compute here.";
    this.settings.replaceChildren(`${this.pictureTitle}. `, change, missing && `.${missing}`);
  }

  /** The address of the run of a cell; empty: its settings are invalid. @param {number} attacker @param {number} target */
  cellAddress(attacker, target) {
    const tasks =
      attacker === target
        ? { attack: "direct", targets: [target] }
        : { attack: "indirect", targets: [target], attackers: [attacker] };
    const link = this.linkOf({ ...this.draft, ...tasks }, this.shape);
    return link && `#${link}`;
  }

  /** @param {string} text */
  fail(text) {
    for (const part of this.parts) if (part.pool) part.end("cancelled");
    this.root.dataset.state = "failed";
    this.cards.hidden = true;
    this.problem.hidden = false;
    this.problem.textContent = `${text}.`;
  }
}
