/** The address: shows the view that it names, and writes the link of the lab into it. */

import { figureAddress, parseRoute } from "../core/route.js";
import { errorMessage } from "../core/words.js";
import { $, el } from "../ui/dom.js";

/** @import { Session } from "../core/session.js" */
/** @import { DatasetRef, Figure, Report } from "../engine/types.js" */
/** @import { Guide } from "./guide.js" */

/** Milliseconds between results of a moved slider, which are one entry of the browser's history. */
const SERIES = 3000;

export class Navigation {
  /**
   * @param {Session} session
   * @param {Guide} guide
   * @param {(link: string) => Report | undefined} finished the report of a link that was run already
   */
  constructor(session, guide, finished) {
    this.session = session;
    this.guide = guide;
    /** The address of the lab as it was last written. */
    this.labAddress = "";
    this.writing = 0;
    /** The settings of the result that the present entry of the browser's history has; empty: of none. */
    this.entry = "";
    /** The link of the last result. */
    this.finished = "";
    /** When a run that started by itself ended, by the page's clock. */
    this.liveAt = -Infinity;
    /** The field that started it. */
    this.liveField = "";
    /** A link was opened, and the chart that it names has not been shown yet. */
    this.arriving = false;
    /** @type {Map<number, import("./figures.js").View>} by number, once they were shown */
    this.figures = new Map();
    /** @type {import("./compare.js").View | null} once it was shown */
    this.comparison = null;
    /** What the other views need from the lab. */
    this.surroundings = {
      has: session.isThere.bind(session),
      source: session.sourceOf.bind(session),
      sourceFor: session.sourceFor.bind(session),
      distrust: session.distrust.bind(session),
      /** @param {DatasetRef | undefined} ref */
      shape: (ref) =>
        typeof ref === "object" ? session.opened.get(ref.sha256)?.description.shape : undefined,
      finished,
      session,
    };
    for (const { number, title } of session.engine.figures) {
      const [id, href] = [`to-figure${number}`, figureAddress(number)];
      $("figure-links").append(
        el("a", { id, href, "data-testid": id }, `Figure ${number}`, el("small", {}, title)),
      );
    }
    addEventListener("hashchange", () => {
      this.show();
      if (this.isAway) return;
      const known = [`#${session.fragment()}`, this.labAddress].includes(location.hash);
      if (known && session.complete) this.write();
      else this.arrive();
    });
    session.subscribe((event) => {
      const { type } = event;
      if (["changed", "started", "done"].includes(type)) this.write();
      if (type !== "done") return;
      if (event.run.live) [this.liveAt, this.liveField] = [performance.now(), session.chosen];
      this.finished = session.result?.link ?? "";
      // After the result is drawn, when the page has its full height.
      if (this.arriving) requestAnimationFrame(() => showCard(session.view("view")));
      this.arriving = false;
    });
  }

  /** Is another view than the lab shown? */
  get isAway() {
    return this.session.route.view !== "lab";
  }

  /** Writes the link of the lab into the address. */
  write() {
    // Browsers refuse more than a hundred changes in a few seconds, which a slider exceeds.
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      const fragment = this.session.fragment();
      if (this.isAway || !fragment) return;
      this.setLabAddress(`#${fragment}`);
      const { link } = this.session.complete ?? {};
      const { entry } = this;
      // The run may have ended before its settings were written.
      if (link !== undefined) this.entry = link === this.finished ? link : link === entry ? entry : "";
      if (this.labAddress === location.hash) return;
      // A result stays in the browser's history when other settings follow; of a moved slider, the last one.
      const isNew = entry !== "" && link !== undefined && link !== entry;
      const isMoved = performance.now() - this.liveAt <= SERIES && this.liveField === this.session.chosen;
      if (isNew && !isMoved) history.pushState(null, "", this.labAddress);
      else history.replaceState(null, "", this.labAddress);
    }, 60);
  }

  /** @param {string} address */
  setLabAddress(address) {
    this.labAddress = address;
    $("to-lab").setAttribute("href", address || "#");
  }

  /** Shows the view of the address. */
  show() {
    const route = parseRoute(location.hash);
    const before = this.isAway;
    const { view, figure } = route;
    for (const dialog of document.querySelectorAll("dialog")) dialog.close();
    this.session.go(route);
    $("lab").hidden = this.isAway;
    $("figures").hidden = !this.isAway;
    $("figure-links").hidden = view !== "figure";
    $(this.isAway ? "figures" : "results").prepend($("notices"));
    const current = { lab: "to-lab", figure: "to-figures", compare: "to-compare" }[view];
    for (const link of document.querySelectorAll(".views a")) {
      if ([current, `to-figure${figure}`].includes(link.id)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.embed(route.embed);
    const name = { lab: "", figure: `Figure ${figure} · `, compare: "Compare · " }[view];
    document.title = `${name}PATOM Lab`;
    if (before !== this.isAway) scrollTo(0, 0);
    if (!this.isAway) return;
    this.session.withdraw("view");
    // The way back: a link of the lab in the address, or the lab as it was left.
    if (route.lab) $("to-lab").setAttribute("href", `#${route.lab}`);
    if (view === "compare") return this.showComparison();
    const about = this.session.engine.figures.find(({ number }) => number === figure);
    if (!about) return;
    $("to-figures").setAttribute("href", figureAddress(figure));
    this.showFigure(about);
  }

  async showComparison() {
    const { session } = this;
    if (!this.comparison) {
      $("figure").replaceChildren(el("p", { class: "lead" }, "Loading the comparison …"));
      try {
        const { openCompare } = await import("./compare.js");
        this.comparison ??= await openCompare(session.engine, this.surroundings);
      } catch (error) {
        return this.viewFailed(error);
      }
    }
    const { view, left, right } = session.route;
    if (view !== "compare") return;
    if ($("figure").firstChild !== this.comparison.root) $("figure").replaceChildren(this.comparison.root);
    this.comparison.open(left, right);
  }

  /** @param {Figure} about */
  async showFigure(about) {
    const { session } = this;
    let shown = this.figures.get(about.number);
    if (!shown) {
      $("figure").replaceChildren(el("p", { class: "lead" }, `Loading figure ${about.number} …`));
      try {
        const { openFigure } = await import("./figures.js");
        shown = await openFigure(session.engine, about, this.surroundings);
      } catch (error) {
        return this.viewFailed(error);
      }
      // Opened twice meanwhile: the first one stays.
      shown = this.figures.get(about.number) ?? shown;
      this.figures.set(about.number, shown);
    }
    const { figure, datasets, seeds } = session.route;
    if (figure !== about.number) return;
    if ($("figure").firstChild !== shown.root) $("figure").replaceChildren(shown.root);
    shown.ask(datasets, seeds);
  }

  /** @param {unknown} error */
  viewFailed(error) {
    const text = `${errorMessage(error)}. Check the connection, then open the view again.`;
    this.session.notice(text, "bad", "view", undefined, "all");
  }

  /** @param {boolean} on */
  async embed(on) {
    const root = document.documentElement;
    root.toggleAttribute("data-embed", on);
    // Slides have a theme of their own.
    const theme = on ? /[#&]theme=(light|dark)(?:&|$)/.exec(location.hash)?.[1] : undefined;
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    if (on) (await import("./embed.js")).showEmbed(this.session);
  }

  /** Opens a link in place. @param {string} fragment */
  open(fragment) {
    history.pushState(null, "", `#${fragment}`);
    this.show();
    if (!this.isAway) this.arrive();
  }

  /**
   * Opens the link of the lab that is in the address.
   * @param {string} [held] the link of a run that is not started
   */
  arrive(held) {
    this.arriving = true;
    this.entry = this.finished = "";
    this.setLabAddress(location.hash);
    this.session.openLink(this.session.route.lab, held);
    this.guide.follow();
  }

  /** Leaves another view for the lab, which is about to read a file. */
  toLab() {
    if (!this.isAway) return;
    history.pushState(null, "", this.labAddress || "#");
    this.show();
    // The lab was never shown, and the file may turn out to be unreadable.
    if (!this.session.complete && !this.session.result) this.arrive();
  }
}

/** Scrolls to the card that a link names. @param {string} [view] */
function showCard(view) {
  const cards = [...document.querySelectorAll("[data-card]")];
  const wanted = cards.find((card) => card instanceof HTMLElement && card.dataset.card === view);
  wanted?.scrollIntoView({ block: "start" });
}
