/** Settings to start from: one press each. */

import { $, el } from "./dom.js";

/** @import { Lab } from "./lab.js" */
/** @import { Draft } from "./types.js" */

/** @type {{name: string, draft: Draft}[]} */
const PRESETS = [
  { name: "Direct", draft: {} },
  { name: "Indirect: through other tasks", draft: { attack: "indirect" } },
  { name: "Random points", draft: { method: "random" } },
  { name: "The paper’s own step", draft: { gradient: "published", step: "constant" } },
  { name: "Sarcos", draft: { dataset: "sarcos" } },
  { name: "Landmine", draft: { dataset: "landmine" } },
];

/** @param {Lab} lab */
export function showPresets(lab) {
  const buttons = PRESETS.map(({ name, draft }) => {
    const button = el("button", { type: "button" }, name);
    button.onclick = () => {
      lab.adopt(draft);
      lab.start();
    };
    return button;
  });
  $("presets").append(...buttons);
  lab.listen((event) => {
    if (event.type !== "changed") return;
    PRESETS.forEach(({ draft }, k) => {
      const own = lab.engine.complete(draft);
      const pressed = !("errors" in own) && own.link === lab.complete?.link;
      buttons[k]?.setAttribute("aria-pressed", String(pressed));
    });
  });
}
