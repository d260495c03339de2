/** The bare view for slides: the headline, the pictures that the link names, and the way back. */

import { $, el } from "../ui/dom.js";

/** @import { Lab } from "../core/lab.js" */

/** @type {HTMLAnchorElement | undefined} */
let link;

/** @param {Lab} lab */
export function showEmbed(lab) {
  if (!link) {
    link = el("a", { class: "embed-link", target: "_blank", rel: "noopener" }, "PATOM Lab");
    $("headline").after(link);
    lab.listen((event) => {
      if (["changed", "done"].includes(event.type)) show(lab);
    });
  }
  show(lab);
}

/** @param {Lab} lab */
function show(lab) {
  const others = lab.otherKeys(["view", "embed"]);
  const shown = lab.result?.link === lab.complete?.link ? lab.resultLink() : lab.complete?.link;
  link?.setAttribute("href", `./#${[shown ?? "", ...others].join("&")}`);
  // One picture or several; without a word both that tell the story.
  const wanted = (lab.view("view") || "curve,heatmaps").split(",");
  for (const card of document.querySelectorAll("[data-card]")) {
    const name = card instanceof HTMLElement ? card.dataset.card : "";
    card.toggleAttribute("data-shown", wanted.includes(name ?? ""));
  }
}
