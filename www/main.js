/** Wires the page: what is chosen, what runs, what is shown. The only module with state. */

import { CurveChart, Heatmaps } from "./charts.js";
import { fetchBundle, hasBundle, openFile, openRawFiles, syntheticSource } from "./data.js";
import { byId, download, el } from "./dom.js";
import { loadEngine } from "./engine.js";
import { FigureView } from "./figures.js";
import { Form } from "./form.js";
import { Solver } from "./solver.js";
import * as views from "./views.js";

/** @import { Complete, DatasetRef, Description, Draft, Model, Problem, Progress, Published, Report, Source, Spec } from "./types.js" */

const DATASETS = ["synthetic", "landmine", "sarcos", "mnist"];
const SYNTHETIC_STORY =
  "8 tasks made so that their true relation is known: T1 to T3 agree, T4 and T5 oppose them, T6 " +
  "and T7 are a pair of their own, T8 stands alone.";

/** @type {{name: string, draft: Draft}[]} */
const PRESETS = [
  { name: "Direct", draft: {} },
  { name: "Indirect: through other tasks", draft: { attack: "indirect" } },
  { name: "Random points", draft: { method: "random" } },
  { name: "The paper’s own step", draft: { gradient: "published", step: "constant" } },
  { name: "Sarcos", draft: { dataset: "sarcos" } },
  { name: "Landmine", draft: { dataset: "landmine" } },
];

/**
 * @typedef {{
 *   spec: Spec, link: string, metric: "nmse" | "auc", clean: Model | null, points: Progress[],
 *   start: number,
 * }} RunState
 */

/** @type {Record<string, HTMLElement>} */
const at = {};
for (const element of document.querySelectorAll("[id]")) {
  if (element instanceof HTMLElement) at[element.id] = element;
}
/** @param {string} id */
const $ = (id) => at[id] ?? byId(id, HTMLElement);

const runButton = byId("run", HTMLButtonElement);
const progressBar = byId("progress", HTMLProgressElement);
const fileInput = byId("file", HTMLInputElement);

const state = {
  /** @type {Draft} what was chosen; all else is default */
  draft: {},
  /** @type {Complete | null} the draft, if it is valid */
  complete: null,
  /** @type {Map<string, {source: Source, description: Description}>} by name or SHA-256 */
  opened: new Map(),
  /** @type {Map<string, Source>} */
  bundles: new Map(),
  /** @type {Map<string, Description>} by key of the source */
  described: new Map(),
  /** @type {Published | null} the data set whose raw files are asked for */
  wanted: null,
  /** @type {[string, string][]} keys of the link that are not ours */
  others: [],
  /** @type {{link: string, digest: string, engine: string | null, data: string | null} | null} */
  expected: null,
  run: /** @type {RunState | null} */ (null),
  result: /** @type {{report: Report, json: string, link: string} | null} */ (null),
  /** Data sets of this copy that could not be loaded. */
  broken: /** @type {Set<string>} */ (new Set()),
  /** Counts the runs asked for: an older one that comes late is ignored. */
  asked: 0,
  /** The figure of the paper that is shown; 0: the lab. */
  figure: 0,
  /** @type {Map<number, FigureView>} by number, once they have been shown */
  figures: new Map(),
  /** The address of the lab as it was last written. */
  labAddress: "",
};

/** @param {unknown} error */
const words = (error) =>
  error && typeof error === "object" && "message" in error ? String(error.message) : String(error);

/**
 * @param {string} text
 * @param {"" | "bad" | "good"} [kind]
 * @param {string} [about] a later notice about the same thing takes its place
 */
function notice(text, kind = "", about = text) {
  for (const old of $("notices").children) {
    if (old instanceof HTMLElement && old.dataset.about === about) old.remove();
  }
  const box = el("div", { class: `notice ${kind}`, "data-about": about });
  const close = el("button", { type: "button", onclick: () => box.remove() }, "Close");
  box.append(el("span", {}, text), close);
  $("notices").append(box);
}

/** @param {string} about */
function withdraw(about) {
  for (const old of [...$("notices").children]) {
    if (old instanceof HTMLElement && old.dataset.about === about) old.remove();
  }
}

addEventListener("error", (event) => pageFailed(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => pageFailed(event.reason));

/** @param {unknown} error */
function pageFailed(error) {
  notice(
    `Something went wrong in the page (${words(error)}). Reload it: the address holds your settings.`,
    "bad",
    "page",
  );
}

/** @param {string} text spoken to those who do not see the status */
const say = (text) => ($("spoken").textContent = text);

/** @param {"starting" | "idle" | "running" | "done" | "cancelled" | "failed"} name */
function enter(name) {
  const running = name === "running";
  $("results").dataset.state = name;
  $("cancel").hidden = !running;
  $("run").hidden = running;
  $("progress").hidden = !running;
  if (running) $("results").setAttribute("aria-busy", "true");
  else $("results").removeAttribute("aria-busy");
  markStale();
}

/** Results that belong to other settings than the form shows are dimmed. */
function markStale() {
  const shown = state.result?.link;
  const stale = shown !== undefined && state.complete !== null && shown !== state.complete.link;
  $("results").toggleAttribute("data-stale", stale && !state.run);
  const idle = !state.run && $("results").dataset.state === "done";
  if (idle && stale) $("status").textContent = "Settings changed: press Run.";
  else if (idle && state.result) $("status").textContent = doneWords(state.result.report);
}

/** @param {Report} report */
function doneWords(report) {
  const seconds = report.trace.seconds.at(-1) ?? 0;
  const iterations = report.trace.iteration.length - 1;
  const solved = report.converged ? "" : " · a solver did NOT converge, see Reproduce it";
  return `Done: ${iterations} iterations in ${views.duration(seconds)}${solved}`;
}

// A link to a figure shows nothing of the lab meanwhile.
$("lab").hidden = /[#&]view=figure[123]\b/.test(location.hash);
const engine = await loadEngine().catch((error) => {
  $("lab").hidden = false;
  $("headline").textContent = "The engine could not be loaded";
  $("status").textContent = words(error);
  $("results").dataset.state = "failed";
  throw error;
});
$("engine-version").textContent = engine.version;

const solver = new Solver(engine.module);
const query = new URLSearchParams(location.search);
solver.failNext = query.get("fail") ?? "";

const form = new Form($("fields"), engine.fields, (name, value) => {
  if (value === undefined) delete state.draft[name];
  else state.draft[name] = value;
  update();
});
const curve = new CurveChart(engine, $("curve"), (iteration) => {
  const point = iteration === null ? undefined : state.run?.points[iteration];
  const trace = state.result?.report.trace;
  const [metric, utility] = point
    ? [point.metric, point.utility]
    : [trace?.metric[iteration ?? -1], trace?.utility[iteration ?? -1]];
  const name = views.METRICS[state.run?.metric ?? state.result?.report.metric_name ?? "nmse"].short;
  $("curve-readout").textContent =
    iteration === null || metric === undefined || utility === undefined
      ? ""
      : `Iteration ${iteration}: ${name} ${views.digits(metric)}, utility ${views.digits(utility)}`;
});
const heatmaps = new Heatmaps(engine, $("heatmaps"), (cell) => {
  const maps = heatmaps.shown.map(({ map }) => map);
  $("cell-readout").textContent = cell
    ? views.cellWords(maps, cell, heatmaps.tasks)
    : "Point at a cell, or press Tab and the arrow keys.";
});

/* What is chosen */

/** @returns {DatasetRef} */
const dataset = () => state.draft.dataset ?? "synthetic";

/** @param {DatasetRef} ref */
const openedKey = (ref) => (typeof ref === "string" ? ref : ref.sha256);

/** Checks the draft, and shows what came of it. */
function update() {
  const ref = dataset();
  const file = typeof ref === "object" ? state.opened.get(ref.sha256) : undefined;
  const checked = engine.complete(state.draft, file?.description.shape);
  showDatasets();
  if ("errors" in checked) {
    state.complete = null;
    const left = form.complain(checked.errors);
    const [first] = left;
    $("form-error").textContent = left.map(({ message }) => message).join("; ");
    $("form-error").hidden = !first;
  } else {
    state.complete = checked;
    $("form-error").hidden = true;
    form.show(checked, currentDescription()?.task_names ?? []);
    writeAddress();
  }
  runButton.disabled = !state.complete || !isThere(ref);
  showPresets();
  markStale();
  return checked;
}

/** @param {DatasetRef} ref */
const isThere = (ref) =>
  ref === "synthetic" ||
  state.opened.has(openedKey(ref)) ||
  (typeof ref === "string" && hasBundle(ref));

function currentDescription() {
  const ref = dataset();
  const opened = state.opened.get(openedKey(ref));
  if (opened) return opened.description;
  if (ref === "synthetic" && state.complete) {
    return state.described.get(syntheticSource(state.complete.spec).key);
  }
  return typeof ref === "string" ? state.described.get(`bundle ${ref}`) : undefined;
}

/** @param {DatasetRef} ref */
function chooseDataset(ref) {
  // Choices that speak of the tasks or the labels of the old data set mean nothing for the new.
  const kept = ["attack", "method", "gradient", "step", "budget", "iterations", "seed"];
  /** @type {Draft} */
  const draft = ref === "synthetic" ? {} : { dataset: ref };
  for (const name of kept) if (name in state.draft) draft[name] = state.draft[name];
  state.draft = draft;
  state.expected = null;
  dataProblem("");
  update();
  if (typeof ref === "string" && ref !== "synthetic" && isThere(ref)) {
    ensureSource().then(update, (problem) => dataProblem(words(problem)));
  }
}

/** @param {string} text */
function dataProblem(text) {
  $("error-dataset").textContent = text;
  $("error-dataset").hidden = text === "";
}

function showDatasets() {
  const ref = dataset();
  const box = $("datasets");
  if (box.childElementCount === 0) {
    for (const name of DATASETS) {
      const published = engine.published.find((one) => one.name === name);
      const [title, detail] = (published?.title ?? "Synthetic: truth is known").split(": ");
      const id = `dataset-${name}`;
      const input = el("input", { type: "radio", name: "dataset", id, "data-testid": id });
      input.onchange = () => chooseDataset(name);
      const small = el("small", {}, isThere(name) ? detail : "not in this copy");
      box.append(input, el("label", { for: id }, title, small));
    }
    const id = "dataset-file";
    const input = el("input", { type: "radio", name: "dataset", id, "data-testid": id });
    input.onclick = (event) => {
      const [key] = [...state.opened.keys()].filter((key) => !DATASETS.includes(key)).slice(-1);
      const opened = key && state.opened.get(key);
      if (opened && typeof ref === "string" && typeof dataset() === "string") {
        return chooseDataset({ name: opened.description.name, sha256: opened.description.sha256 });
      }
      event.preventDefault();
      askForFile(null);
    };
    const small = el("small", { id: "file-name" }, "CSV or MAT, stays on your computer");
    box.append(input, el("label", { for: id }, "Your own file …", small));
  }
  const chosen = typeof ref === "string" ? `dataset-${ref}` : "dataset-file";
  for (const input of box.querySelectorAll("input")) input.checked = input.id === chosen;
  $("data-note").replaceChildren(...dataNote(ref));
}

/** @param {DatasetRef} ref */
function dataNote(ref) {
  const about = currentDescription();
  const size = about
    ? `${about.shape.tasks} tasks, ${about.features} features, ${about.points.toLocaleString("en")} points. `
    : "";
  if (typeof ref === "object") {
    const other = el("button", { type: "button", onclick: () => askForFile(null) }, "Open another file");
    const open = el("button", { type: "button", onclick: () => askForFile(null) }, `Open ${ref.name}`);
    return about
      ? [`${ref.name}: ${size}Labels: ${about.kind}. It does not leave your computer. `, other]
      : [`This link speaks of the file ${ref.name} (SHA-256 ${ref.sha256.slice(0, 12)}…). `, open];
  }
  if (ref === "synthetic") return [SYNTHETIC_STORY];
  const published = engine.published.find(({ name }) => name === ref);
  if (!published) return [];
  const broken = state.broken.has(ref);
  if (isThere(ref) && !broken) return [`${size}${published.note}`];
  const names = published.files.map(({ name }) => name).join(", ");
  const open = el(
    "button",
    { type: "button", "data-testid": "open-raw", onclick: () => askForFile(published) },
    published.files.length > 1 ? "Open these files" : `Open ${names}`,
  );
  return [
    broken
      ? `Press Run to try again. Or: ${published.by_hand}, and open it here (it stays on your computer).`
      : `This copy of the page lacks ${names}. ${published.by_hand}. Then open it here (it stays ` +
        "on your computer), or put it into the folder that $PATOM_DATA names and build again.",
    el("br"),
    open,
  ];
}

/** @param {Published | null} published */
function askForFile(published) {
  state.wanted = published;
  fileInput.click();
}

/** @param {File[]} files */
async function takeFiles(files) {
  const [file] = files;
  if (!file) return;
  // Several files at once can only be the raw files of a published data set.
  const wanted =
    state.wanted ??
    engine.published.find((one) => one.files.length > 1 && one.files.some((raw) => raw.name === file.name)) ??
    null;
  state.wanted = null;
  stopRun();
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total > engine.maxFileBytes) {
    const limit = Math.round(engine.maxFileBytes / (1 << 20));
    return dataProblem(`${file.name} is too large: at most ${limit} MiB are read.`);
  }
  dataProblem("");
  $("status").textContent = `Reading ${file.name} …`;
  try {
    const source = wanted ? await openRawFiles(wanted, files) : await openFile(file);
    const description = await solver.load(source);
    if (wanted && description.name !== wanted.name) {
      throw { message: `${file.name} is not the published file of ${wanted.name}` };
    }
    const published = DATASETS.includes(description.name);
    const { name, sha256 } = description;
    state.opened.set(published ? name : sha256, { source, description });
    state.described.set(source.key, description);
    state.broken.delete(name);
    const awaited = dataset();
    if (typeof awaited === "object" && !published && awaited.sha256 === sha256) {
      withdraw("file");
      update();
    } else {
      if (typeof awaited === "object" && state.expected && !published) {
        notice(
          `${name} is not the file of the link: its SHA-256 begins with ${sha256.slice(0, 12)}, ` +
            `the link says ${awaited.sha256.slice(0, 12)}.`,
          "bad",
          "file",
        );
      }
      chooseDataset(published ? name : { name, sha256 });
    }
    await start();
  } catch (problem) {
    dataProblem(`${file.name}: ${words(problem)}`);
    $("status").textContent = "The file could not be used; nothing has changed.";
    say(`${file.name} could not be used`);
  }
}

/** The bytes of the chosen data set, read by the worker. */
async function ensureSource() {
  const ref = dataset();
  const opened = state.opened.get(openedKey(ref));
  if (opened) return opened.source;
  if (typeof ref === "object") throw { message: `open the file ${ref.name} first` };
  if (ref === "synthetic") {
    if (!state.complete) throw { message: "the settings are not valid" };
    return syntheticSource(state.complete.spec);
  }
  const known = state.bundles.get(ref);
  if (known) return known;
  try {
    const source = await fetchBundle(ref);
    const description = await solver.load(source);
    state.bundles.set(ref, source);
    state.described.set(source.key, description);
    state.broken.delete(ref);
    return source;
  } catch (problem) {
    state.broken.add(ref);
    throw { message: `${ref}: ${words(problem)}` };
  } finally {
    showDatasets();
  }
}

function showPresets() {
  const box = $("presets");
  if (box.childElementCount === 0) {
    for (const preset of PRESETS) {
      const button = el("button", { type: "button" }, preset.name);
      button.onclick = () => {
        state.draft = { ...preset.draft };
        state.expected = null;
        dataProblem("");
        update();
        start();
      };
      box.append(button);
    }
  }
  PRESETS.forEach((preset, k) => {
    const own = engine.complete(preset.draft);
    const pressed = state.complete && !("errors" in own) && own.link === state.complete.link;
    box.children[k]?.setAttribute("aria-pressed", String(Boolean(pressed)));
  });
}

/* Links */

function fragment() {
  if (!state.complete) return "";
  const parts = [state.complete.link];
  const result = state.result;
  if (result && result.link === state.complete.link && !state.run) {
    const { engine, data_sha256, digest } = result.report;
    parts.push(`e=${engine}`);
    if (typeof result.report.spec.dataset === "string") parts.push(`h=${data_sha256.slice(0, 12)}`);
    parts.push(`r=${digest}`);
  }
  for (const [key, value] of state.others) {
    parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  }
  return parts.join("&");
}

let writing = 0;
function writeAddress() {
  // Browsers refuse more than a hundred changes in a few seconds: a slider makes them quickly.
  clearTimeout(writing);
  writing = setTimeout(() => {
    if (state.figure || !state.complete) return;
    state.labAddress = `#${fragment()}`;
    if (state.labAddress !== location.hash) history.replaceState(null, "", state.labAddress);
  }, 60);
}

/* Views */

/** Shows what the address asks for: a figure, or the lab. */
function showView() {
  const link = engine.readLink(location.hash);
  const view = "others" in link ? link.others.find(([key]) => key === "view")?.[1] : "";
  const about = engine.figures.find(({ number }) => `figure${number}` === view);
  const before = state.figure;
  state.figure = about?.number ?? 0;
  $("lab").hidden = Boolean(about);
  $("figures").hidden = !about;
  ($("figures").hidden ? $("results") : $("figures")).prepend($("notices"));
  const current = { [about ? "to-figures" : "to-lab"]: "page", [`to-figure${state.figure}`]: "page" };
  for (const link of document.querySelectorAll(".views a")) {
    if (current[link.id]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = about ? `Figure ${about.number} · PATOM Lab` : "PATOM Lab";
  if (Boolean(before) !== Boolean(about)) scrollTo(0, 0);
  if (!about) return;
  // The way back: what else stands in the link, or the lab as it was left.
  const rest = location.hash.slice(1).split("&").filter((part) => part && !part.startsWith("view="));
  const back = rest.length ? `#${rest.join("&")}` : state.labAddress || "#";
  $("to-lab").setAttribute("href", back);
  $("to-figures").setAttribute("href", `#view=figure${about.number}`);
  let shown = state.figures.get(about.number);
  if (!shown) state.figures.set(about.number, (shown = new FigureView(engine, about, surroundings)));
  if ($("figure").firstChild !== shown.root) $("figure").replaceChildren(shown.root);
  shown.plan();
}

/** What the lab lends to the figures. */
const surroundings = {
  /** @param {string} name */
  has: (name) => isThere(name),
  /** @param {string} name */
  source: async (name) =>
    state.opened.get(name)?.source ?? state.bundles.get(name) ?? (await fetchBundle(name)),
  // For tests: any number of workers, and a failure of the first run.
  workers: Math.min(Math.max(Number(query.get("workers")) || navigator.hardwareConcurrency || 2, 1), 8),
  fail: query.get("fail") ?? "",
};

/** @param {string} text the fragment of an address */
function openLink(text) {
  stopRun();
  state.expected = null;
  state.others = [];
  state.draft = {};
  const link = engine.readLink(text);
  if ("errors" in link) {
    for (const { message } of link.errors) {
      notice(`This link cannot be used: ${message}. The page shows the default instead.`, "bad");
    }
    update();
    return start();
  }
  state.others = link.others;
  for (const [key] of link.others) {
    if (!["view", "embed"].includes(key)) {
      notice(`The link has a key that this version does not know: ${key}. It is kept, and ignored.`);
    }
  }
  state.draft = link.draft;
  const ref = dataset();
  if (typeof ref === "object" && !state.opened.has(ref.sha256)) {
    notice(
      `This link is about a file: open ${ref.name} (SHA-256 ${ref.sha256.slice(0, 12)}…) to see ` +
        "its result. The file stays on your computer.",
      "",
      "file",
    );
  }
  let dropped = false;
  let checked = update();
  // A field that is wrong is named and left at its default; one may uncover another.
  for (let round = 0; "errors" in checked && round < 30; round++) {
    const wrong = checked.errors.filter(({ field }) => field && field in state.draft);
    if (wrong.length === 0) break;
    dropped = true;
    for (const { field, message } of wrong) {
      notice(`The link asks for what is not allowed. ${message}. The default is used instead.`, "bad");
      if (field) delete state.draft[field];
    }
    checked = update();
  }
  if ("errors" in checked) {
    if (typeof ref === "object") {
      clearResult();
      $("headline").textContent = `Open ${ref.name} to see the result`;
      $("status").textContent = "Waiting for the file.";
      state.expected = expectedOf(link, "");
    }
    return;
  }
  if (!dropped) state.expected = expectedOf(link, checked.link);
  return start();
}

/**
 * @param {import("./types.js").Link} link
 * @param {string} own
 */
const expectedOf = (link, own) =>
  link.digest
    ? { link: own, digest: link.digest, engine: link.engine, data: link.data_sha256 }
    : null;

/** Says whether a link's result came out again. @param {Report} report @param {string} link */
function compareWithLink(report, link) {
  const expected = state.expected;
  state.expected = null;
  withdraw("digest");
  if (!expected || (expected.link !== "" && expected.link !== link)) return;
  const same = expected.digest.toLowerCase() === report.digest;
  if (same) {
    notice(`Reproduced bit for bit: digest ${report.digest}.`, "good", "digest");
    return;
  }
  const reasons = [];
  if (expected.engine && expected.engine !== report.engine) {
    reasons.push(`the link was made by engine ${expected.engine}, this is ${report.engine}`);
  }
  if (expected.data && !report.data_sha256.startsWith(expected.data.toLowerCase())) {
    reasons.push("the data are not the same");
  }
  if (reasons.length === 0) reasons.push("engine and data are the same, so the link was altered");
  notice(
    `Not the result of the link: its digest is ${expected.digest}, this one ${report.digest}; ` +
      `${reasons.join("; ")}.`,
    "bad",
    "digest",
  );
}

/* Running */

/** Runs what the form says. */
async function start() {
  const asked = ++state.asked;
  if (!state.complete) return;
  stopRun();
  const { spec, link, metric } = state.complete;
  if (!isThere(spec.dataset)) {
    clearResult();
    $("headline").textContent = `${dataset()} has to be opened first`;
    $("status").textContent = "This copy of the page lacks it. Under Data stands where to get it.";
    return;
  }
  /** @type {RunState} */
  const run = { spec, link, metric, clean: null, points: [], start: performance.now() };
  state.run = run;
  performance.mark("run");
  enter("running");
  $("results").removeAttribute("data-partial");
  say("Running");
  $("status").textContent = "Loading the data";
  writeAddress();
  curve.show(curveData(run), "The attack has just begun.");
  tick();
  /** @type {Source} */
  let source;
  try {
    source = await ensureSource();
  } catch (problem) {
    if (asked === state.asked && state.run === run) failed({ code: "data", field: "dataset", message: words(problem) });
    return;
  }
  if (asked !== state.asked || state.run !== run) return;
  solver.run(spec, source, {
    onClean: (model) => {
      run.clean = model;
    },
    onProgress: (point) => {
      run.points.push(point);
      if (run.points.length === 1) performance.mark("first-point");
      curve.show(curveData(run), `Running: iteration ${point.iteration}.`);
    },
    onDone: (report, json) => finish(run, report, json),
    onError: failed,
  });
}

/** @param {RunState} run */
const curveData = (run) => ({
  metric: run.points.map((point) => point.metric),
  utility: run.points.map((point) => point.utility),
  cleanMetric: run.clean ? run.clean.metric : null,
  metricName: run.metric,
  iterations: run.spec.method === "random" ? 1 : run.spec.iterations,
  spec: run.spec,
});

/** Keeps count and time up to date while a run goes on. */
function tick() {
  const run = state.run;
  if (!run) return;
  const done = run.points.at(-1)?.iteration;
  const seconds = (performance.now() - run.start) / 1000;
  const where =
    done === undefined
      ? run.clean
        ? "Trained on clean data"
        : "Training on clean data"
      : `Iteration ${done} of ${run.spec.iterations}`;
  $("status").textContent = `${where} · ${seconds.toFixed(1)} s`;
  progressBar.max = Math.max(run.spec.iterations, 1);
  progressBar.value = done ?? 0;
  const spokenAt = Number($("spoken").dataset.at ?? 0);
  if (done !== undefined && performance.now() - Math.max(spokenAt, run.start) > 4000) {
    say(`Iteration ${done} of ${run.spec.iterations}`);
    $("spoken").dataset.at = String(performance.now());
  }
  requestAnimationFrame(tick);
}

/**
 * @param {RunState} run
 * @param {Report} report
 * @param {string} json
 */
function finish(run, report, json) {
  if (state.run !== run) return;
  state.run = null;
  state.result = { report, json, link: run.link };
  show(report);
  enter("done");
  performance.mark("done");
  say(`Done. ${views.headline(report)}`);
  compareWithLink(report, run.link);
  writeAddress();
  // The names of the tasks may be known only now.
  const key = syntheticSource(report.spec).key;
  if (report.spec.dataset === "synthetic" && !state.described.has(key) && state.complete) {
    form.show(state.complete, report.task_names);
  }
}

/** @param {Report} report */
function show(report) {
  const m = report.task_names.length;
  $("results").removeAttribute("data-partial");
  $("headline").textContent = views.headline(report);
  $("tiles").replaceChildren(...views.tiles(report));
  curve.show(
    {
      metric: [...report.trace.metric],
      utility: [...report.trace.utility],
      cleanMetric: report.clean.metric,
      metricName: report.metric_name,
      iterations: report.trace.iteration.length - 1,
      spec: report.spec,
    },
    views.curveSummary(report),
  );
  $("trace-table").replaceChildren(views.traceTable(report));
  const maps = views.heatmaps(report);
  heatmaps.show(maps, m, report.spec, (map) => views.heatmapSummary(map, m));
  $("correlation-tables").replaceChildren(...views.correlationTables(maps, m));
  $("task-table").replaceChildren(views.taskTable(report));
  $("facts").replaceChildren(...views.facts(report));
  $("results").dataset.digest = report.digest;
  $("command").textContent = command(report);
}

/** @param {Report} report */
function command(report) {
  const { dataset } = report.spec;
  const link = state.result?.link ?? "";
  const what = typeof dataset === "string" ? `'#${link}'` : "spec.json";
  return `cargo run --release -- run ${what} --out out`;
}

/** @param {Problem} problem */
function failed(problem) {
  const run = state.run;
  state.run = null;
  const panicked = problem.code === "panic";
  const text = panicked
    ? `The engine stopped with an internal error: ${problem.message}. It has been restarted; ` +
      "please report this with the link in the address bar."
    : problem.message;
  partial(run, "The run did not finish", text);
  enter("failed");
  notice(text, "bad", "run");
  if (problem.field) form.complain([problem]);
  if (problem.field === "dataset") dataProblem(problem.message);
}

/** Ends a run that goes on; its curve stays. */
function stopRun() {
  const run = state.run;
  withdraw("run");
  if (!run) return false;
  state.run = null;
  state.asked++;
  solver.cancel();
  const done = run.points.at(-1)?.iteration;
  const seconds = (performance.now() - run.start) / 1000;
  const where = done === undefined ? "before the first iteration" : `at iteration ${done} of ${run.spec.iterations}`;
  partial(
    run,
    `Cancelled ${where}`,
    `After ${views.duration(seconds)}. ${done === undefined ? "" : "The curve so far is kept."}`,
  );
  enter("cancelled");
  return true;
}

/** Nothing to show: what is asked for cannot run yet. */
function clearResult() {
  state.result = null;
  delete $("results").dataset.digest;
  $("results").setAttribute("data-partial", "empty");
  enter("idle");
}

/**
 * @param {RunState | null} run
 * @param {string} headline
 * @param {string} status
 */
function partial(run, headline, status) {
  $("headline").textContent = headline;
  $("status").textContent = status;
  say(headline);
  state.result = null;
  delete $("results").dataset.digest;
  const points = run?.points.length ?? 0;
  $("results").setAttribute("data-partial", points > 0 ? "curve" : "empty");
  if (!run) return;
  const data = { ...curveData(run), iterations: points - 1 };
  curve.show(data, `${headline}. ${points} points are drawn.`);
}

/* Controls */

byId("controls", HTMLFormElement).onsubmit = (event) => {
  event.preventDefault();
  if (!state.complete || !isThere(state.complete.spec.dataset)) return;
  // On a narrow screen the result stands above the settings.
  if ($("to-settings").offsetParent) $("results").scrollIntoView({ block: "start" });
  start();
};
$("cancel").onclick = () => {
  stopRun();
  $("run").focus();
};
$("to-settings").onclick = () => {
  $("controls").scrollIntoView({ block: "start" });
  $("dataset-synthetic")?.focus({ preventScroll: true });
};
document.querySelector(".skip")?.addEventListener("click", (event) => {
  // Not as a link: the fragment of the address is the specification.
  event.preventDefault();
  $(state.figure ? "figures" : "results").focus();
});
fileInput.onchange = () => {
  const files = [...(fileInput.files ?? [])];
  // So that the same file can be chosen again.
  fileInput.value = "";
  takeFiles(files);
};
byId("paper-colors", HTMLInputElement).onchange = (event) => {
  heatmaps.paperColors = /** @type {HTMLInputElement} */ (event.currentTarget).checked;
  heatmaps.draw();
};

addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  $("drop").hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("drop").hidden = true;
});
addEventListener("drop", (event) => {
  $("drop").hidden = true;
  const files = [...(event.dataTransfer?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  if (state.figure) {
    history.pushState(null, "", state.labAddress || "#");
    showView();
  }
  takeFiles(files);
});

let copiedTimer = 0;
/** @param {string} text @param {string} done */
async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = done;
  } catch {
    $("copied").textContent = "The browser refused: copy it from the address bar.";
  }
  clearTimeout(copiedTimer);
  copiedTimer = setTimeout(() => ($("copied").textContent = ""), 4000);
}
$("copy-link").onclick = () => copy(`${location.href.split("#")[0]}#${fragment()}`, "Link copied");
$("copy-command").onclick = () => copy($("command").textContent ?? "", "Command copied");
$("save-report").onclick = () => {
  if (state.result) download("report.json", new Blob([state.result.json], { type: "application/json" }));
};
$("save-points").onclick = async () => {
  try {
    const csv = await solver.points();
    if (csv) return download("points.csv", new Blob([csv], { type: "text/csv" }));
  } catch (problem) {
    return notice(words(problem), "bad", "points");
  }
  notice("The points of this run are gone: run it again.", "", "points");
};

/** @param {string} name @param {HTMLCanvasElement[]} canvases */
function savePicture(name, canvases) {
  const all = document.createElement("canvas");
  all.width = canvases.reduce((sum, { width }) => sum + width, 0);
  all.height = Math.max(1, ...canvases.map(({ height }) => height));
  const context = all.getContext("2d");
  let x = 0;
  for (const canvas of canvases) {
    context?.drawImage(canvas, x, 0);
    x += canvas.width;
  }
  all.toBlob((blob) => blob && download(name, blob));
}
$("save-curve").onclick = () => savePicture("curve.png", [curve.canvas]);
$("save-heatmaps").onclick = () =>
  savePicture("correlations.png", heatmaps.shown.map(({ canvas }) => canvas));

addEventListener("hashchange", () => {
  showView();
  if (state.figure) return;
  const known = [`#${fragment()}`, state.labAddress].includes(location.hash);
  if (known && state.complete) writeAddress();
  else openLink(location.hash);
});
for (const { number, title } of engine.figures) {
  const [id, href] = [`to-figure${number}`, `#view=figure${number}`];
  const link = el("a", { id, href, "data-testid": id }, `Figure ${number}`, el("small", {}, title));
  $("figure-links").append(link);
}
for (const [id, button] of Object.entries(at)) {
  if (button instanceof HTMLButtonElement && !button.dataset.testid) button.dataset.testid = id;
}

showView();
if (!state.figure) openLink(location.hash);
