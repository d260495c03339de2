/** One data set of a figure of the paper: findings, chart, tables, and the list of its runs. */

import { onLookChange, resize, style } from "../ui/charts.js";
import { el } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Measured, Planned, Problem } from "../engine/types.js" */
/** @import { View } from "./figures.js" */

/** @param {Measured | Problem | undefined} result @returns {result is Measured} */
export const isMeasured = (result) => result !== undefined && "digest" in result;

/** @param {Planned} planned */
export function runTitle({ title, spec }) {
  const random = spec.method === "random" ? " random" : "";
  return `${title}: ${spec.attack}${random}, budget ${Math.round(100 * spec.budget)} %, seed ${spec.seed}`;
}

export class DatasetCard {
  /** @param {View} view @param {string} dataset */
  constructor(view, dataset) {
    this.view = view;
    this.dataset = dataset;
    this.title = view.title(dataset);
    const id = (/** @type {string} */ part) => `figure-${part}-${dataset}`;
    this.canvas = el("canvas", { role: "img", "data-testid": id("picture") });
    this.box = el("div", { class: "picture-box" }, this.canvas);
    this.findings = el("ul", { class: "findings", "data-testid": id("findings") });
    this.numbers = this.disclosure("Show as tables", id("numbers"), () => this.tables());
    this.list = this.disclosure("Runs, with links to the Lab", id("runs"), () => [this.runTable()]);
    const item = (/** @type {"png" | "svg"} */ format) => {
      const label = `Image (${format.toUpperCase()})`;
      return el(
        "button",
        { type: "button", "data-testid": id(format), onclick: () => this.save(format) },
        label,
      );
    };
    const menu = el(
      "details",
      { class: "menu", name: "menu", "data-testid": id("menu") },
      el("summary", {}, "Save"),
      el("div", {}, item("png"), item("svg")),
    );
    this.root = el(
      "section",
      { class: "card", "aria-labelledby": id("title") },
      el("div", { class: "card-head" }, el("h2", { id: id("title") }, this.title), menu),
      this.findings,
      this.box,
      this.numbers.root,
      this.list.root,
    );
    onLookChange(this.box, () => this.draw());
  }

  /**
   * A disclosure that builds its content when opened.
   * @param {string} title
   * @param {string} id
   * @param {() => Node[]} content
   */
  disclosure(title, id, content) {
    const label = `${title}: ${this.title}`;
    const attributes = { class: "scroll", tabindex: 0, role: "region", "aria-label": label };
    const box = el("div", { ...attributes, "data-testid": id });
    const fill = () => root.open && box.replaceChildren(...content());
    const root = el("details", { ontoggle: fill }, el("summary", {}, title), box);
    return { root, fill };
  }

  refresh() {
    const { sweep, name, method, runs, results } = this.view;
    const findings = sweep?.findings(this.dataset) ?? [];
    this.findings.replaceChildren(...findings.map((sentence) => el("li", {}, sentence)));
    const mine = runs.map(({ dataset }, k) => dataset === this.dataset && k).filter((k) => k !== false);
    const done = mine.filter((k) => results[k]).length;
    const summary = `${name}, ${method.text}, ${this.title}: ${done} of ${mine.length} runs.`;
    this.canvas.setAttribute("aria-label", [summary, ...findings].join(" "));
    this.draw();
  }

  /** Updates disclosures that were opened during the sweep. */
  end() {
    this.numbers.fill();
    this.list.fill();
  }

  draw() {
    const { sweep, method } = this.view;
    const width = this.box.clientWidth;
    if (!sweep || width < 50) return;
    const look = style(false);
    resize(this.canvas, width, sweep.height(this.dataset, width), look.scale);
    sweep.draw(this.canvas, this.dataset, `${this.title}, ${method.text}`, look);
  }

  /** @param {"png" | "svg"} format */
  async save(format) {
    const { saveFigure } = await import("./export.js");
    await saveFigure(this.view, this.dataset, this.title, format);
  }

  tables() {
    const { sweep, about } = this.view;
    if (!sweep) return [];
    if (about.number === 3) {
      const rows = sweep.correlation_numbers(this.dataset);
      return rows.flatMap(({ title, before, after }) => {
        const maps = [
          { name: "before", title: `${title}: before the attack`, values: before, openEnded: false },
          { name: "after", title: `${title}: after the attack`, values: after, openEnded: false },
        ];
        return views.correlationTables(maps, Math.round(Math.sqrt(before.length)));
      });
    }
    const panels = sweep.panel_numbers(this.dataset);
    return panels.map(({ title, x_name, clean, series }) => {
      const heads = Array.from(series[0]?.x ?? [], String);
      const rows = series.map(({ name, mean, low, high }) => [
        name,
        ...Array.from(mean, (value, k) => {
          const [least = NaN, most = NaN] = [low[k], high[k]];
          const spread = least < most ? ` (${views.metricDigits(least)} to ${views.metricDigits(most)})` : "";
          return views.metricDigits(value) + spread;
        }),
      ]);
      return views.table([x_name, ...heads], rows, `${title}; clean ${views.metricDigits(clean)}`);
    });
  }

  runTable() {
    const rows = this.view.runs.flatMap((planned, k) => {
      if (planned.dataset !== this.dataset) return [];
      const result = this.view.results[k];
      const found = isMeasured(result) ? result : null;
      const digest = found ? `&e=${found.engine}&h=${found.data_sha256.slice(0, 12)}&r=${found.digest}` : "";
      const link = el("a", { href: `#${planned.link}${digest}` }, runTitle(planned));
      const ends = [found?.clean, found?.metric.at(-1)].map((value) => views.metricDigits(value ?? NaN));
      const outcome = found ? ends.join(" → ") : result && "message" in result ? result.message : "not run";
      return [[link, outcome, found ? (found.converged ? "yes" : "no") : ""]];
    });
    return views.table(["Run", "Clean → attacked", "Converged"], rows, `Runs on ${this.title}`);
  }
}
