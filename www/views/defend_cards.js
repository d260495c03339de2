/** The pictures and tables of a study of defences. Rust draws; this file formats numbers. */

import { onLookChange, onPoint, resize, style } from "../ui/charts.js";
import { el } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { DefenceStudy, JobResult, Problem, Rankings } from "../engine/types.js" */
/** @import { View } from "./defend.js" */

/** @param {number | null | undefined} value */
const n = (value) => views.metricDigits(value ?? NaN);

/** @type {Record<string, string>} */
const ATTACKERS = {
  standard: "Standard attacker",
  copied: "Copies rows of other tasks",
  q75: "Stays among the clean norms",
  through_cap: "Goes through the cap",
  single_task: "Attacks single-task learning",
};

/** A card with a picture, and its table behind a disclosure. */
class PictureCard {
  /**
   * @param {View} view
   * @param {"caps" | "filters" | "rankings"} picture
   * @param {string} title
   * @param {string} lead
   */
  constructor(view, picture, title, lead) {
    this.view = view;
    this.picture = picture;
    this.title = title;
    /** The point that is pointed at. @type {number | null} */
    this.cursor = null;
    /** The number of the attacker whose points are ranked. */
    this.attacker = 0;
    const id = `defend-${picture}`;
    this.canvas = el("canvas", { role: "img", "data-testid": id });
    this.box = el("div", { class: "picture-box" }, this.canvas);
    this.readout = el("p", { class: "readout", "aria-live": "polite", "data-testid": `${id}-readout` });
    this.table = el("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": `${title}, table`,
      "data-testid": `${id}-table`,
    });
    this.details = el(
      "details",
      { ontoggle: () => this.fill() },
      el("summary", {}, "Show as table"),
      this.table,
    );
    const item = (/** @type {"png" | "svg"} */ format) =>
      el(
        "button",
        { type: "button", "data-testid": `${id}-${format}`, onclick: () => this.save(format) },
        `Image (${format.toUpperCase()})`,
      );
    this.head = el(
      "div",
      { class: "card-head" },
      el("h2", { id: `${id}-title` }, title),
      el(
        "details",
        { class: "menu", name: "menu", "data-testid": `${id}-menu` },
        el("summary", { "aria-label": `Save: ${title}` }, "Save"),
        el("div", {}, item("png"), item("svg")),
      ),
    );
    this.root = el(
      "section",
      { class: "card", "aria-labelledby": `${id}-title` },
      this.head,
      el("p", { class: "lead" }, lead),
      this.box,
      this.readout,
      this.details,
    );
    onLookChange(this.box, () => this.draw());
  }

  get options() {
    const { picture, attacker, cursor } = this;
    return { picture, attacker, cursor };
  }

  /** @param {DefenceStudy} study */
  show(study) {
    this.study = study;
    this.canvas.setAttribute("aria-label", this.summary(study));
    this.fill();
    this.draw();
  }

  /** One sentence for screen readers. @param {DefenceStudy} study */
  summary(study) {
    const { done, jobs, verdict, findings } = study;
    const state = done < jobs ? `${done} of ${jobs} jobs are done.` : [verdict, ...findings].join(" ");
    return `${this.title}. ${state}`;
  }

  draw() {
    const sweep = this.view.study?.sweep;
    const width = this.box.clientWidth;
    if (!sweep || !this.study || width < 50) return;
    const look = style(false);
    resize(this.canvas, width, sweep.height(this.options, width), look.scale);
    sweep.draw(this.canvas, this.options, look);
  }

  fill() {
    if (this.details.open && this.study) this.table.replaceChildren(...this.tables(this.study));
  }

  /** @param {DefenceStudy} _study @returns {Node[]} */
  tables(_study) {
    return [];
  }

  /** @param {"png" | "svg"} format */
  async save(format) {
    const { saveStudy } = await import("./export.js");
    const { view, title, picture, options } = this;
    const { study } = view;
    if (study)
      await saveStudy(study, view.engine.version, { ...options, cursor: null }, format, title, picture);
  }
}

export class CapCard extends PictureCard {
  /** @param {View} view */
  constructor(view) {
    super(
      view,
      "caps",
      "From single-task to multi-task learning",
      "A pull cap limits how hard other tasks can pull at a task. Where no target holds poisoned points, it " +
        "comes with a certificate: whatever other tasks contain, the error stays below that line.",
    );
    this.canvas.tabIndex = 0;
    onPoint(
      this.canvas,
      (event) => this.point(event.offsetX),
      () => this.moveTo(null),
    );
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** @override @param {DefenceStudy} study */
  show(study) {
    super.show(study);
    this.read();
  }

  /** @param {number} x in CSS pixels */
  point(x) {
    const { DefenceSweep } = this.view.extras;
    const [left = 0, , width = 1] = DefenceSweep.caps_layout(this.box.clientWidth);
    const last = (this.study?.caps.length ?? 1) - 1;
    this.moveTo(Math.min(Math.max(Math.round(((x - left) / width) * last), 0), last));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const last = (this.study?.caps.length ?? 1) - 1;
    const now = this.cursor ?? -1;
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.moveTo(null);
    if (next === undefined) return;
    event.preventDefault();
    this.moveTo(Math.min(Math.max(next, 0), last));
  }

  /** @param {number | null} cursor */
  moveTo(cursor) {
    if (cursor === this.cursor) return;
    this.cursor = cursor;
    this.read();
    this.draw();
  }

  read() {
    const point = this.study?.caps[this.cursor ?? -1];
    this.readout.textContent = point
      ? `${name(point)}: clean ${n(point.clean)}, standard attack ${n(point.standard)}, ` +
        `attacker who knows it ${n(point.knowing)}, certified ${n(point.certified)}`
      : "";
  }

  /** @override @param {DefenceStudy} study */
  tables({ caps, metric_name: metric }) {
    const rows = caps.map((point) => [
      name(point),
      n(point.clean),
      n(point.standard),
      n(point.knowing),
      n(point.certified),
      point.binds === null ? "" : String(point.binds),
    ]);
    const heads = [
      "Learner",
      "Clean",
      "Standard attack",
      "Attacker who knows it",
      "Certified",
      "Targets that the cap holds back",
    ];
    const { short, long } = views.METRICS[metric];
    return [views.table(heads, rows, `${short} (${long}) of the targets`)];
  }
}

/** @param {DefenceStudy["caps"][number]} point */
function name({ learner, pull_cap: cap }) {
  if (cap !== null) return `μ = ${cap}`;
  return learner === "single_task" ? "Single-task learning" : "Multi-task learning";
}

export class FilterCard extends PictureCard {
  /** @param {View} view */
  constructor(view) {
    super(
      view,
      "filters",
      "Filters",
      "A filter drops suspicious training points. The green bar is its price: the error without any attack. " +
        "The last bar is the worst of the attackers who know that filters look at norms and distances.",
    );
  }

  /** @override @param {DefenceStudy} study */
  tables(study) {
    const { short } = views.METRICS[study.metric_name];
    const attackers = study.undefended.against.map(({ attacker }) => ATTACKERS[attacker] ?? attacker);
    const lines = [
      { title: "No defence", clean: study.undefended.clean, price: null, against: study.undefended.against },
      {
        title: "Single-task learning",
        clean: study.single_task.clean,
        price: null,
        against: study.single_task.against.slice(0, attackers.length),
      },
      ...study.sanitisers,
    ];
    const rows = lines.map(({ title, clean, price, against }) => [
      title,
      n(clean),
      price === null ? "" : views.changeDigits(price),
      ...attackers.map((_, k) => {
        const { attacked, dropped } = against[k] ?? {};
        const counts = dropped
          ? ` (caught ${dropped.caught} of ${dropped.injected}, lost ${dropped.lost})`
          : "";
        return `${n(attacked)}${counts}`;
      }),
    ]);
    rows.splice(1, 0, [
      "Exact removal (oracle)",
      n(study.oracle),
      "",
      ...attackers.map(() => n(study.oracle)),
    ]);
    const refused = study.sanitisers.flatMap(({ title, refused }) =>
      refused ? [el("p", {}, `${title}: not possible; ${refused}.`)] : [],
    );
    const heads = ["Defence", "Clean", "Price", ...attackers];
    return [
      views.table(heads, rows, `${short} of the targets; price: worse by, without an attack`),
      ...refused,
    ];
  }
}

export class RankingCard extends PictureCard {
  /** @param {View} view */
  constructor(view) {
    super(
      view,
      "rankings",
      "Can one see who is attacked?",
      "Each score ranks tasks or training points by suspicion. A ROC AUC of 1 finds the attacked ones, 0.5 " +
        "is chance. On clean data something always ranks first, too.",
    );
    this.select = el("select", { "aria-label": "Attacker", "data-testid": "defend-attacker" });
    this.select.onchange = () => {
      this.attacker = this.select.selectedIndex;
      if (this.study) this.show(this.study);
    };
    this.head.insertBefore(this.select, this.head.lastElementChild);
  }

  /** @override @param {DefenceStudy} study */
  show(study) {
    const names = study.rankings.map(({ attacker }) => ATTACKERS[attacker] ?? attacker);
    if (names.length !== this.select.length) {
      this.select.replaceChildren(...names.map((text) => el("option", {}, text)));
      this.attacker = Math.min(this.attacker, names.length - 1);
      this.select.selectedIndex = this.attacker;
    }
    super.show(study);
  }

  /** @override @param {DefenceStudy} study */
  tables(study) {
    const rankings = study.rankings[this.attacker];
    if (!rankings) return [];
    const { task_names: names } = study;
    const ranked = rankings.tasks.filter(({ attacked }) => attacked.length > 0);
    const scores = ranked.flatMap(({ score, clean, attacked }) => [
      [`${scoreName(score)}, clean`, ...clean.map(views.digits)],
      [`${scoreName(score)}, attacked`, ...attacked.map(views.digits)],
    ]);
    const tasks = names.map((_, task) => views.taskName(task, names));
    return [
      figures(rankings, "tasks", "Scores of tasks: how well they find the attacked ones"),
      figures(rankings, "points", "Scores of training points: how well they find the injected ones"),
      views.table(["Score", ...tasks], scores, "The scores of the tasks"),
    ];
  }
}

/** @param {string} score */
const scoreName = (score) =>
  ({
    own_loss: "Own training loss",
    left_out_gain: "Gain of the others when left out",
    mean_correlation: "Mean |correlation|, the paper's clue",
    known_correlation: "|Correlation| with a task known to be malicious",
    norm: "Norm",
    loss: "Training loss",
    vouch: "Distance to other tasks",
  })[score] ?? score;

/** @param {Rankings} rankings @param {"tasks" | "points"} of @param {string} caption */
function figures(rankings, of, caption) {
  const two = (/** @type {number | null} */ value) => views.twoDecimals(value ?? NaN).replace("NaN", "–");
  const rows = rankings[of].map(({ score, figures }) => [
    scoreName(score),
    two(figures.roc_auc),
    two(figures.precision),
  ]);
  return views.table(["Score", "ROC AUC", "Precision"], rows, caption);
}

/** The jobs of the study, with links to the lab. */
export class JobList {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.box = el("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "Runs of the study",
      "data-testid": "defend-runs",
    });
    this.root = el(
      "details",
      { class: "card", ontoggle: () => this.fill() },
      el("summary", {}, el("h2", {}, "Runs, with links to the Lab")),
      this.box,
    );
  }

  show() {
    this.fill();
  }

  fill() {
    const { study } = this.view;
    if (!this.root.open || !study) return;
    const rows = study.jobs.map(({ title, link }, job) => {
      const result = study.results[job];
      const name = title.replace(/^./, (letter) => letter.toUpperCase());
      return [el("a", { href: `#${link}` }, name), outcome(result), converged(result)];
    });
    this.box.replaceChildren(
      views.table(["Run", "Clean → attacked", "Converged"], rows, "Runs of the study"),
    );
  }
}

/** @param {JobResult | Problem | undefined} result */
function outcome(result) {
  if (!result) return "not run";
  return "digest" in result ? `${n(result.clean)} → ${n(result.attacked)}` : result.message;
}

/** @param {JobResult | Problem | undefined} result */
const converged = (result) => (result && "digest" in result ? (result.converged ? "yes" : "no") : "");
