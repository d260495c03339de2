/**
 * Sharing a result: what its buttons do, and the clipboard. Loaded after the first result, or when a
 * button is pressed before; the module that makes the files is loaded when needed.
 */

import { $ } from "../ui/dom.js";
import { labFragment } from "../core/route.js";
import { errorMessage } from "../core/words.js";

/** @import { Session } from "../core/session.js" */
/** @import { Results } from "./results.js" */

const page = () => location.href.split("#")[0] ?? "";

/** The address of the result that is shown, with its colour map. @param {Session} lab */
export const resultAddress = (lab) =>
  `${page()}#${labFragment(lab.resultLink(), lab.keysWithout(["view", "embed"]))}`;

/**
 * Does what a button that shares or saves says.
 * @param {Session} lab
 * @param {Results} results
 * @param {string} what the id of the button
 */
export function share(lab, results, what) {
  const fragment = lab.fragment();
  switch (what) {
    case "print":
      return print();
    case "share-link":
      // The system's own sheet, where fingers expect it. Rejected if the user closes it.
      return navigator
        .share({ title: document.title, text: $("headline").textContent ?? "", url: `${page()}#${fragment}` })
        .catch(() => {});
    case "copy-command":
      showBeside(what);
      return copy($("command").textContent ?? "", "Command copied");
    case "copy-link":
      showBeside(what);
      if (fragment) return copy(`${page()}#${fragment}`, "Link copied");
      return lab.notice("There is no link yet: some settings are invalid.", "", "save");
    default:
      return saveOrCopy(lab, results, what);
  }
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
