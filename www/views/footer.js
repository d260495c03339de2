/** The footer's links to the source code, if the page names its address. */

import { byId, $ } from "../ui/dom.js";

export function showSourceLinks() {
  const address = document.querySelector("meta[name=repository]")?.getAttribute("content");
  if (!address) return;
  byId("source-link", HTMLAnchorElement).href = address;
  byId("report-problem", HTMLAnchorElement).href = `${address}/issues`;
  $("repository-links").hidden = false;
}
