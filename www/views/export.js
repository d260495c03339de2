/** Files made from a result: images with embedded settings, tables, data, citation, iframe code. */

import { isDark } from "../ui/charts.js";
import { download, el } from "../ui/dom.js";
import { figureAddress } from "../core/route.js";
import { loadExtras } from "../engine/extras.js";
import { Solver } from "../engine/solver.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Results } from "./results.js" */
/** @import { Report, RunFile } from "../engine/types.js" */

/**
 * @typedef {{
 *   lab: Session, results: Results, result: NonNullable<Session["result"]>, address: string,
 * }} Shown
 * The result to export, and its address.
 */

/** Width of exported images in CSS pixels; they use the light theme. */
const WIDTH = 1000;
/** Width of an iframe, in CSS pixels. */
const FRAME_WIDTH = 900;
/** Sizes of an iframe for a slide: 16:9 and 4:3. @type {Record<string, {width: number, height: number}>} */
const SLIDES = { stage: { width: 960, height: 540 }, stage43: { width: 960, height: 720 } };
const look = (paperColors = false) => ({ scale: 2, dark: false, paper_colors: paperColors });

/** @type {Record<string, [RunFile, string]>} */
const RUN_FILES = {
  report: ["report", "report.json"],
  points: ["points", "points.csv"],
  poisoned: ["poisoned", "poisoned.csv"],
  trace: ["trace", "trace.csv"],
  correlations: ["correlations", "correlations.csv"],
};

/**
 * @param {Shown} shown
 * @param {string} what
 */
export async function save(shown, what) {
  const { report, kept } = shown.result;
  const file = RUN_FILES[what];
  if (file) {
    const [name, as] = file;
    const text = (name === "report" && kept?.json) || (await runFile(shown.lab, report, name));
    return download(as, new Blob([text], { type: name === "report" ? "application/json" : "text/csv" }));
  }
  switch (what) {
    case "spec": {
      const text = `${JSON.stringify(report.spec, null, 2)}\n`;
      return download("spec.json", new Blob([text], { type: "application/json" }));
    }
    case "bibtex":
      return download("patom-lab.bib", new Blob([bibtex(shown)], { type: "application/x-bibtex" }));
  }
  const [kind, format] = what.split("-");
  const { Sheet } = await loadExtras();
  const sheet = new Sheet(kind === "curve" ? curveSheet(shown) : heatmapSheet(shown));
  const name = kind === "curve" ? "curve" : "correlations";
  try {
    const canvas = el("canvas", { width: WIDTH * 2, height: Math.ceil(sheet.height() * 2) });
    const content = format === "svg" ? sheet.svg() : (sheet.draw(canvas), canvas);
    await savePicture(name, content, views.headline(report), noteOf(shown));
  } finally {
    sheet.free();
  }
}

/**
 * Saves a figure of the paper on one data set, with the runs that are done.
 * @param {import("./figures.js").View} view
 * @param {string} dataset
 * @param {string} dataTitle the data set's display name
 * @param {"png" | "svg"} format
 */
export async function saveFigure(
  { about, method, name, engine, runs, results, comparison },
  dataset,
  dataTitle,
  format,
) {
  const { Sweep } = await loadExtras();
  const seeds = new Set(runs.map(({ spec }) => spec.seed)).size;
  const sweep = new Sweep(about.number, method.word, [dataset], seeds);
  if (comparison) sweep.compare_with(comparison);
  try {
    runs
      .map((run, k) => (run.dataset === dataset ? [results[k]] : []))
      .flat()
      .forEach((result, k) => result && "digest" in result && sweep.add(k, result));
    const title = `${name} of the paper, ${dataTitle}, ${method.text}`;
    const canvas = el("canvas", { width: WIDTH * 2, height: Math.ceil(sweep.height(dataset, WIDTH) * 2) });
    const picture =
      format === "svg"
        ? sweep.svg(dataset, title, WIDTH, look())
        : (sweep.draw(canvas, dataset, title, look()), canvas);
    const link = `${location.href.split("#")[0]}${figureAddress(about.number, method.word)}&data=${dataset}&seeds=${seeds}`;
    const software = `PATOM Lab ${engine.version}`;
    const note = { software, link, digest: sweep.digest(), title: about.title };
    await savePicture(`figure${about.number}-${method.word}-${dataset}`, picture, title, note);
  } finally {
    sweep.free();
  }
}

/**
 * Saves a picture of a study of defences, with what is there of it.
 * @param {import("./defend.js").Study} study
 * @param {string} engine its version
 * @param {import("../pkg/extras.js").DefencePictureOptions} options
 * @param {"png" | "svg"} format
 * @param {string} title
 * @param {string} name without extension
 */
export async function saveStudy({ sweep, complete }, engine, options, format, title, name) {
  const found = sweep.study();
  const canvas = el("canvas", { width: WIDTH * 2, height: Math.ceil(sweep.height(options, WIDTH) * 2) });
  const picture =
    format === "svg" ? sweep.svg(options, WIDTH, look()) : (sweep.draw(canvas, options, look()), canvas);
  const link = `${location.href.split("#")[0]}#view=defend&${complete.link}`;
  const note = { software: `PATOM Lab ${engine}`, link, spec: found?.spec, digest: found?.digest };
  await savePicture(`defence-${name}`, picture, `${title}. ${found?.verdict ?? ""}`, note);
}

/**
 * @param {string} name without extension
 * @param {string | HTMLCanvasElement} picture SVG or pixels
 * @param {string} title
 * @param {Record<string, unknown>} note embedded in the file; its `link` opens the result
 */
export async function savePicture(name, picture, title, note) {
  const { into_png, into_svg } = await loadExtras();
  const text = JSON.stringify(note);
  if (typeof picture === "string") {
    return download(`${name}.svg`, new Blob([into_svg(picture, title, text)], { type: "image/svg+xml" }));
  }
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => picture.toBlob(resolve));
  if (!blob) throw { message: "the browser cannot create an image of this size" };
  const bytes = into_png(new Uint8Array(await blob.arrayBuffer()), title, text);
  download(`${name}.png`, new Blob([new Uint8Array(bytes)], { type: "image/png" }));
}

/** @param {Shown} shown */
function noteOf({ lab, result, address }) {
  const { spec, engine, data_sha256, digest } = result.report;
  return { software: `PATOM Lab ${lab.engine.version}`, link: address, spec, engine, data_sha256, digest };
}

/** @param {Shown} shown */
function footer({ result }) {
  const { spec, engine, digest } = result.report;
  const data = typeof spec.dataset === "string" ? spec.dataset : spec.dataset.name;
  return `PATOM Lab, engine ${engine} · data ${data} · seed ${spec.seed} · digest ${digest}`;
}

/** @param {Shown} shown */
function curveSheet(shown) {
  const { report } = shown.result;
  const { spec, trace } = report;
  const { eachTarget } = shown.results.curve;
  const [single_task, sanitised, certified] = views.levels(report);
  const options = {
    style: look(),
    metric_name: report.metric_name,
    clean_metric: report.clean.metric,
    single_task,
    sanitised,
    certified,
    iterations: trace.iteration.length - 1,
    attack: spec.attack,
    method: spec.method,
    cursor: null,
    tasks: eachTarget ? spec.targets : [],
    task: null,
  };
  return {
    title: views.headline(report),
    footer: footer(shown),
    width: WIDTH,
    style: look(),
    curve: {
      metric: trace.metric,
      utility: trace.utility,
      per_task: eachTarget ? trace.metric_per_task : [],
      options,
    },
    heatmaps: [],
  };
}

/** @param {Shown} shown */
function heatmapSheet(shown) {
  const { report } = shown.result;
  const { spec, task_names: names } = report;
  const style = look(shown.results.heatmaps.paperColors);
  const heatmaps = views.heatmaps(report).map(({ title, values, openEnded }) => ({
    caption: title,
    values,
    options: {
      style,
      tasks: names.length,
      targets: spec.targets,
      attackers: spec.budget > 0 ? spec.attackers : [],
      title: openEnded ? "change in correlation" : "task correlation",
      open_ended: openEnded,
      range: 1,
      cursor: null,
      task: null,
      names: views.shortNames(names),
    },
  }));
  return { title: views.headline(report), footer: footer(shown), width: WIDTH, style, curve: null, heatmaps };
}

/**
 * A file of the run behind a report. If its worker no longer exists, the run is repeated: the
 * same specification gives bit-identical results.
 * @param {Session} lab
 * @param {Report} report
 * @param {RunFile} name
 */
async function runFile(lab, report, name) {
  const { spec, digest } = report;
  // The lab's worker is busy during a run.
  const kept = lab.run ? "" : await lab.solver.file(name, digest);
  if (kept) return kept;
  lab.notice("Recomputing this run …", "", "save");
  const solver = new Solver(lab.engine.module);
  try {
    const source = await lab.sourceFor(spec);
    /** @type {Report} */
    const again = await new Promise((onDone, onError) => solver.run(spec, source, { onDone, onError }));
    if (again.digest !== digest) throw { message: "the repeated run gave a different digest" };
    return await solver.file(name, digest);
  } finally {
    lab.withdraw("save");
    solver.close();
  }
}

/** @param {Shown} shown */
function bibtex({ lab, result, address }) {
  const { digest } = result.report;
  return `% The attack
@inproceedings{zhao2018poisoning,
  author    = {Zhao, M. and An, B. and Yu, Y. and Liu, S. and Pan, S. J.},
  title     = {Data Poisoning Attacks on Multi-Task Relationship Learning},
  booktitle = {AAAI Conference on Artificial Intelligence},
  year      = {2018}
}

% This result
@misc{patomlab,
  title        = {{PATOM} Lab},
  howpublished = {\\url{${address}}},
  note         = {Version ${lab.engine.version}; digest of the result ${digest}}
}
`;
}

/** Python that computes the result again. Texts of JSON are texts of Python, too. @param {Shown} shown */
export function python({ result }) {
  const { spec, digest } = result.report;
  const link = JSON.stringify(`#${result.link}`);
  const data = typeof spec.dataset === "string" ? "" : `, data=${JSON.stringify(spec.dataset.name)}`;
  return `import patom\n\nresult = patom.run(${link}${data})\nassert result.digest == "${digest}"\n`;
}

/**
 * HTML that embeds the result, or one of its charts, in another page.
 * @param {Shown} shown
 * @param {string} view `curve`, `heatmaps`, `stage` and `stage43`: for a slide, or `embed`: curve and heatmaps
 */
export function snippet(shown, view) {
  const slide = SLIDES[view];
  const own = slide ? "&view=stage" : view === "embed" ? "" : `&view=${view}`;
  const maps = heatmapHeight(shown);
  const height = { curve: 540, heatmaps: maps }[view] ?? maps + 420;
  // A slide has a background of its own.
  const theme = slide ? `&theme=${isDark() ? "dark" : "light"}` : "";
  const frame = el("iframe", {
    src: `${shown.address}${own}&embed=1${theme}`,
    title: `PATOM Lab: ${views.headline(shown.result.report)}`,
    width: slide?.width ?? FRAME_WIDTH,
    height: slide?.height ?? height,
    loading: "lazy",
  });
  return frame.outerHTML;
}

/** Height of the headline with three heatmaps in a row, in CSS pixels. @param {Shown} shown */
function heatmapHeight({ lab, result }) {
  const [height = 0] = lab.engine.heatmapLayout((FRAME_WIDTH - 70) / 3, result.report.task_names.length);
  return Math.ceil(height) + 270;
}
