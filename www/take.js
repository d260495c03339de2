/** Taking a result along: link, command, files, pictures. */

import { $, download } from "./dom.js";

/** @import { Lab } from "./lab.js" */
/** @import { Results } from "./results.js" */
/** @import { Report } from "./types.js" */

/**
 * @param {Lab} lab
 * @param {Results} results
 */
export function offerFiles(lab, results) {
  lab.listen((event) => {
    if (event.type === "done") $("command").textContent = command(event.report, event.run.link);
  });
  $("copy-link").onclick = () => copy(`${location.href.split("#")[0]}#${lab.fragment()}`, "Link copied");
  $("copy-command").onclick = () => copy($("command").textContent ?? "", "Command copied");
  $("save-report").onclick = () => {
    if (lab.result) download("report.json", new Blob([lab.result.json], { type: "application/json" }));
  };
  $("save-points").onclick = async () => {
    try {
      const csv = await lab.solver.points();
      if (csv) return download("points.csv", new Blob([csv], { type: "text/csv" }));
    } catch (problem) {
      const { message } = /** @type {import("./types.js").Problem} */ (problem);
      return lab.notice(message, "bad", "points");
    }
    lab.notice("The points of this run are gone: run it again.", "", "points");
  };
  $("save-curve").onclick = () => savePicture("curve.png", [results.curve.canvas]);
  $("save-heatmaps").onclick = () =>
    savePicture("correlations.png", results.heatmaps.shown.map(({ canvas }) => canvas));
}

/**
 * @param {Report} report
 * @param {string} link
 */
function command(report, link) {
  const what = typeof report.spec.dataset === "string" ? `'#${link}'` : "spec.json";
  return `cargo run --release -- run ${what} --out out`;
}

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
