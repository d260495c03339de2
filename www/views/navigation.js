/** The address: shows the view that it names, and writes the link of the lab into it. */

import { figureAddress, parseRoute, viewAddress } from "../core/route.js";
import { errorMessage } from "../core/words.js";
import { $, el } from "../ui/dom.js";

/** @import { Session } from "../core/session.js" */
/** @import { Route } from "../core/route.js" */
/** @import { DatasetRef, Figure, Report } from "../engine/types.js" */
/** @import { Guide } from "./guide.js" */

/**
 * What every view other than the lab has: its element, and how it shows an address that names it.
 * @typedef {{root: HTMLElement, open: (route: Route) => void}} View
 */

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
    /** Views that were shown, by the id of their link. @type {Map<string, View>} */
    this.views = new Map();
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
    const { hash } = location;
    this.writing = setTimeout(() => {
      // The user has edited the address: the event is on its way.
      if (location.hash !== hash) return;
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
    const { link } = this.session.complete ?? {};
    for (const view of /** @type {const} */ (["risk", "defend"])) {
      if (link !== undefined) $(`to-${view}`).setAttribute("href", viewAddress(view, link));
    }
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
    const id = view === "figure" ? `to-figure${figure}` : `to-${view}`;
    const current = [id, view === "figure" ? "to-figures" : ""];
    for (const link of document.querySelectorAll(".views a")) {
      if (current.includes(link.id)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.embed(route.embed);
    const name = figure ? `Figure ${figure}` : $(id).textContent;
    document.title = `${view === "lab" ? "" : `${name} · `}PATOM Lab`;
    if (before !== this.isAway) scrollTo(0, 0);
    if (!this.isAway) return;
    this.session.withdraw("view");
    // The way back: a link of the lab in the address, or the lab as it was left.
    if (route.lab) $("to-lab").setAttribute("href", `#${route.lab}`);
    if (figure) $("to-figures").setAttribute("href", figureAddress(figure));
    this.showView(id);
  }

  /** Shows the view of the address, and loads it before. @param {string} id of its link */
  async showView(id) {
    const { session } = this;
    let shown = this.views.get(id);
    if (!shown) {
      $("figure").replaceChildren(el("p", { class: "lead" }, "Loading …"));
      try {
        shown = await this.load(session.route);
      } catch (error) {
        return this.viewFailed(error);
      }
      // Opened twice meanwhile: the first one stays.
      shown = this.views.get(id) ?? shown;
      this.views.set(id, shown);
    }
    const { view, figure } = session.route;
    if (id !== `to-${view}${figure || ""}`) return;
    if ($("figure").firstChild !== shown.root) $("figure").replaceChildren(shown.root);
    shown.open(session.route);
  }

  /** @param {Route} route @returns {Promise<View>} */
  async load({ view, figure }) {
    const { engine } = this.session;
    const page = this.surroundings;
    switch (view) {
      case "risk":
        return (await import("./risk.js")).openRisk(engine, page);
      case "defend":
        return (await import("./defend.js")).openDefend(engine, page);
      case "compare":
        return (await import("./compare.js")).openCompare(engine, page);
      default: {
        const about = /** @type {Figure} */ (engine.figures.find(({ number }) => number === figure));
        return (await import("./figures.js")).openFigure(engine, about, page);
      }
    }
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
