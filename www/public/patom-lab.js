/**
 * The element `<patom-lab link="v=2&d=sarcos&k=indirect">`: a result in a slide or an article of any other
 * page. It shows the embedded view of this build in a frame, which grows with its content. A classic script,
 * because those are loaded from any host. docs/embedding.md describes the attributes.
 */
(() => {
  const script = document.currentScript;
  /** Where the page is: beside this script. */
  const home = script instanceof HTMLScriptElement && script.src ? script.src : document.baseURI;
  /** Largest height that a frame may ask for, in CSS pixels. */
  const MAX_HEIGHT = 20_000;

  class PatomLab extends HTMLElement {
    static observedAttributes = ["link", "view", "theme", "label"];

    constructor() {
      super();
      /** Of the result that is shown; empty until it is computed. */
      this.digest = "";
      this.frame = document.createElement("iframe");
      this.frame.loading = "lazy";
      // Not by a style sheet: the policy of the other page may forbid those.
      Object.assign(this.frame.style, { display: "block", width: "100%", border: "0" });
      this.attachShadow({ mode: "open" }).append(this.frame);
      this.onMessage = this.onMessage.bind(this);
    }

    connectedCallback() {
      if (!this.style.display) this.style.display = "block";
      addEventListener("message", this.onMessage);
      this.show();
    }

    disconnectedCallback() {
      removeEventListener("message", this.onMessage);
    }

    attributeChangedCallback() {
      if (this.isConnected) this.show();
    }

    /** @param {string} name */
    text(name) {
      return (this.getAttribute(name) ?? "").trim();
    }

    show() {
      // An address, or its fragment with or without `#`.
      const link = this.text("link");
      const at = link.indexOf("#");
      const page = new URL(at > 0 ? link.slice(0, at) : "./", home);
      if (!/^(https?|file):$/.test(page.protocol)) return;
      const keys = [at < 0 ? link : link.slice(at + 1), "embed=1"];
      for (const name of ["view", "theme"]) {
        if (this.text(name)) keys.push(`${name}=${encodeURIComponent(this.text(name))}`);
      }
      const isSlide = this.text("view").split(",").includes("stage");
      Object.assign(this.frame.style, {
        aspectRatio: isSlide ? "16 / 9" : "",
        height: isSlide ? "auto" : "32rem",
      });
      this.digest = "";
      this.frame.title = this.text("label") || "PATOM Lab: result of an attack";
      this.frame.src = `${page.href}#${keys.filter(Boolean).join("&")}`;
    }

    /** What the embedded page says of itself. @param {MessageEvent} event */
    onMessage({ source, data }) {
      if (source !== this.frame.contentWindow || data?.type !== "patom-lab") return;
      const { height, digest } = data;
      const isSlide = this.frame.style.aspectRatio !== "";
      if (Number.isFinite(height) && height > 0 && !isSlide) {
        this.frame.style.height = `${Math.min(Math.ceil(height), MAX_HEIGHT)}px`;
      }
      if (typeof digest !== "string") return;
      this.digest = digest;
      this.dispatchEvent(new CustomEvent("result", { detail: { digest } }));
    }
  }

  if (!customElements.get("patom-lab")) customElements.define("patom-lab", PatomLab);
})();
