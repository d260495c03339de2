/** The embedded view for slides: the headline, the charts that the link names, and a link to the page. */

import "../style/embed.css";
import "../style/presenter.css";
import { labFragment } from "../core/route.js";
import { $, el } from "../ui/dom.js";

/** @import { Session } from "../core/session.js" */

/** @type {HTMLAnchorElement | undefined} */
let link;

/** @param {Session} lab */
export function showEmbed(lab) {
  if (!link) {
    link = el("a", { class: "embed-link", target: "_blank", rel: "noopener" }, "PATOM Lab");
    $("headline").after(link);
    lab.subscribe((event) => {
      if (["changed", "done"].includes(event.type)) render(lab);
      if (event.type === "done") report({ digest: event.report.digest });
    });
    // The first run may be over before this module is loaded.
    if (lab.result) report({ digest: lab.result.report.digest });
    // The frame of `<patom-lab>` follows: see public/patom-lab.js.
    new ResizeObserver(() => report({ height: document.body.offsetHeight })).observe(document.body);
  }
  render(lab);
}

/** @param {Session} lab */
function render(lab) {
  if (lab.route.view !== "lab") {
    $("figure").after(link ?? "");
    const own = location.hash.replace(/&(embed|theme)=[^&]*/g, "");
    return link?.setAttribute("href", `./${own}`);
  }
  const shown = lab.result?.link === lab.complete?.link ? lab.resultLink() : lab.complete?.link;
  link?.setAttribute("href", `./#${labFragment(shown ?? "", lab.keysWithout(["view", "embed"]))}`);
  // The link names the charts, separated by commas; the default is these two.
  const wanted = (lab.view("view") || "curve,heatmaps").split(",");
  // For a slide: as on a stage.
  const stage = wanted.includes("stage");
  document.documentElement.toggleAttribute("data-present", stage);
  for (const card of document.querySelectorAll("[data-card]")) {
    const name = card instanceof HTMLElement ? card.dataset.card : "";
    card.toggleAttribute("data-shown", wanted.includes(name ?? ""));
  }
}

/** Says something of this view to the page that embeds it. @param {{digest: string} | {height: number}} what */
function report(what) {
  if (parent !== window) parent.postMessage({ type: "patom-lab", ...what }, "*");
}
