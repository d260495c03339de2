/** On narrow screens the settings are a sheet over the results, opened by a button. */

import { $ } from "./dom.js";

const narrow = matchMedia("(max-width: 900px)");

/** @param {boolean} open */
export function showSheet(open) {
  const [sheet, button] = [$("controls"), $("to-settings")];
  if (sheet.hasAttribute("data-open") === open) return;
  sheet.toggleAttribute("data-open", open);
  button.setAttribute("aria-expanded", String(open));
  button.textContent = open ? "Close" : "Settings";
  for (const other of document.querySelectorAll("body > header, body > footer, #results")) {
    if (other instanceof HTMLElement) other.inert = open;
  }
  if (open) {
    sheet.scrollTop = 0;
    /** @type {HTMLElement | null} */ (sheet.querySelector("input:checked"))?.focus();
  } else button.focus();
}

export function settingsSheet() {
  const sheet = $("controls");
  $("to-settings").onclick = () => showSheet(!sheet.hasAttribute("data-open"));
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") showSheet(false);
  });
  narrow.addEventListener("change", () => showSheet(false));
}
