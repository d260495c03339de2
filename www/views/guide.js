/** The tour and the explained terms. Both are loaded when needed. */

import { $ } from "../ui/dom.js";
import { errorMessage } from "../core/words.js";
import { once } from "../core/once.js";

/** @import { Session } from "../core/session.js" */
/** @import { Story } from "./tour.js" */

export class Guide {
  /** @param {Session} lab */
  constructor(lab) {
    this.lab = lab;
    this.load = once(() => import("./tour.js").then(({ Story }) => new Story(lab)));
    /** @type {Story | null} once it was opened */
    this.story = null;
    /** The step to show; 0: none. */
    this.step = 0;
    $("tour").onclick = () => this.showStep(1, true);
    // After the first result, which takes less than a second.
    const terms = once(() =>
      import("../ui/terms.js").then(({ explainTerms }) => explainTerms(lab.engine.fields)),
    );
    const explain = () => terms().catch(() => {});
    setTimeout(explain, 1000);
    // Tried again if the connection was lost.
    lab.subscribe(({ type }) => type === "done" && setTimeout(explain, 1000));
  }

  /** Opens or closes the tour according to the link. */
  follow() {
    const step = Number(this.lab.view("story"));
    if (step) this.showStep(step, false);
    else {
      this.step = 0;
      this.story?.close();
    }
  }

  /**
   * @param {number} step from 1
   * @param {boolean} pressed by the user: the tour then gets the focus
   */
  async showStep(step, pressed) {
    this.step = step;
    try {
      this.story = await this.load();
      this.lab.withdraw("story");
    } catch (problem) {
      const text = `The tour could not be loaded (${errorMessage(problem)}). Check the connection, then press again, or reload the page.`;
      return this.lab.notice(text, "bad", "story");
    }
    if (this.step === step) this.story.open(step, pressed);
  }
}
