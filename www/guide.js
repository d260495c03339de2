/** What helps to understand: the story and the explained terms. Both are loaded when needed. */

import { $ } from "./dom.js";

/** @import { Lab } from "./lab.js" */
/** @import { Story } from "./story.js" */

export class Guide {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {Promise<Story> | null} */
    this.story = null;
    $("tour").onclick = () => this.tell(1, true);
    // The terms come after the first result, which takes less than a second, so as not to delay it.
    const terms = () => import("./terms.js").then(({ explainTerms }) => explainTerms(lab.engine.fields));
    setTimeout(terms, 1000);
  }

  /** Opens or closes the story as the link says. */
  follow() {
    const step = Number(this.lab.others.find(([key]) => key === "story")?.[1]);
    if (step) this.tell(step, false);
    else this.story?.then((story) => story.close());
  }

  /**
   * @param {number} step from 1
   * @param {boolean} pressed by the user, who then wants to be in the story
   */
  async tell(step, pressed) {
    this.story ??= import("./story.js").then(({ Story }) => new Story(this.lab));
    (await this.story).open(step, pressed);
  }
}
