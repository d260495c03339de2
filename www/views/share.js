/** Sharing a result: menus and clipboard. The module that makes the files is loaded when needed. */

import { $ } from "../ui/dom.js";
import { labFragment } from "../core/route.js";
import { errorMessage } from "../core/words.js";

/** @import { Session } from "../core/session.js" */
/** @import { Results } from "./results.js" */
/** @import { Report } from "../engine/types.js" */

const page = () => location.href.split("#")[0] ?? "";

/** The address of the result that is shown, with its colour map. @param {Session} lab */
export const resultAddress = (lab) =>
  `${page()}#${labFragment(lab.resultLink(), lab.keysWithout(["view", "embed"]))}`;

/**
 * @param {Session} lab
 * @param {Results} results
 */
export function offerFiles(lab, results) {
  lab.subscribe((event) => {
    if (event.type === "done") $("command").textContent = command(event.report, event.run.link);
  });
  $("copy-link").onclick = () => {
    const fragment = lab.fragment();
    showBeside("copy-link");
    if (fragment) copy(`${page()}#${fragment}`, "Link copied");
    else lab.notice("There is no link yet: some settings are invalid.", "", "save");
  };
  // The system's own sheet, where fingers expect it.
  $("share-link").hidden = !("share" in navigator && matchMedia("(hover: none)").matches);
  $("share-link").onclick = () => {
    const url = `${page()}#${lab.fragment()}`;
    // Rejected if the user closes the sheet.
    navigator.share({ title: document.title, text: $("headline").textContent ?? "", url }).catch(() => {});
  };
  $("copy-command").onclick = () => {
    showBeside("copy-command");
    copy($("command").textContent ?? "", "Command copied");
  };
  $("print").onclick = () => print();
  for (const button of document.querySelectorAll(
    "[id^='save-'], [id^='embed-'], #copy-embed, #copy-python",
  )) {
    button.addEventListener("click", () => saveOrCopy(lab, results, button.id));
  }
  closeMenus();
}

/**
 * @param {Session} lab
 * @param {Results} results
 * @param {string} what the id of a button
 */
async function saveOrCopy(lab, results, what) {
  if (!lab.result) return;
  try {
    const { python, save, snippet } = await import("./export.js");
    const shown = { lab, results, result: lab.result, address: resultAddress(lab) };
    if (what.startsWith("save-")) {
      await save(shown, what.slice("save-".length));
    } else {
      showBeside(what);
      if (what === "copy-python") return await copy(python(shown), "Python copied");
      await copy(snippet(shown, what.replace(/^.*-/, "")), "iframe copied");
    }
  } catch (problem) {
    lab.notice(`Saving failed: ${errorMessage(problem)}.`, "bad", "save");
  }
}

/** Menus close after a choice, with Escape, and on a click outside. */
function closeMenus() {
  /** @param {(menu: Element) => boolean} which */
  const close = (which) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (which(menu)) menu.removeAttribute("open");
    }
  };
  const inside = (/** @type {Element} */ menu, /** @type {EventTarget | null} */ target) =>
    target instanceof Node && menu.contains(target);
  addEventListener("pointerdown", ({ target }) => close((menu) => !inside(menu, target)));
  addEventListener("focusin", ({ target }) => close((menu) => !inside(menu, target)));
  addEventListener("click", ({ target }) => target instanceof HTMLButtonElement && close(() => true));
  addEventListener("keydown", ({ key, target }) => {
    const open = target instanceof Element && target.closest("details.menu[open]");
    if (key !== "Escape" || !open) return;
    close(() => true);
    open.querySelector("summary")?.focus();
  });
}

/**
 * @param {Report} report
 * @param {string} link
 */
function command(report, link) {
  const columns = report.columns ? ` --columns '${report.columns.replaceAll("'", `'\\''`)}'` : "";
  const what = typeof report.spec.dataset === "string" ? `'#${link}'` : `spec.json${columns}`;
  return `cargo run --release -- run ${what} --out out`;
}

/** What a button did is shown beside it. @param {string} id of the button */
function showBeside(id) {
  const button = $(id);
  (button.closest(".menu") ?? button).after($("copied"));
}

let copiedTimer = 0;
/** @param {string} text @param {string} done */
async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    $("copied").textContent = done;
  } catch {
    $("copied").textContent = "The browser does not allow access to the clipboard here.";
  }
  clearTimeout(copiedTimer);
  copiedTimer = setTimeout(() => ($("copied").textContent = ""), 4000);
}
