/**
 * A game: somebody poisoned one task to spoil others. Find it from the learned correlations before and after,
 * then see. Loaded on demand; a worker runs the attack.
 */

import "../style/columns.css";
import "../style/defender.css";
import { syntheticSource } from "../core/sources.js";
import { errorMessage } from "../core/words.js";
import { Solver } from "../engine/solver.js";
import { Heatmaps } from "../ui/charts.js";
import { el } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Report } from "../engine/types.js" */

/** As in the tour: few training points, so that the attack has a clear effect. */
const SMALL = { train_per_task: 12, lambda1: 0.001, lambda2: 0.01, attack: "indirect", budget: 0.5 };
const SEEDS = 1000;
/** An attack that raises the error by less than this share gives nobody a reason to look: another one is played. */
const NOTICED = 0.05;
const TRIES = 20;

/** @param {number} count a whole number below it, by chance */
const chance = (count) => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % count;

/** @param {Session} session */
export async function openDefender(session) {
  const game = new Defender(session);
  document.body.append(game.dialog);
  game.dialog.showModal();
  await game.round();
}

class Defender {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.solver = new Solver(session.engine.module);
    this.played = 0;
    this.found = 0;
    /** @type {Report | null} */
    this.report = null;
    this.link = "";
    this.status = el("p", { role: "status", class: "defender-status", "data-testid": "defend-status" });
    this.choice = el("div", { class: "actions", role: "group", "aria-label": "Which task was poisoned?" });
    this.readout = el("p", { class: "readout", "aria-live": "polite" });
    this.box = el("div", { class: "heatmaps", "data-testid": "defend-maps" });
    this.maps = new Heatmaps(session.engine, this.box, (cell) => {
      const maps = this.maps.shown.map(({ map }) => map);
      this.readout.textContent = cell ? views.cellText(maps, cell, this.maps.tasks) : "";
    });
    this.tables = el("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "Correlations, tables",
    });
    const button = (
      /** @type {string} */ id,
      /** @type {string} */ text,
      /** @type {() => void} */ onclick,
    ) => el("button", { type: "button", "data-testid": `defend-${id}`, onclick }, text);
    this.again = button("again", "Another round", () => this.round());
    this.again.classList.add("primary");
    this.toLab = button("lab", "Open this run in the Lab", () => this.open());
    const close = button("close", "Close", () => this.dialog.close());
    this.dialog = el(
      "dialog",
      { class: "mapper defender", "aria-labelledby": "defend-title", "data-testid": "defender" },
      el(
        "form",
        { method: "dialog" },
        el("h2", { id: "defend-title" }, "Find the poisoned task"),
        el("p", { class: "lead", "data-testid": "defend-story" }),
        this.choice,
        this.status,
        this.box,
        this.readout,
        el("details", {}, el("summary", {}, "Show as tables"), this.tables),
        el("div", { class: "mapper-end" }, el("div", { class: "actions" }, this.again, this.toLab, close)),
      ),
    );
    this.story = this.dialog.querySelector(".lead");
    this.dialog.onclose = () => {
      this.solver.close();
      this.dialog.remove();
    };
  }

  /** Poisons a task, and shows the correlations. */
  async round() {
    this.report = null;
    this.again.hidden = this.toLab.hidden = true;
    this.choice.replaceChildren();
    this.status.textContent = "Somebody is poisoning a task …";
    try {
      for (let k = 0; k < TRIES; k++) {
        const report = await this.attack();
        const isLast = k === TRIES - 1;
        if (isLast || report.attacked.metric > (1 + NOTICED) * report.clean.metric) return this.show(report);
      }
    } catch (problem) {
      this.status.textContent = errorMessage(problem);
      this.again.hidden = false;
    }
  }

  /** An attack on the first tasks by one of the others. @returns {Promise<Report>} */
  async attack() {
    const targets = [0, 1, 2];
    const attackers = [targets.length + chance(5)];
    const complete = this.session.engine.complete({ ...SMALL, targets, attackers, seed: 1 + chance(SEEDS) });
    if ("errors" in complete) throw complete.errors[0];
    const { spec, link } = complete;
    this.link = link;
    return new Promise((onDone, onError) =>
      this.solver.run(spec, syntheticSource(spec), { onDone, onError }),
    );
  }

  /** @param {Report} report */
  show(report) {
    this.report = report;
    const { spec, task_names: names, clean, attacked, injected } = report;
    const { short } = views.METRICS[report.metric_name];
    if (this.story) {
      const targets = views.tasksText(spec.targets);
      this.story.textContent =
        `The test error of ${targets} went from ${views.metricDigits(clean.metric)} to ` +
        `${views.metricDigits(attacked.metric)} (${short}). Somebody added ${injected} points to one of the ` +
        "other tasks. You have the correlations that were learned before, and those of today.";
    }
    const others = names.map((_, task) => task).filter((task) => !spec.targets.includes(task));
    this.choice.replaceChildren(
      ...others.map((task) => {
        const attributes = { type: "button", "data-testid": `defend-T${task + 1}` };
        const button = el("button", attributes, views.taskName(task));
        button.onclick = () => this.reveal(task);
        return button;
      }),
    );
    this.status.textContent = "Which task was poisoned?";
    this.draw(false);
    const [first] = this.choice.children;
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  }

  /** @param {boolean} revealed */
  draw(revealed) {
    const { report } = this;
    if (!report) return;
    const { spec, clean, attacked, task_names: names } = report;
    const m = names.length;
    const roles = { targets: spec.targets, attackers: revealed ? spec.attackers : [] };
    const map = (
      /** @type {string} */ name,
      /** @type {string} */ title,
      /** @type {Float64Array} */ values,
      openEnded = false,
    ) => ({ name, title, values, openEnded, roles });
    const change = attacked.correlation.map((value, k) => value - (clean.correlation[k] ?? NaN));
    const maps = [
      map("before", "Before", clean.correlation),
      map("today", "Today", attacked.correlation),
      ...(revealed ? [map("change", "Change", change, true)] : []),
    ];
    this.maps.show(maps, m, spec, (one) => views.heatmapSummary(one, m));
    this.tables.replaceChildren(...views.correlationTables(maps, m));
  }

  /** @param {number} guess */
  reveal(guess) {
    const { report } = this;
    if (!report) return;
    const [poisoned = 0] = report.spec.attackers;
    const right = guess === poisoned;
    this.played++;
    this.found += Number(right);
    for (const button of this.choice.querySelectorAll("button")) {
      button.disabled = true;
      const isPoisoned = button.textContent === views.taskName(poisoned);
      button.classList.toggle("poisoned", isPoisoned);
    }
    const most = mostChanged(report);
    const name = views.taskName(poisoned);
    this.status.textContent =
      `${right ? `Right: it was ${name}.` : `No: it was ${name}, not ${views.taskName(guess)}.`} ` +
      (most === poisoned
        ? `Its row changed most of all.`
        : `The row of ${views.taskName(most)} changed even more: the map alone misleads here.`) +
      ` Found: ${this.found} of ${this.played}.`;
    this.draw(true);
    this.again.hidden = this.toLab.hidden = false;
    this.again.focus({ preventScroll: true });
  }

  open() {
    this.dialog.close();
    location.hash = `#${this.link}`;
  }
}

/** The task whose correlations with the others changed most in sum. @param {Report} report */
function mostChanged({ clean, attacked, task_names: names }) {
  const m = names.length;
  const changes = names.map((_, i) =>
    names.reduce((sum, _, j) => {
      const [before, after] = [clean.correlation[i * m + j] ?? NaN, attacked.correlation[i * m + j] ?? NaN];
      return sum + Math.abs(after - before);
    }, 0),
  );
  return changes.indexOf(Math.max(...changes));
}
