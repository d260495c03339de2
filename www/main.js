/** Starts the page: creates the session and the views, and connects them. */

import { Live } from "./core/live.js";
import { Session } from "./core/session.js";
import { once } from "./core/once.js";
import { parseRoute } from "./core/route.js";
import { interruptedRun } from "./core/unload.js";
import { errorMessage } from "./core/words.js";
import { loadEngine } from "./engine/engine.js";
import { Solver } from "./engine/solver.js";
import { $, byId, el, onSinglePress } from "./ui/dom.js";
import { closeMenus } from "./ui/menus.js";
import { showNotices } from "./ui/notices.js";
import { settingsSheet, showSheet } from "./ui/sheet.js";
import { Datasets } from "./views/datasets.js";
import { Form } from "./views/form.js";
import { Guide } from "./views/guide.js";
import { Navigation } from "./views/navigation.js";
import { showPresets } from "./views/presets.js";
import { Results } from "./views/results.js";

/** @type {Session | null} once the engine is loaded */
let started = null;
addEventListener("error", (event) => pageFailed(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => pageFailed(event.reason));

/** @param {unknown} error */
function pageFailed(error) {
  const text = `Error in the page (${errorMessage(error)}). Reload it: the address holds your settings.`;
  started?.notice(text, "bad", "page", undefined, "all");
}

// early.js shows that the page cannot run here.
if (self.origin === "null") await new Promise(() => {});

// The address of another view shows nothing of the lab meanwhile.
$("lab").hidden = parseRoute(location.hash).view !== "lab";
const engine = await loadEngine().catch((error) => {
  $("lab").hidden = false;
  $("headline").textContent = "The engine could not be loaded";
  $("status").textContent = errorMessage(error);
  $("results").dataset.state = "failed";
  throw error;
});
$("engine-version").textContent = engine.version;

/** Splits the start, so that a slow phone answers a tap in between. */
const pause = () => new Promise((resolve) => setTimeout(resolve));
await pause();

const session = new Session(engine, new Solver(engine.module));
started = session;
showNotices(session);
const form = new Form($("fields"), engine.fields, (name, value) => session.choose(name, value));
const tune = el("button", { type: "button", id: "tune" }, "Choose λ by cross-validation");
tune.onclick = async () => {
  try {
    await (await import("./views/tune.js")).openTuning(session);
  } catch (error) {
    session.notice(`${errorMessage(error)}. Check the connection, then press again.`, "bad", "tune");
  }
};
form.addAction("lambda2", tune);
const defences = el("a", { id: "to-defences", href: "#view=defend" }, "Compare all defences");
defences.onclick = () => (defences.href = $("to-defend").getAttribute("href") ?? "");
form.addAction("sanitise_share", defences);
const runButton = byId("run", HTMLButtonElement);
const datasets = new Datasets(session, async (file) => {
  const { openProvenance } = await import("./core/provenance.js");
  openProvenance(file, session, (fragment) => navigation.open(fragment));
});
const summary = once(async () => new (await import("./views/summary.js")).DataSummary(session));
session.subscribe((event) => {
  // A user's file; published data sets have a note of their own.
  if (event.type === "opened" && event.opened.reading) {
    summary().then(
      (view) => view.show(event.opened),
      (error) => session.notice(`${errorMessage(error)}. The summary of the file is not shown.`, "bad"),
    );
  }
  if (event.type === "changed") return showForm();
  // The names of the tasks may be known only now.
  if (event.type === "done" && session.complete && !session.description()) {
    form.show(session.complete, event.report.task_names);
  }
  if (event.type === "ended" && event.problem?.field) form.complain([event.problem]);
});
new Live(session);
const results = new Results(engine, session);
showPresets(session);
const guide = new Guide(session);
closeMenus();
$("results").addEventListener("click", ({ target }) => {
  const button = target instanceof Element && target.closest(".menu button, #facts-card .actions > button");
  if (!button) return;
  import("./views/share.js").then(
    ({ share }) => share(session, results, button.id),
    (error) =>
      session.notice(`${errorMessage(error)}. Check the connection, then press again.`, "bad", "save"),
  );
});
$("share-link").hidden = !("share" in navigator && matchMedia("(hover: none)").matches);

/** @type {import("./views/reading.js").View | null} once there is a result to read */
let reading = null;
const openView = once(async (/** @type {import("./engine/types.js").RunState | null} */ run) => {
  const { openReading } = await import("./views/reading.js");
  reading = await openReading(session, results, run);
});
session.subscribe((event) => {
  // After the first result, or during a run that takes long.
  const slow = event.type === "progress" && performance.now() - event.run.start > 1000;
  if (!slow && event.type !== "done" && event.type !== "ended") return;
  // The result is shown first.
  setTimeout(() =>
    openView(event.run).catch((error) =>
      session.notice(`${errorMessage(error)}. The poisoned points are not shown.`, "bad", "reading"),
    ),
  );
});
const navigation = new Navigation(session, guide, (link) => reading?.finished(link));

function showForm() {
  const left = form.complain(session.problems);
  $("form-error").textContent = left.map(({ message }) => message).join("; ");
  $("form-error").hidden = left.length === 0;
  if (session.complete) form.show(session.complete, session.description()?.task_names ?? []);
  tune.disabled = runButton.disabled = !session.ready;
}

/* Controls */

byId("controls", HTMLFormElement).onsubmit = (event) => {
  event.preventDefault();
  if (!session.ready) return;
  // On a narrow screen the settings cover the result.
  showSheet(false);
  if ($("to-settings").offsetParent) $("results").scrollIntoView({ block: "start" });
  session.start();
};
$("cancel").onclick = onSinglePress(() => {
  session.stop();
  $("run").focus();
});
settingsSheet();
document.querySelector(".skip")?.addEventListener("click", (event) => {
  // The fragment of the address is the specification, so the link must not change it.
  event.preventDefault();
  $(navigation.isAway ? "figures" : "results").focus();
});

const presenter = once(async () => new (await import("./views/presenter.js")).Presenter(session));
addEventListener("keydown", (event) => {
  const { key, target, altKey, ctrlKey, metaKey } = event;
  const writes =
    target instanceof HTMLElement &&
    target.matches("input:not([type=range], [type=radio], [type=checkbox]), select, textarea");
  const isOn = document.documentElement.hasAttribute("data-present");
  const wanted = key.toLowerCase() === "f" ? !isOn : key === "Escape" ? false : isOn;
  const away = navigation.isAway || document.documentElement.hasAttribute("data-embed");
  if (wanted === isOn || writes || altKey || ctrlKey || metaKey || away) return;
  // Without a connection the key does nothing.
  presenter().then(
    (view) => view.show(wanted),
    () => {},
  );
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
  navigation.toLab();
  datasets.take(files);
});

for (const button of document.querySelectorAll("button[id]")) {
  if (button instanceof HTMLElement) button.dataset.testid ??= button.id;
}

const interrupted = interruptedRun();
await pause();
navigation.show();
if (!navigation.isAway) navigation.arrive(interrupted?.long ? interrupted.link : undefined);
// The data decide the height of what is above the fields.
$("fields").hidden = false;

/** @type {import("./engine/types.js").Result[] | null} results, until the list of recent ones is loaded */
let early = [];
session.subscribe(({ type }) => type === "done" && session.result && early?.push(session.result));

// Not needed for the first result.
const rest = once(async () => {
  const [{ resultAddress }, { Confirmer }, confirmation, { History }, history, offline, print, footer] =
    await Promise.all([
      import("./views/share.js"),
      import("./engine/confirm.js"),
      import("./views/confirmation.js"),
      import("./core/history.js"),
      import("./views/history.js"),
      import("./offline/offline.js"),
      import("./views/print.js"),
      import("./views/footer.js"),
    ]);
  print.preparePrint(session, () => resultAddress(session));
  history.showHistory(session, new History(session, early ?? []), interrupted);
  early = null;
  confirmation.showConfirmation(session, new Confirmer(session));
  offline.workOffline(session);
  footer.showSourceLinks();
});
// Without a message: the connection was lost, or a newer version replaced these files.
const loadRest = () => rest().catch(() => {});
session.subscribe(({ type }) => ["done", "ended", "empty"].includes(type) && setTimeout(loadRest, 200));
setTimeout(loadRest, interrupted ? 0 : 2500);
