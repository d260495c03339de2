/** The card "Poisoned points in feature space": a 2D projection by iteration. Rust does the drawing. */

import { errorMessage } from "../core/words.js";
import { once } from "../core/once.js";
import { onLookChange, oncePerFrame, resize, style } from "../ui/charts.js";
import { el } from "../ui/dom.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Extras } from "../engine/extras.js" */
/** @import { ByHand } from "./by_hand.js" */
/** @import { RunState, Scene } from "../engine/types.js" */

/** Milliseconds: duration of the animation, and bounds for one of its steps. */
const PLAY = { duration: 6000, shortest: 60, longest: 400 };

export class Projection {
  /**
   * @param {Extras} pictures
   * @param {HTMLElement} box
   * @param {(iteration: number) => void} onIteration called when the user or the animation changes the iteration
   * @param {Session} session
   */
  constructor(pictures, box, onIteration, session) {
    this.pictures = pictures;
    this.root = box;
    /** While points are moved by hand. @type {ByHand | null} */
    this.hand = null;
    this.onIteration = onIteration;
    /** @type {RunState | null} */
    this.run = null;
    /** @type {InstanceType<Extras["PointsPicture"]> | null} */
    this.picture = null;
    /** Number of iterations passed to the picture. */
    this.count = 0;
    this.iteration = 0;
    this.timer = 0;
    /** @type {(playing: boolean) => void} */
    this.onPlay = () => {};
    /** Names of the tasks. @type {string[]} */
    this.names = [];
    this.drawSoon = oncePerFrame(() => this.draw());

    this.canvas = el("canvas", { role: "img", "data-testid": "where-picture" });
    this.canvasBox = el("div", { class: "picture-box" }, this.canvas);
    this.slider = el("input", { type: "range", min: 0, value: 0, "data-testid": "where-slider" });
    this.slider.setAttribute("aria-label", "Displayed iteration");
    this.slider.oninput = () => this.choose(Number(this.slider.value));
    this.shown = el("output", { "data-testid": "where-iteration" });
    const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {() => void} */ go) =>
      el("button", { type: "button", "data-testid": `where-${id}`, onclick: go }, text);
    this.back = button("back", "Back", () => this.choose(this.iteration - 1));
    this.play = button("play", "Play", () => this.toggle());
    this.play.classList.add("motion");
    this.next = button("next", "Next", () => this.choose(this.iteration + 1));
    this.tasks = el("select", { "data-testid": "where-task" });
    this.tasks.onchange = () => this.draw();
    this.choice = el("label", {}, "Poisoned points in ", this.tasks);
    const byHand = once(async () => new (await import("./by_hand.js")).ByHand(session, this));
    this.handButton = el("button", { type: "button", id: "by-hand", "data-testid": "by-hand" });
    this.handButton.onclick = async () => {
      if (this.hand) return this.hand.stop();
      try {
        const hand = await byHand();
        await hand.start();
        // On a phone the answers come above the points.
        if (matchMedia("(max-width: 760px)").matches) box.closest("details")?.scrollIntoView();
        hand.grip.focus({ preventScroll: true });
      } catch (problem) {
        session.notice(`${errorMessage(problem)}. Check the connection, then press again.`, "bad", "hand");
      }
    };
    this.text = el("p", { "data-testid": "where-words" });
    this.note = el("p", { class: "hint" });
    this.table = el("div", {
      class: "scroll",
      tabindex: 0,
      role: "region",
      "aria-label": "Poisoned points, table",
      "data-testid": "where-table",
    });
    this.details = el("details", {}, el("summary", {}, "Show as table"), this.table);
    this.details.ontoggle = () => this.fillTable();
    box.append(
      this.canvasBox,
      el(
        "div",
        { class: "where-controls" },
        this.choice,
        el("div", { class: "where-steps" }, this.shown, this.slider),
        el("div", { class: "actions" }, this.back, this.play, this.next),
        el("div", { class: "actions hand-row" }, this.handButton),
        this.text,
        this.note,
      ),
      this.details,
    );
    onLookChange(this.canvasBox, () => this.draw());
  }

  get last() {
    return Math.max(this.count - 1, 0);
  }

  /** Adds the new iterations of a run and shows the latest. @param {RunState} run */
  follow(run) {
    if (this.run !== run) {
      this.pause();
      this.run = run;
      this.picture?.free();
      this.picture = null;
      this.count = 0;
    }
    const { scene, points } = run;
    if (!scene) return;
    if (!this.picture) {
      this.picture = new this.pictures.PointsPicture(scene);
      this.describe(scene);
    }
    for (const point of points.slice(this.count)) this.picture.add(point.places);
    this.count = points.length;
    this.iteration = this.last;
    this.show();
  }

  /** Fills the choice of tasks and the note. @param {Scene} scene */
  describe({ attackers, injected, clean, count, classes }) {
    const all = el("option", { value: "" }, attackers.length > 1 ? "all attacking tasks" : "");
    const each = attackers.map((task) => el("option", { value: task }, views.taskName(task, this.names)));
    this.tasks.replaceChildren(...(attackers.length > 1 ? [all] : []), ...each);
    this.choice.hidden = attackers.length < 2;
    const shown = injected.length / 2;
    this.note.textContent =
      "Horizontal: a direction used by the model of the target tasks. Vertical: the orthogonal direction " +
      "of largest variance. The projection depends on the clean data only. It shows at most 400 clean points" +
      (shown < count ? ` and ${shown} of ${count} poisoned points.` : ".") +
      (classes ? "" : " Colour shows the label.");
    this.total = { clean: clean.length / 4, injected: shown };
  }

  /** Shows the iteration selected in another view. @param {number} iteration */
  moveTo(iteration) {
    if (iteration === this.iteration || iteration > this.last) return;
    this.iteration = iteration;
    this.show();
  }

  /** Shows the iteration selected here. @param {number} iteration */
  choose(iteration) {
    this.pause();
    this.step(iteration);
  }

  /** @param {number} iteration */
  step(iteration) {
    this.iteration = Math.min(Math.max(iteration, 0), this.last);
    this.show();
    this.onIteration(this.iteration);
  }

  /** Starts or stops the animation. */
  toggle() {
    if (this.timer) this.pause();
    else this.animate();
  }

  animate() {
    if (this.last === 0) return;
    if (this.iteration === this.last) this.step(0);
    const pace = Math.min(Math.max(PLAY.duration / this.last, PLAY.shortest), PLAY.longest);
    this.play.textContent = "Pause";
    this.onPlay(true);
    this.timer = setInterval(() => {
      if (this.iteration < this.last) this.step(this.iteration + 1);
      else this.pause();
    }, pace);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "Play";
    this.onPlay(false);
  }

  show() {
    const { iteration, last } = this;
    this.slider.max = String(last);
    this.slider.value = String(iteration);
    this.slider.setAttribute("aria-valuetext", `iteration ${iteration} of ${last}`);
    this.shown.textContent = iteration ? `Iteration ${iteration} of ${last}` : "Random start";
    this.slider.disabled = this.play.disabled = last === 0;
    this.back.disabled = iteration === 0;
    this.next.disabled = iteration === last;
    const { spec, scene } = this.run ?? {};
    this.handButton.hidden = !scene?.injected.length || spec?.injected_features === "copied";
    this.handButton.textContent = this.hand ? "Back to the attack" : "Move points by hand";
    this.handButton.setAttribute("aria-pressed", String(this.hand !== null));
    this.text.textContent = this.sentence();
    this.canvas.setAttribute(
      "aria-label",
      `2D projection of ${this.total?.clean} clean and ${this.total?.injected} poisoned points. ${this.sentence()}`,
    );
    this.fillTable();
    this.drawSoon();
  }

  sentence() {
    const point = this.run?.points[this.iteration];
    const count = this.total?.injected ?? 0;
    if (!point || count === 0) return "There are no poisoned points.";
    const points = count === 1 ? "the poisoned point" : `the ${count} poisoned points`;
    const surface =
      point.on_surface === count
        ? "all on the surface of the ball"
        : `${point.on_surface} of them on the surface of the ball`;
    if (this.iteration === 0) return `At the random start, ${points} are not optimised; ${surface}.`;
    return `By iteration ${this.iteration}, ${points} moved by ${views.digits(point.moved)} on average; ${surface}.`;
  }

  fillTable() {
    const { run } = this;
    const [from, to] = [run?.points[0]?.places, run?.points[this.iteration]?.places];
    if (!this.details.open || !run?.scene || !from || !to) return;
    const { injected, along, across } = run.scene;
    const rows = Array.from({ length: injected.length / 2 }, (_, k) => [
      views.taskName(injected[2 * k] ?? 0, this.names),
      ...[injected[2 * k + 1], from[2 * k], from[2 * k + 1], to[2 * k], to[2 * k + 1]].map((value) =>
        views.digits(value ?? NaN),
      ),
    ]);
    const heads = ["Task", "Label", "Start: along", "Start: across", "Now: along", "Now: across"];
    const caption = `Poisoned points at iteration ${this.iteration}; along: ${along}; ${across}`;
    this.table.replaceChildren(views.table(heads, rows, caption));
  }

  /** Where the plane lies in the plot: left, top and side in CSS pixels, half a side in the plane. */
  frame() {
    return this.picture?.frame(this.canvasBox.clientWidth) ?? new Float64Array(4);
  }

  draw() {
    const width = this.canvasBox.clientWidth;
    if (!this.picture || width < 50) return;
    if (this.hand) return this.hand.draw(width);
    const look = style(false);
    resize(this.canvas, width, this.pictures.points_height(width), look.scale);
    const task = this.choice.hidden || this.tasks.value === "" ? undefined : Number(this.tasks.value);
    this.picture.draw(this.canvas, this.iteration, task, look);
  }
}
