/**
 * The view for a stage (key F): big type, the headline, the budget, the network and two maps. The key again, or
 * Escape, goes back. Loaded when it is first opened.
 */

import "../style/presenter.css";
import { $, el } from "../ui/dom.js";

/** @import { Session } from "../core/session.js" */

export class Presenter {
  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    this.budget = el("input", { type: "range", min: 0, max: 1, step: 0.05, "data-testid": "present-budget" });
    this.budget.setAttribute("aria-label", "Budget");
    this.value = el("output", {});
    this.budget.oninput = () => {
      session.choose("budget", Number(this.budget.value));
      // Where runs are slow, they do not start by themselves.
      if (!session.willRun) this.wait();
    };
    this.budget.onchange = () => !session.willRun && session.stale && session.ready && session.start();
    const leave = el("button", { type: "button", "data-testid": "present-end" }, "Back (F)");
    leave.onclick = () => this.show(false);
    this.bar = el(
      "div",
      { class: "present-bar", "data-testid": "present-bar" },
      el("label", {}, "Budget ", this.budget, this.value),
      leave,
    );
    // In full screen, Escape belongs to the browser: the page hears no key.
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement && this.isOn) this.show(false);
    });
    session.subscribe(({ type }) => ["changed", "done"].includes(type) && this.render());
  }

  get isOn() {
    return document.documentElement.hasAttribute("data-present");
  }

  wait() {
    this.value.textContent = `${Math.round(100 * Number(this.budget.value))} %`;
  }

  render() {
    const { budget } = this.session.complete?.spec ?? {};
    if (budget === undefined) return;
    if (document.activeElement !== this.budget) this.budget.value = String(budget);
    this.value.textContent = `${Math.round(100 * budget)} %`;
  }

  /** @param {boolean} on */
  show(on) {
    document.documentElement.toggleAttribute("data-present", on);
    if (!on) {
      this.bar.remove();
      if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
      return;
    }
    $("results").append(this.bar);
    this.render();
    scrollTo(0, 0);
    this.budget.focus();
    // Refused where the browser does not allow it; the view fills the window then.
    document.documentElement.requestFullscreen?.().catch(() => {});
  }
}
