/** Settings to start from: one press each. All of them, with what they show, are in examples.js. */

import { $, el } from "./dom.js";

/** @import { Examples } from "./examples.js" */
/** @import { Lab } from "./lab.js" */
/** @import { Draft } from "./types.js" */

/** The most useful ones. @satisfies {Record<string, {name: string, draft: Draft}>} */
export const PRESETS = {
  direct: { name: "Direct", draft: {} },
  indirect: { name: "Indirect: through other tasks", draft: { attack: "indirect" } },
  random: { name: "Random points", draft: { method: "random" } },
  constant: { name: "The paper’s own step", draft: { gradient: "published", step: "constant" } },
  sarcos: { name: "Sarcos", draft: { dataset: "sarcos" } },
  landmine: { name: "Landmine", draft: { dataset: "landmine" } },
};

/** @param {Lab} lab */
export function showPresets(lab) {
  const all = Object.values(PRESETS);
  const buttons = all.map(({ name, draft }) => {
    const button = el("button", { type: "button" }, name);
    button.onclick = () => {
      lab.adopt(draft);
      lab.start();
    };
    return button;
  });
  $("presets").append(...buttons);
  /** @param {Draft} draft */
  const linkOf = (draft) => {
    const own = lab.engine.complete(draft);
    return "errors" in own ? "" : own.link;
  };
  /** @type {Promise<Examples> | null} */
  let loading = null;
  const examples = () =>
    (loading ??= import("./examples.js").then(({ Examples }) => new Examples(lab)));
  $("all-examples").onclick = async () => (await examples()).open();
  lab.listen(async (event) => {
    if (event.type === "changed") {
      all.forEach(({ draft }, k) => {
        buttons[k]?.setAttribute("aria-pressed", String(linkOf(draft) === lab.complete?.link));
      });
    } else if (event.type === "started") {
      $("claim").hidden = true;
    } else if (event.type === "done" && event.run.link !== linkOf({})) {
      (await examples()).heard(event.run.link, event.report);
    }
  });
}
