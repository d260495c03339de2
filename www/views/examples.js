/** The dialog of examples: runs them, and shows our results. What they are is in example_list.js. */

import "../style/examples.css";
import { viewAddress } from "../core/route.js";
import { outcomeOf, runComparisons } from "./comparison.js";
import { $, el } from "../ui/dom.js";
import { DATA, EXAMPLES } from "./example_list.js";

/** @import { Outcome } from "./comparison.js" */
/** @import { Session } from "../core/session.js" */
/** @import { Example } from "./example_list.js" */
/** @import { Draft, Problem, Report } from "../engine/types.js" */

/** @param {Example} example */
const dataOf = ({ draft }) => String(draft["dataset"] ?? "synthetic");

export class Examples {
  /** @param {Session} lab */
  constructor(lab) {
    this.lab = lab;
    /** @type {Map<string, Outcome>} by link, of this session */
    this.outcomes = new Map();
    /** @type {Map<string, HTMLElement>} by id: the element that shows our result */
    this.numbers = new Map();
    const close = el(
      "button",
      { type: "button", "data-testid": "examples-close", onclick: () => this.dialog.close() },
      "Close",
    );
    this.fill = el(
      "button",
      { type: "button", "data-testid": "examples-fill", onclick: () => this.fillIn() },
      "Run all examples",
    );
    this.status = el("span", { role: "status", "data-testid": "examples-status" });
    this.lists = el("div", { class: "example-lists" });
    this.dialog = el(
      "dialog",
      { id: "examples", "aria-labelledby": "examples-title", "data-testid": "examples" },
      el(
        "div",
        { class: "card-head" },
        el("h2", { id: "examples-title" }, "Examples"),
        this.status,
        this.fill,
        close,
      ),
      this.lists,
    );
    document.body.append(this.dialog);
  }

  /** @param {Draft} draft */
  link(draft) {
    const complete = this.lab.engine.complete(draft);
    return "errors" in complete ? "" : complete.link;
  }

  open() {
    this.show();
    this.dialog.showModal();
  }

  show() {
    const groups = Object.entries(DATA).map(([data, { title, time }]) => {
      const available = this.lab.isThere(data);
      const note = available
        ? `about ${time} each`
        : "not included in this build: open its files under “Data” first";
      const mine = EXAMPLES.filter((example) => dataOf(example) === data);
      return el(
        "section",
        { "aria-labelledby": `examples-${data}` },
        el("h3", { id: `examples-${data}` }, title, el("small", {}, ` ${note}`)),
        el("ul", { class: "example-list" }, ...mine.map((example) => this.card(example, available))),
      );
    });
    const figures = this.lab.engine.figures.map(({ number, title, claim, datasets }) => {
      const link = el(
        "a",
        {
          href: `#view=figure${number}`,
          "data-testid": `example-figure${number}`,
          onclick: () => this.dialog.close(),
        },
        `Figure ${number}: ${title.toLowerCase()}`,
      );
      return el(
        "li",
        { class: "example" },
        el("h4", {}, link),
        el("p", {}, `The full figure: ${datasets.map((name) => DATA[name]?.title ?? name).join(", ")}.`),
        el(
          "dl",
          { class: "claims" },
          el("dt", {}, "The paper"),
          el("dd", {}, claim),
          el("dt", {}, "This page"),
          el("dd", {}, "Shown next to the curves of the figure."),
        ),
      );
    });
    this.lists.replaceChildren(
      el(
        "section",
        { "aria-labelledby": "examples-figures" },
        el(
          "h3",
          { id: "examples-figures" },
          "The paper's figures",
          el("small", {}, " many runs each, seconds to a minute"),
        ),
        el("ul", { class: "example-list" }, ...figures),
      ),
    );
    this.lists.prepend(...groups);
    this.showNumbers();
  }

  /** @param {Example} example @param {boolean} available */
  card(example, available) {
    const { id, name, shows, paper, risk } = example;
    const href = viewAddress("risk", this.link({ dataset: dataOf(example) }));
    const close = () => this.dialog.close();
    const run = () => {
      this.dialog.close();
      this.lab.adopt(example.draft);
      this.lab.start();
      $("results").scrollIntoView({ block: "start" });
    };
    const number = el("dd", { "data-testid": `here-${id}` });
    this.numbers.set(id, number);
    const rows = [el("dt", {}, "This page"), number];
    if (paper)
      rows.unshift(
        el("dt", {}, "The paper"),
        el("dd", {}, `“${paper.quote}” `, el("cite", {}, paper.section)),
      );
    return el(
      "li",
      { class: "example" },
      el(
        "h4",
        {},
        el(
          "button",
          { type: "button", "data-testid": `example-${id}`, disabled: !available, onclick: run },
          name,
        ),
      ),
      el("p", {}, shows),
      risk && el("p", {}, el("a", { href, "data-testid": `risk-of-${id}`, onclick: close }, risk)),
      el("dl", { class: "claims" }, ...rows),
    );
  }

  /** Our result of an example as a sentence, empty until its runs are done. @param {Example} example */
  sentence(example) {
    const complete = this.lab.engine.complete(example.draft);
    if ("errors" in complete) return "";
    const outcome = this.outcomes.get(complete.link);
    const comparison = example.comparison ? this.outcomes.get(this.link(example.comparison)) : undefined;
    return outcome ? example.result(outcome, complete.spec, comparison ?? null) : "";
  }

  showNumbers() {
    for (const example of EXAMPLES) {
      const number = this.numbers.get(example.id);
      if (!number) continue;
      const available = this.lab.isThere(dataOf(example));
      const sentence = this.sentence(example);
      number.textContent = sentence || (available ? "not run yet" : "data not available");
      number.classList.toggle("absent", sentence === "");
    }
  }

  /** The drafts of these examples that can be run and have not been. @param {Example[]} examples */
  missing(examples) {
    const drafts = examples
      .filter((example) => this.lab.isThere(dataOf(example)))
      .flatMap(({ draft, comparison }) => (comparison ? [draft, comparison] : [draft]));
    const byLink = new Map(drafts.map((draft) => [this.link(draft), draft]));
    return [...byLink].filter(([link]) => !this.outcomes.has(link));
  }

  /**
   * Runs the missing drafts of these examples; returns the message of a failure, or "".
   * @param {Example[]} examples
   * @param {(done: number, all: number) => void} onDone
   */
  async complete(examples, onDone) {
    const missing = this.missing(examples);
    let [done, failed] = [0, ""];
    const workers = Math.min(navigator.hardwareConcurrency || 2, 4);
    if (missing.length === 0) return "";
    try {
      await runComparisons(
        this.lab,
        missing.map(([, draft]) => draft),
        workers,
        (k, outcome) => {
          const link = missing[k]?.[0] ?? "";
          if ("clean" in outcome) this.outcomes.set(link, outcome);
          else failed = outcome.message;
          onDone(++done, missing.length);
        },
      );
    } catch (problem) {
      failed = /** @type {Problem} */ (problem).message;
    }
    return failed;
  }

  async fillIn() {
    this.fill.disabled = true;
    this.status.textContent = "Running …";
    const failed = await this.complete(EXAMPLES, (done, all) => {
      this.status.textContent = `${done} of ${all} runs`;
      this.showNumbers();
    });
    this.status.textContent = failed
      ? `Some runs failed: ${failed}`
      : "All results were computed on this computer.";
    this.fill.disabled = false;
    this.showNumbers();
  }

  /**
   * Records a result; if it reproduces an experiment of the paper, shows the paper's claim in the summary.
   * @param {string} link
   * @param {Report} report
   */
  async addResult(link, report) {
    this.outcomes.set(link, outcomeOf(report));
    if (this.dialog.open) this.showNumbers();
    const example = EXAMPLES.find(({ draft, paper }) => paper && this.link(draft) === link);
    if (!example?.paper) return;
    const here = el("dd", { "data-testid": "claim-here" }, this.sentence(example));
    $("claim").replaceChildren(
      el(
        "dl",
        { class: "claims" },
        el("dt", {}, "The paper"),
        el("dd", {}, `“${example.paper.quote}” `, el("cite", {}, example.paper.section)),
        el("dt", {}, "This page"),
        here,
      ),
    );
    $("claim").hidden = false;
    await this.complete([example], () => {});
    here.textContent = this.sentence(example);
  }
}
