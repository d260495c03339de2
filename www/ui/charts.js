/** Charts on canvases: size, pixel ratio, theme, pointer and keyboard. Rust does the drawing. */

import { el } from "./dom.js";

/** @import { Engine } from "../engine/engine.js" */
/** @import { Spec } from "../engine/types.js" */

/**
 * @typedef {{
 *   metric: number[], utility: number[], cleanMetric: number | null, metricName: "nmse" | "auc",
 *   iterations: number, spec: Spec, perTask: () => ArrayLike<number>, baselines?: [number, number, number],
 * }} CurveData
 * `perTask`: the metric of every task at every iteration, row-major; `baselines`: of single-task learning,
 * sanitised, certified; not a number where there is none.
 */

/**
 * @typedef {{
 *   name: string, title: string, values: Float64Array, openEnded: boolean,
 *   roles?: {targets: number[], attackers: number[]}, range?: number, legend?: string,
 * }} Heatmap
 * `roles`: overrides those of the specification; `range`: the end of its scale; `legend`: what its colours mean.
 */

const dark = matchMedia("(prefers-color-scheme: dark)");
/** Printed charts use the light theme. */
let onPaper = false;
/** @param {boolean} printing */
function print(printing) {
  onPaper = printing;
  // All maps are printed, so all are drawn.
  document.documentElement.toggleAttribute("data-printing", printing);
}
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));

/** Is the theme dark: that of an embedded view's link, else of the system? */
export const isDark = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : dark.matches;
};

/** @param {boolean} paperColors */
export const style = (paperColors) => ({
  scale: Math.min(Math.max(devicePixelRatio || 1, 0.5), 4),
  dark: isDark() && !onPaper,
  paper_colors: paperColors,
});

/**
 * Sets a canvas to a size in CSS pixels, at the device's resolution.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 */
export function resize(canvas, width, height, scale) {
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}

/**
 * Draws at most once per animation frame, however often it is requested.
 * @param {() => void} draw
 */
export function oncePerFrame(draw) {
  let queued = false;
  return () => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  };
}

/**
 * Redraws a chart when its width, the theme or the pixel ratio changes, and for printing.
 * @param {HTMLElement} element
 * @param {() => void} draw
 */
export function onLookChange(element, draw) {
  const redraw = oncePerFrame(draw);
  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
  dark.addEventListener("change", redraw);
  // Printing does not wait for an animation frame.
  addEventListener("beforeprint", draw);
  addEventListener("afterprint", redraw);
  const watchRatio = () => {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
      "change",
      () => {
        redraw();
        watchRatio();
      },
      { once: true },
    );
  };
  watchRatio();
}

/**
 * Points at a chart with mouse, pen or finger: a mouse points while it hovers; a tap holds until the next tap.
 * @param {HTMLElement} element
 * @param {(event: PointerEvent | MouseEvent) => void} point
 * @param {() => void} clear
 */
export function onPoint(element, point, clear) {
  let held = false;
  element.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") held = true;
    point(event);
  });
  element.addEventListener("click", (event) => {
    held = event instanceof PointerEvent && event.pointerType === "touch";
    point(event);
  });
  element.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && clear());
  element.addEventListener("blur", () => held || clear());
}

/** Metric and utility over the iterations of an attack. */
export class CurveChart {
  /**
   * @param {Engine} engine
   * @param {HTMLElement} box holds the canvas
   * @param {(iteration: number | null) => void} onCursor
   */
  constructor(engine, box, onCursor) {
    this.engine = engine;
    this.box = box;
    this.onCursor = onCursor;
    this.canvas = el("canvas", { role: "img", tabindex: 0, "aria-label": "no result yet" });
    box.append(this.canvas);
    /** @type {CurveData | null} */
    this.data = null;
    /** The iteration that is pointed at. @type {number | null} */
    this.cursor = null;
    /** The iteration that was chosen with a key, a click or a slider: the cursor returns to it. @type {number | null} */
    this.anchor = null;
    /** Draw one line per target task. */
    this.eachTarget = false;
    /** @type {number | null} the highlighted target */
    this.task = null;
    this.drawSoon = oncePerFrame(() => this.draw());
    onPoint(
      this.canvas,
      (event) => {
        this.point(event);
        if (event.type === "click") this.anchor = this.cursor;
      },
      () => this.moveTo(this.anchor),
    );
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    onLookChange(box, () => this.draw());
  }

  /**
   * @param {CurveData | null} data
   * @param {string} summary one sentence for screen readers
   */
  show(data, summary) {
    this.data = data;
    if (this.anchor !== null && this.anchor >= (data?.metric.length ?? 0)) this.choose(null);
    this.canvas.setAttribute("aria-label", summary);
    this.drawSoon();
  }

  draw() {
    const width = this.box.clientWidth;
    if (!this.data || width < 50) return;
    const look = style(false);
    const height = this.engine.curveLayout(width)[0] ?? 0;
    resize(this.canvas, width, height, look.scale);
    const { metric, utility, cleanMetric, metricName, iterations, spec, perTask, baselines } = this.data;
    const each = this.eachTarget ? Float64Array.from(perTask()) : new Float64Array();
    this.engine.drawCurve(this.canvas, Float64Array.from(metric), Float64Array.from(utility), each, {
      style: look,
      metric_name: metricName,
      clean_metric: cleanMetric,
      single_task: baselines?.[0] ?? null,
      sanitised: baselines?.[1] ?? null,
      certified: baselines?.[2] ?? null,
      iterations,
      attack: spec.attack,
      method: spec.method,
      cursor: this.cursor,
      tasks: this.eachTarget ? spec.targets : [],
      task: this.task,
    });
  }

  /** Highlights the line of a task, if it has one. @param {number | null} task */
  highlight(task) {
    this.task = task;
    if (this.eachTarget) this.drawSoon();
  }

  /** Moves the cursor to an iteration, to stay there. @param {number | null} iteration */
  choose(iteration) {
    this.anchor = iteration;
    this.moveTo(iteration);
  }

  /** @param {number | null} iteration */
  moveTo(iteration) {
    if (iteration === this.cursor) return;
    this.cursor = iteration;
    this.onCursor(iteration);
    this.drawSoon();
  }

  /** @param {PointerEvent | MouseEvent} event */
  point(event) {
    if (!this.data) return;
    const [, ...places] = this.engine.curveLayout(this.box.clientWidth);
    const last = Math.max(this.data.metric.length - 1, this.data.iterations, 1);
    for (const at of [0, 4]) {
      const [left = 0, top = 0, width = 1, height = 1] = places.slice(at, at + 4);
      const [x, y] = [event.offsetX - left, event.offsetY - top];
      if (x < -15 || x > width + 15 || y < -50 || y > height + 42) continue;
      const iteration = Math.round((x / width) * last);
      const inside = iteration >= 0 && iteration < this.data.metric.length;
      return this.moveTo(inside ? iteration : null);
    }
    this.moveTo(null);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const last = (this.data?.metric.length ?? 0) - 1;
    if (last < 0) return;
    const now = this.cursor ?? -1;
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.choose(null);
    if (next === undefined) return;
    event.preventDefault();
    this.choose(Math.min(Math.max(next, 0), last));
  }
}

/** Rows that Page Up and Page Down move by. */
const PAGE = 5;

/** Several correlation matrices of the same tasks, with a shared cursor. */
export class Heatmaps {
  /**
   * @param {Engine} engine
   * @param {HTMLElement} box holds the figures
   * @param {(cell: [number, number] | null) => void} onCursor
   */
  constructor(engine, box, onCursor) {
    this.engine = engine;
    this.box = box;
    this.onCursor = onCursor;
    /** @type {{canvas: HTMLCanvasElement, frame: HTMLElement, caption: HTMLElement, map: Heatmap}[]} */
    this.shown = [];
    /** @type {Spec | null} */
    this.spec = null;
    this.tasks = 0;
    this.paperColors = false;
    /** Short names of the tasks; empty: T1 to Tm. @type {string[]} */
    this.names = [];
    /** The map that the pointer or the keyboard is at. @type {HTMLCanvasElement | null} */
    this.pointed = null;
    /** @type {[number, number] | null} */
    this.cursor = null;
    /** @type {number | null} the task whose row and column are outlined */
    this.task = null;
    this.drawSoon = oncePerFrame(() => this.draw());
    onLookChange(box, () => this.draw());
  }

  /**
   * @param {Heatmap[]} maps
   * @param {number} tasks
   * @param {Spec} spec
   * @param {(map: Heatmap) => string} summary
   */
  show(maps, tasks, spec, summary) {
    this.spec = spec;
    this.tasks = tasks;
    this.task = null;
    this.moveTo(null);
    const same =
      maps.length === this.shown.length && maps.every((map, k) => map.name === this.shown[k]?.map.name);
    if (!same) {
      this.shown = maps.map((map) => this.figure(map));
      this.box.replaceChildren(...this.shown.map(({ frame }) => frame));
    }
    this.shown.forEach((shown, k) => {
      shown.map = maps[k] ?? shown.map;
      shown.caption.textContent = shown.map.title;
      shown.canvas.setAttribute("aria-label", summary(shown.map));
    });
    this.box.dataset.count = String(maps.length);
    this.drawSoon();
  }

  /** @param {Heatmap} map */
  figure(map) {
    const canvas = el("canvas", { role: "img", tabindex: 0, "data-map": map.name });
    onPoint(
      canvas,
      (event) => this.point(event),
      () => this.moveTo(null),
    );
    canvas.addEventListener("keydown", (event) => this.key(event));
    const caption = el("figcaption", {}, map.title);
    const frame = el("figure", { "data-of": map.name }, caption, canvas);
    return { canvas, frame, caption, map };
  }

  draw() {
    if (!this.spec) return;
    const look = style(this.paperColors);
    const { targets, attackers, budget } = this.spec;
    for (const { canvas, frame, map } of this.shown) {
      const width = frame.clientWidth;
      if (width < 50) continue;
      const height = this.engine.heatmapLayout(width, this.tasks)[0] ?? 0;
      resize(canvas, width, height, look.scale);
      this.engine.drawHeatmap(canvas, map.values, {
        style: look,
        tasks: this.tasks,
        ...(map.roles ?? { targets, attackers: budget > 0 ? attackers : [] }),
        title: map.legend ?? (map.openEnded ? "change in correlation" : "task correlation"),
        open_ended: map.openEnded,
        range: map.range ?? 1,
        cursor: this.cursor,
        task: this.task,
        names: this.names,
      });
    }
  }

  /**
   * Shows other values in a map.
   * @param {string} name
   * @param {Float64Array} values
   * @param {string} title
   */
  replace(name, values, title) {
    const shown = this.shown.find(({ map }) => map.name === name);
    if (!shown || shown.map.values === values) return;
    shown.map = { ...shown.map, values, title };
    shown.caption.textContent = title;
    this.drawSoon();
  }

  /** Where a cell lies in its map, in CSS pixels. @param {[number, number]} cell */
  placeOf([row, column]) {
    const width = this.pointed?.clientWidth ?? 0;
    const [, left = 0, top = 0, size = 1] = this.engine.heatmapLayout(width, this.tasks);
    return { left: left + column * size, top: top + row * size, size };
  }

  /** Outlines the row and the column of a task. @param {number | null} task */
  highlight(task) {
    if (task === this.task) return;
    this.task = task;
    this.drawSoon();
  }

  /** @param {[number, number] | null} cell */
  moveTo(cell) {
    if (String(cell) === String(this.cursor)) return;
    this.cursor = cell;
    this.onCursor(cell);
    this.drawSoon();
  }

  /** @param {PointerEvent | MouseEvent} event */
  point(event) {
    const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    this.pointed = canvas;
    const places = this.engine.heatmapLayout(canvas.clientWidth, this.tasks);
    const [, left = 0, top = 0, cell = 1] = places;
    const column = Math.floor((event.offsetX - left) / cell);
    const row = Math.floor((event.offsetY - top) / cell);
    const inside = row >= 0 && column >= 0 && row < this.tasks && column < this.tasks;
    this.moveTo(inside ? [row, column] : null);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Escape") return this.moveTo(null);
    const last = this.tasks;
    // As in a grid: Home and End in the row, with Control in the whole map; Page in the column.
    const step = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      Home: [event.ctrlKey ? -last : 0, -last],
      End: [event.ctrlKey ? last : 0, last],
      PageUp: [-PAGE, 0],
      PageDown: [PAGE, 0],
    }[event.key];
    if (!step) return;
    event.preventDefault();
    this.pointed = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    const [row, column] = this.cursor ?? [0, 0];
    const isArrow = event.key.startsWith("Arrow");
    const [down = 0, right = 0] = this.cursor || !isArrow ? step : [0, 0];
    const clamp = (/** @type {number} */ k) => Math.min(Math.max(k, 0), this.tasks - 1);
    this.moveTo([clamp(row + down), clamp(column + right)]);
  }
}
