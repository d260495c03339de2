/** The print-only part of the page: all settings and the full link, built just before printing. */

import "../style/print.css";
import { $, el } from "../ui/dom.js";
import { minus, readable } from "../ui/text.js";
import * as views from "./report.js";

/** @import { Session } from "../core/session.js" */
/** @import { Spec } from "../engine/types.js" */

/**
 * @param {Session} lab
 * @param {() => string} address of the shown result
 */
export function preparePrint(lab, address) {
  addEventListener("beforeprint", () => {
    const { result } = lab;
    if (!result) return $("print-settings").replaceChildren();
    $("print-settings").replaceChildren(
      el("h2", {}, "All settings"),
      settingsList(lab, result.report.spec),
      el("p", {}, "Link: ", el("code", {}, address())),
    );
  });
}

/** Every setting of a result. @param {Session} lab @param {Spec} spec */
export function settingsList(lab, spec) {
  const rows = lab.engine.fields.flatMap(({ name, title }) => {
    const value = /** @type {Record<string, any>} */ (spec)[name];
    return value === null || value === undefined
      ? []
      : [el("dt", {}, title), el("dd", {}, settingText(value))];
  });
  return el("dl", { class: "facts" }, ...rows);
}

/** @param {unknown} value of a field */
function settingText(value) {
  if (Array.isArray(value)) return views.taskList(value);
  if (typeof value === "object" && value && "name" in value && "sha256" in value) {
    return `${value.name}, SHA-256 ${value.sha256}`;
  }
  return typeof value === "string" ? readable(value) : minus(String(value));
}
