/** Wires the page: form, data, results, views, address. The state of the lab is in lab.js. */

import { Datasets } from "./views/datasets.js";
import { $, byId, el, onSinglePress } from "./ui/dom.js";
import { loadEngine } from "./engine/engine.js";
import { Form } from "./views/form.js";
import { Guide } from "./views/guide.js";
import { Lab, errorMessage } from "./core/lab.js";
import { cutShort } from "./core/unload.js";
import { notice, withdraw } from "./ui/notices.js";
import { once } from "./core/once.js";
import { showPresets } from "./views/presets.js";
import { Results } from "./views/results.js";
import { settingsSheet, showSheet } from "./ui/sheet.js";
import { Solver } from "./engine/solver.js";
import { offerFiles, resultAddress } from "./views/share.js";

addEventListener("error", (event) => pageFailed(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => pageFailed(event.reason));

/** @param {unknown} error */
function pageFailed(error) {
  notice(
    `Something went wrong in the page (${errorMessage(error)}). Reload it: the address holds your settings.`,
    "bad",
    "page",
  );
}

// early.js has said that nothing can run here.
if (self.origin === "null") await new Promise(() => {});

// A link to another view shows nothing of the lab meanwhile.
$("lab").hidden = /[#&]view=(figure[123]|compare)\b/.test(location.hash);
const engine = await loadEngine().catch((error) => {
  $("lab").hidden = false;
  $("headline").textContent = "The engine could not be loaded";
  $("status").textContent = errorMessage(error);
  $("results").dataset.state = "failed";
  throw error;
});
$("engine-version").textContent = engine.version;

/** On a slow phone the start takes long: in parts, so that a tap between two of them is heard. */
const pause = () => new Promise((resolve) => setTimeout(resolve));
await pause();

const lab = new Lab(engine, new Solver(engine.module));
const form = new Form($("fields"), engine.fields, (name, value) => lab.choose(name, value));
const runButton = byId("run", HTMLButtonElement);

const datasets = new Datasets(lab, async (file) => {
  const { openCarried } = await import("./core/provenance.js");
  openCarried(file, lab, openAddress);
});
lab.listen((event) => {
  switch (event.type) {
    case "changed":
      return showForm();
    case "notice":
      return notice(event.text, event.kind, event.about, event.action);
    case "withdraw":
      return withdraw(event.about);
    case "started":
      return writeAddress();
    case "done":
      writeAddress();
      // Once all of it is there, and so the page is as long as it will be.
      if (arriving) requestAnimationFrame(() => showCard(lab.view("view")));
      arriving = false;
      // The names of the tasks may be known only now.
      if (lab.complete && !lab.description()) form.show(lab.complete, event.report.task_names);
      return;
    case "ended":
      if (event.problem?.field) form.complain([event.problem]);
  }
});
const results = new Results(engine, lab);
showPresets(lab);
const guide = new Guide(lab);
offerFiles(lab, results);

/** @type {import("./views/reading.js").View | null} once there is a result to read */
let reading = null;
const openView = once(async (/** @type {import("./engine/types.js").RunState | null} */ run) => {
  const { openReading } = await import("./views/reading.js");
  reading = await openReading(lab, results, run);
});
lab.listen((event) => {
  // As soon as there is time for it: after the first result, or in a run that takes its time.
  const going = event.type === "progress" && performance.now() - event.run.start > 1000;
  if (!going && event.type !== "done" && event.type !== "ended") return;
  openView(event.run).catch((error) =>
    notice(`${errorMessage(error)}. The injected points are not shown.`, "bad", "reading"),
  );
});

function showForm() {
  const left = form.complain(lab.problems);
  $("form-error").textContent = left.map(({ message }) => message).join("; ");
  $("form-error").hidden = left.length === 0;
  if (lab.complete) {
    form.show(lab.complete, lab.description()?.task_names ?? []);
    writeAddress();
  }
  runButton.disabled = !lab.ready;
}

/* The address */

/** The figure of the paper that is shown; 0: none. */
let figure = 0;
/** Is another view than the lab shown? */
let away = false;
/** The address of the lab as it was last written. */
let labAddress = "";
/** @type {Map<number, import("./views/figures.js").View>} by number, once they have been shown */
const figures = new Map();
/** @type {import("./views/compare.js").View | null} once it has been shown */
let comparison = null;

let writing = 0;
function writeAddress() {
  // Browsers refuse more than a hundred changes in a few seconds: a slider makes them quickly.
  clearTimeout(writing);
  writing = setTimeout(() => {
    const fragment = lab.fragment();
    if (away || !fragment) return;
    atAddress(`#${fragment}`);
    if (labAddress !== location.hash) history.replaceState(null, "", labAddress);
  }, 60);
}

/** What the lab shows has this address: so has the way to it. @param {string} address */
function atAddress(address) {
  labAddress = address;
  $("to-lab").setAttribute("href", address || "#");
}

/** Shows what the address asks for: a figure, a comparison, or the lab. */
function showView() {
  const link = engine.readLink(location.hash);
  const value = (/** @type {string} */ wanted) =>
    ("others" in link && link.others.find(([key]) => key === wanted)?.[1]) || "";
  const about = engine.figures.find(({ number }) => `figure${number}` === value("view"));
  const comparing = value("view") === "compare";
  const before = away;
  away = Boolean(about) || comparing;
  figure = about?.number ?? 0;
  $("lab").hidden = away;
  $("figures").hidden = !away;
  $("figure-links").hidden = comparing;
  ($("figures").hidden ? $("results") : $("figures")).prepend($("notices"));
  const current = {
    [comparing ? "to-compare" : about ? "to-figures" : "to-lab"]: "page",
    [`to-figure${figure}`]: "page",
  };
  for (const link of document.querySelectorAll(".views a")) {
    if (current[link.id]) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  showBare();
  const name = comparing ? "Compare · " : about ? `Figure ${about.number} · ` : "";
  document.title = `${name}PATOM Lab`;
  if (before !== away) scrollTo(0, 0);
  if (!away) return;
  // The way back: what else stands in the link, or the lab as it was left.
  const ours = ["view=", "left=", "right=", "data=", "seeds="];
  const rest = location.hash.slice(1).split("&");
  const kept = rest.filter((part) => part && !ours.some((key) => part.startsWith(key)));
  if (kept.length) $("to-lab").setAttribute("href", `#${kept.join("&")}`);
  if (comparing) {
    showComparison(value("left"), value("right"));
    return;
  }
  if (!about) return;
  $("to-figures").setAttribute("href", `#view=figure${about.number}`);
  showFigure(about, value("data"), value("seeds"));
}

/** @param {string} left @param {string} right */
async function showComparison(left, right) {
  withdraw("figure");
  const address = location.hash;
  if (!comparison) {
    $("figure").replaceChildren(el("p", { class: "lead" }, "The comparison is being loaded …"));
    try {
      const { openCompare } = await import("./views/compare.js");
      comparison ??= await openCompare(engine, surroundings);
    } catch (error) {
      return notice(`${errorMessage(error)}. Check the connection, then open the view again.`, "bad", "figure");
    }
  }
  if (location.hash !== address) return;
  if ($("figure").firstChild !== comparison.root) $("figure").replaceChildren(comparison.root);
  comparison.open(left, right);
}

/**
 * @param {import("./engine/types.js").Figure} about
 * @param {string} data the data sets that the link asks for
 * @param {string} seeds how many it asks for
 */
async function showFigure(about, data, seeds) {
  withdraw("figure");
  let shown = figures.get(about.number);
  if (!shown) {
    $("figure").replaceChildren(el("p", { class: "lead" }, `Figure ${about.number} is being loaded …`));
    try {
      const { openFigure } = await import("./views/figures.js");
      shown = await openFigure(engine, about, surroundings);
    } catch (error) {
      return notice(`${errorMessage(error)}. Check the connection, then open the figure again.`, "bad", "figure");
    }
    // Asked for twice meanwhile: the first one stays.
    shown = figures.get(about.number) ?? shown;
    figures.set(about.number, shown);
  }
  if (figure !== about.number) return;
  if ($("figure").firstChild !== shown.root) $("figure").replaceChildren(shown.root);
  shown.ask(data, seeds);
}

/** Only what slides need, where the address asks for that. */
async function showBare() {
  const bare = /[#&]embed=1\b/.test(location.hash);
  document.documentElement.toggleAttribute("data-embed", bare);
  if (bare) (await import("./views/embed.js")).showEmbed(lab);
}

/** Opens a link in place. @param {string} fragment */
function openAddress(fragment) {
  history.pushState(null, "", `#${fragment}`);
  showView();
  if (!away) arrive();
}

/** A link was opened, and the picture that it names has not been shown yet. */
let arriving = false;
/** @param {string} [held] the link of a run that is not to be started */
function arrive(held) {
  arriving = true;
  atAddress(location.hash);
  lab.openLink(location.hash, held);
  guide.follow();
}

/** Where the link wants the eye to be. @param {string} [view] */
function showCard(view) {
  const cards = [...document.querySelectorAll("[data-card]")];
  const wanted = cards.find((card) => card instanceof HTMLElement && card.dataset.card === view);
  wanted?.scrollIntoView({ block: "start" });
}

/** What the lab lends to the other views. */
const surroundings = {
  /** @param {string} name */
  has: (name) => lab.isThere(name),
  /** @param {string} name */
  source: (name) => lab.sourceOf(name),
  sourceFor: lab.sourceFor.bind(lab),
  /** @param {import("./engine/types.js").DatasetRef | undefined} ref */
  shape: (ref) => (typeof ref === "object" ? lab.opened.get(ref.sha256)?.description.shape : undefined),
  /** @param {string} link */
  finished: (link) => reading?.finished(link),
};

addEventListener("hashchange", () => {
  showView();
  if (away) return;
  const known = [`#${lab.fragment()}`, labAddress].includes(location.hash);
  if (known && lab.complete) writeAddress();
  else arrive();
});

/* Controls */

byId("controls", HTMLFormElement).onsubmit = (event) => {
  event.preventDefault();
  if (!lab.ready) return;
  // On a narrow screen the settings lie over the result.
  showSheet(false);
  if ($("to-settings").offsetParent) $("results").scrollIntoView({ block: "start" });
  lab.start();
};
$("cancel").onclick = onSinglePress(() => {
  lab.stop();
  $("run").focus();
});
settingsSheet();
document.querySelector(".skip")?.addEventListener("click", (event) => {
  // Not as a link: the fragment of the address is the specification.
  event.preventDefault();
  $(away ? "figures" : "results").focus();
});

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
  if (away) {
    history.pushState(null, "", labAddress || "#");
    showView();
    // It was never shown: what is dropped may turn out to be of no use.
    if (!lab.complete && !lab.result) arrive();
  }
  datasets.take(files);
});

for (const { number, title } of engine.figures) {
  const [id, href] = [`to-figure${number}`, `#view=figure${number}`];
  const link = el("a", { id, href, "data-testid": id }, `Figure ${number}`, el("small", {}, title));
  $("figure-links").append(link);
}
for (const button of document.querySelectorAll("button[id]")) {
  if (button instanceof HTMLElement) button.dataset.testid ??= button.id;
}

const cut = cutShort();
await pause();
showView();
if (!away) arrive(cut?.link);
// Not before its place is known: what stands above it depends on the data.
$("fields").hidden = false;

// What the first result does not need.
const rest = once(async () => {
  const [{ Keeper }, { workOffline }, { preparePrint }] = await Promise.all([
    import("./views/history.js"),
    import("./offline/offline.js"),
    import("./views/print.js"),
  ]);
  preparePrint(lab, () => resultAddress(lab));
  new Keeper(lab, cut);
  workOffline(lab);
});
// Left out without a word: the connection is gone, or a newer version has taken the place.
const loadRest = () => rest().catch(() => {});
lab.listen(({ type }) => ["done", "ended", "empty"].includes(type) && setTimeout(loadRest, 200));
setTimeout(loadRest, cut ? 0 : 2500);
