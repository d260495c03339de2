/** The buttons of the main examples. All examples, with descriptions, are in examples.js. */

import { $, byId } from "../ui/dom.js";
import { errorMessage } from "../core/words.js";
import { once } from "../core/once.js";
import { DRAFTS, buttonOf } from "./preset_list.js";

/** @import { Session } from "../core/session.js" */
/** @import { Draft } from "../engine/types.js" */
/** @import { Preset } from "./preset_list.js" */

/** @param {Session} lab */
export function showPresets(lab) {
  const all = Object.entries(DRAFTS).map(([id, draft]) => {
    const button = buttonOf(/** @type {Preset} */ (id));
    button.onclick = () => {
      lab.adopt(draft);
      lab.start();
    };
    button.disabled = false;
    return { button, draft };
  });
  /** @param {Draft} draft */
  const linkOf = (draft) => {
    const own = lab.engine.complete(draft);
    return "errors" in own ? "" : own.link;
  };
  const examples = once(() => import("./examples.js").then(({ Examples }) => new Examples(lab)));
  const more = byId("all-examples", HTMLButtonElement);
  more.onclick = async () => {
    try {
      const all = await examples();
      lab.withdraw("examples");
      all.open();
    } catch (problem) {
      const text = `The examples could not be loaded (${errorMessage(problem)}). Check the connection, then press again, or reload the page.`;
      lab.notice(text, "bad", "examples");
    }
  };
  more.disabled = false;
  lab.subscribe(async (event) => {
    if (event.type === "changed") {
      for (const { button, draft } of all) {
        button.setAttribute("aria-pressed", String(linkOf(draft) === lab.complete?.link));
      }
    } else if (event.type === "started") {
      $("claim").hidden = true;
    } else if (event.type === "done" && event.run.link !== linkOf({})) {
      // Without a connection the paper's claim is not shown; the next result tries again.
      (await examples().catch(() => null))?.addResult(event.run.link, event.report);
    }
  });
}
