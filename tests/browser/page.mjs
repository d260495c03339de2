/**
 * One window with the page in it: the steps that cases are written with. Elements are named by their
 * `data-testid`. Every wait ends after `PATIENCE` seconds with a message that says what it waited for.
 */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { By } from "selenium-webdriver";

import { NARROWEST } from "./engines.mjs";
import { call, FILES, FRAME } from "./server.mjs";

/** Seconds that a wait lasts unless it is given another limit. */
export const PATIENCE = 15;

/** A case that cannot run here ends with this; it counts as skipped. */
export class Skipped extends Error {}

export class Page {
  #others = [];
  #expected = [];
  #frame = null;
  #metrics = { width: 1400, height: 1000, deviceScaleFactor: 1, mobile: false };

  /** Gives a case an empty window and a server. */
  static async start(browser, { dist, folder, pictures }) {
    // In a folder, as on a shared host: no address of the page may start at the root.
    const server = await browser.server(dist, "/some/folder/");
    await browser.window();
    const page = new Page(browser, server, { dist, folder, pictures });
    await page.driver.manage().setTimeouts({ pageLoad: 30_000, script: 30_000 });
    // Drops what the case before logged.
    await page.consoleErrors();
    await page.viewport(1400, 1000);
    // Of several windows one has the focus, and elements of the others get no focus events.
    if (page.isChromium) await page.cdp("Emulation.setFocusEmulationEnabled", { enabled: true });
    return page;
  }

  constructor(browser, server, { dist, folder, pictures }) {
    this.browser = browser;
    /** Selenium's own, for whatever has no shorter name here. */
    this.driver = browser.driver;
    this.engine = browser.engine;
    this.server = server;
    this.dist = dist;
    /** An empty folder of this case. */
    this.folder = folder;
    /** Where screenshots go; empty: they are not taken. */
    this.pictures = pictures;
  }

  get isChromium() {
    return this.engine === "chromium";
  }

  /** Serves another folder on another origin, until the case ends. */
  async serve(folder, mount = "/") {
    const server = await this.browser.server(folder, mount);
    this.#others.push(server);
    return server;
  }

  async close() {
    for (const server of [this.server, ...this.#others]) await server.stop();
  }

  skip(reason) {
    throw new Skipped(reason);
  }

  // ---- navigation

  /** Loads the page with this fragment or query: `open()`, `open("#d=landmine")`. */
  async open(fragment = "", server = this.server) {
    await this.leave(server);
    const url = server.url + fragment;
    if (!this.#frame) return this.driver.get(url);
    await this.driver.get(server.url + FRAME);
    await this.execute(
      ([width, height], url) => {
        const frame = document.getElementById("frame");
        Object.assign(frame.style, { border: 0, width: `${width}px`, height: `${height}px` });
        document.body.style.margin = "0";
        frame.src = url;
      },
      this.#frame,
      url,
    );
    await this.driver.switchTo().frame(await this.driver.findElement(By.id("frame")));
    await this.waitFor("the framed page to load", () =>
      this.execute(() => location.href !== "about:blank" && document.readyState === "complete"),
    );
  }

  /** Goes to a neutral page, because a change of the fragment alone loads nothing. */
  async leave(server = this.server) {
    // One of the same host if possible: browsers start a process for each change of host.
    await this.driver.get(server.answers(FRAME) ? server.url + FRAME : "about:blank");
  }

  reload() {
    assert(!this.#frame, "reload works in no frame: use open");
    return this.driver.navigate().refresh();
  }

  /** Reloads from within: Firefox's driver does not ask the service worker. */
  async reloadItself() {
    await this.execute(() => {
      Object.assign(window, { isOld: true });
      location.reload();
    });
    await this.waitFor("the page to load again", () =>
      this.execute(() => !("isOld" in window) && document.readyState === "complete"),
    );
  }

  /**
   * Opens a page that a service worker will serve, from a page of the same server. WebKit 2.50's
   * driver sometimes waits for ever when it navigates to one (microsoft/playwright#42273).
   */
  async openOffline(fragment = "") {
    if (this.engine !== "webkit") return this.open(fragment);
    // The lab writes its own link into the address shortly after a result.
    await sleep(200);
    await this.execute((url) => history.replaceState(null, "", url), this.server.url + fragment);
    await this.reloadItself();
  }

  /** Changes the fragment in place, as a user who edits the address. */
  setFragment(fragment) {
    return this.execute((fragment) => void (location.hash = fragment), fragment);
  }

  /** The fragment in the address bar, with its `#`. */
  fragment() {
    return this.execute(() => location.hash);
  }

  // ---- reading

  /** The one element with this test id. */
  async find(id) {
    const found = await this.driver.findElements(By.css(`[data-testid='${id}']`));
    assert.equal(found.length, 1, `${found.length} elements have the test id ${id}`);
    return found[0];
  }

  /** The text a user sees in the element. */
  async text(id) {
    return (await this.find(id)).getText();
  }

  /** A property of the element: `property("field-budget", "value")`. */
  async property(id, name) {
    return this.execute((element, name) => element[name], await this.find(id), name);
  }

  /** Whether the element is there and visible. */
  async isVisible(id) {
    return (await this.driver.findElements(By.css(`[data-testid='${id}']`))).length === 1
      ? (await this.find(id)).isDisplayed()
      : false;
  }

  /**
   * Runs a function in the page and returns what it returns. It sees nothing of the test but its
   * arguments: elements, and what JSON can hold. It may be async.
   */
  async execute(fn, ...args) {
    if (fn.constructor.name !== "AsyncFunction") {
      return this.driver.executeScript(`return (${fn}).apply(null, arguments)`, ...args);
    }
    const [value, error] = await this.driver.executeAsyncScript(
      `const args = [...arguments], done = args.pop();
       (${fn})(...args).then((value) => done([value]), (error) => done([null, String(error)]))`,
      ...args,
    );
    if (error) throw new Error(`in the page: ${error}`);
    return value;
  }

  // ---- waiting

  /**
   * Waits until `check` returns something true, and returns that. Its errors count as "not yet".
   */
  async waitFor(what, check, seconds = PATIENCE) {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      let problem;
      try {
        const value = await check();
        if (value) return value;
      } catch (error) {
        problem = error;
      }
      if (performance.now() > end) {
        const last = problem ? ` (${problem.message})` : "";
        throw new Error(`waited ${seconds} s for ${what}${last}`, { cause: problem });
      }
      await sleep(30);
    }
  }

  /** Waits until the element's text contains a part, or matches, and returns the text. */
  async waitText(id, part, seconds) {
    let last = "";
    const check = async () => {
      last = await this.text(id);
      return typeof part === "string" ? last.includes(part) : part.test(last);
    };
    try {
      await this.waitFor(`${id} to show: ${part}`, check, seconds);
    } catch (error) {
      throw new Error(`${error.message}; it showed: ${last}`, { cause: error });
    }
    return last;
  }

  waitVisible(id) {
    return this.waitFor(`${id} to appear`, () => this.isVisible(id));
  }

  waitHidden(id) {
    return this.waitFor(`${id} to disappear`, async () => !(await this.isVisible(id)));
  }

  /** Waits until what changed has been drawn. */
  settle() {
    return this.execute(async () => {
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
    });
  }

  /** Waits until nothing scrolls or moves any more. */
  still() {
    return this.execute(async () => {
      for (let [last, frames] = [scrollY, 0]; frames < 6; last = scrollY) {
        await new Promise(requestAnimationFrame);
        const moves = document.getAnimations().some(({ playState }) => playState === "running");
        frames = scrollY === last && !moves ? frames + 1 : 0;
      }
    });
  }

  // ---- acting

  /** Scrolls to the element and clicks it once it can be clicked. */
  click(id) {
    return this.waitFor(`${id} to be clicked`, async () => {
      const element = await this.find(id);
      await this.execute((element) => element.scrollIntoView({ block: "center" }), element);
      await element.click();
      return true;
    });
  }

  /**
   * Sets an input, text area, select, or checkbox (a boolean), with the events a user causes, once it
   * can be set.
   */
  set(id, value) {
    return this.waitFor(`${id} to be set to ${value}`, async () => {
      const problem = await this.execute(
        (element, value) => {
          if (element.disabled) return "it is disabled";
          if (["checkbox", "radio"].includes(element.type)) {
            if (element.checked !== value) element.click();
            return "";
          }
          element.focus();
          element.value = value;
          if (element.localName === "select" && element.value !== value) return "it has no such option";
          element.dispatchEvent(new Event("input", { bubbles: true }));
          element.dispatchEvent(new Event("change", { bubbles: true }));
          return "";
        },
        await this.find(id),
        typeof value === "boolean" ? value : String(value),
      );
      assert.equal(problem, "");
      return true;
    });
  }

  /** Types into the element, key by key, after its present content. */
  async type(id, text) {
    await (await this.find(id)).sendKeys(text);
  }

  /** Presses keys wherever the focus is; see Selenium's `Key`. */
  press(...keys) {
    return this.driver
      .actions()
      .sendKeys(...keys)
      .perform();
  }

  /** The test id of the element that has the focus. */
  focused() {
    return this.execute(() => document.activeElement?.getAttribute("data-testid") ?? null);
  }

  /** Chooses a file from disk, or one with this content, in a file input, which may be hidden. */
  async upload(id, name, content) {
    const path = content === undefined ? resolve(name) : join(this.folder, name);
    if (content !== undefined) writeFileSync(path, content);
    await (await this.find(id)).sendKeys(path);
  }

  /** Drops a file with this content onto the element. */
  dropFile(id, name, content) {
    const make = (name, base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      return [new File([bytes], name)];
    };
    return this.dropMade(id, make, name, Buffer.from(content).toString("base64"));
  }

  /** Drops the files that a function returns in the page: large ones are made there. */
  async dropMade(id, make, ...args) {
    const script = `const dataTransfer = new DataTransfer(), [element, ...args] = arguments;
      for (const file of (${make})(...args)) dataTransfer.items.add(file);
      for (const type of ["dragenter", "dragover", "drop"])
        element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));`;
    await this.driver.executeScript(script, await this.find(id), ...args);
  }

  /** Waits for a finished download whose name ends so, and returns its path. */
  downloaded(end) {
    return this.waitFor(`a download named …${end}`, async () => {
      const files = readdirSync(this.browser.downloads).map((name) => join(this.browser.downloads, name));
      return files.find((file) => file.endsWith(end) && statSync(file).size > 0) ?? "";
    });
  }

  // ---- faults from outside

  /**
   * Makes the next runs of the page fail, in the order in which they reach a worker; "" leaves one
   * alone. `panic`: the engine throws · `trap`: it stops like a faulty module · `memory`: no more can be
   * allocated (only a new worker has none to spare) · `close`: the worker ends without a message · `hang`:
   * it never ends and sends none · `wrong`: it computes another specification, each time a different one.
   * Call it before `open`; each load of the page starts the list again.
   */
  failRuns(...faults) {
    this.server.prelude((faults) => {
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message, ...rest) {
        const fault = message?.type === "run" ? faults.shift() : "";
        const seed = message?.spec?.seed + 1 + faults.length;
        if (fault === "wrong") message = { ...message, spec: { ...message.spec, seed } };
        else if (fault) message = { ...message, fault };
        return Reflect.apply(post, this, [message, ...rest]);
      };
    }, faults);
    this.server.fault(FILES.worker, { prelude: call(failInWorker) });
  }

  /** Has `navigator.hardwareConcurrency` say this. */
  setCores(cores) {
    this.server.prelude((cores) => {
      Object.defineProperty(Navigator.prototype, "hardwareConcurrency", { get: () => cores });
    }, cores);
  }

  /** Has `performance.now` run this many times as fast: for what depends on how long a run takes. */
  setClock(factor) {
    this.server.prelude((factor) => {
      const now = performance.now.bind(performance);
      performance.now = () => factor * now();
    }, factor);
  }

  /** Has the browser's database open this many milliseconds late. */
  slowStorage(milliseconds) {
    this.server.prelude((milliseconds) => {
      const open = IDBFactory.prototype.open;
      IDBFactory.prototype.open = function (...args) {
        const request = Reflect.apply(open, this, args);
        const late = {};
        const pass = (handler) => () => {
          late.result = request.result;
          late[handler]?.();
        };
        request.onupgradeneeded = pass("onupgradeneeded");
        request.onsuccess = () => setTimeout(pass("onsuccess"), milliseconds);
        return late;
      };
    }, milliseconds);
  }

  /** Has the page list its workers in `workers`. */
  listWorkers(server = this.server) {
    server.prelude(() => {
      const workers = [];
      const Plain = Worker;
      window.Worker = class extends Plain {
        constructor(...args) {
          super(...args);
          workers.push(this);
        }
      };
      Object.assign(window, { workers });
    });
  }

  // ---- surroundings

  /** Sets the size the page sees, in CSS pixels. Call it before `open`. */
  async viewport(width, height) {
    if (this.isChromium) return this.#setMetrics({ width, height });
    if (width < NARROWEST[this.engine]) {
      this.#frame = [width, height];
      return;
    }
    this.#frame = null;
    await this.driver.switchTo().defaultContent();
    // The decoration of the window is no part of what the page sees, and windows take their time.
    let [x, y] = [0, 0];
    for (let tries = 0; tries < 5; tries++) {
      const outer = { x: 0, y: 0, width: width + x, height: height + y };
      await this.driver.manage().window().setRect(outer);
      for (let looks = 0; looks < 20; looks++) {
        const [seenWidth, seenHeight] = await this.execute(() => [innerWidth, innerHeight]);
        if (seenWidth === width && seenHeight === height) return;
        [x, y] = [Math.max(0, outer.width - seenWidth), Math.max(0, outer.height - seenHeight)];
        await sleep(25);
      }
    }
    throw new Error(`no window of ${width} x ${height}`);
  }

  /** The same for a page that `resize` makes narrower or wider while it is open. */
  async elasticViewport(width, height) {
    if (this.isChromium) return this.viewport(width, height);
    this.#frame = [width, height];
  }

  /** Another size for an open page, after `elasticViewport`. */
  async resize(width, height) {
    if (this.isChromium) return this.viewport(width, height);
    this.#frame = [width, height];
    await this.execute(
      (width, height) =>
        Object.assign(frameElement.style, { width: `${width}px`, height: `${height}px` }) && null,
      width,
      height,
    );
  }

  /** Chromium only. */
  pixelRatio(deviceScaleFactor) {
    return this.#setMetrics({ deviceScaleFactor });
  }

  async #setMetrics(change) {
    Object.assign(this.#metrics, change);
    await this.cdp("Emulation.setDeviceMetricsOverride", this.#metrics);
  }

  /**
   * Sets media features (Chromium only): `media({ "prefers-color-scheme": "dark" })`, also
   * `prefers-reduced-motion` and `forced-colors`. Each call replaces the one before.
   */
  media(features) {
    const list = Object.entries(features).map(([name, value]) => ({ name, value }));
    return this.cdp("Emulation.setEmulatedMedia", { features: list });
  }

  /** Chromium only. */
  dark(dark = true) {
    return this.media({ "prefers-color-scheme": dark ? "dark" : "light" });
  }

  /** A command of the Chrome DevTools protocol (Chromium only). */
  cdp(method, parameters = {}) {
    const driver = this.driver;
    return driver.sendAndGetDevToolsCommand(method, parameters);
  }

  /** What axe finds wrong with the whole page, one line each; `rules` restricts it to some rules. */
  async axe(rules) {
    if (!(await this.execute(() => "axe" in window))) {
      await this.driver.executeScript(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
    }
    const options = {
      resultTypes: ["violations"],
      ...(rules && { runOnly: { type: "rule", values: rules } }),
    };
    return this.execute(async (options) => {
      const { violations } = await window.axe.run(document, options);
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
      );
    }, options);
  }

  /** Colours alone: enough where nothing else differs from a page that was checked. */
  axeColors() {
    return this.axe(["color-contrast", "link-in-text-block"]);
  }

  // ---- evidence

  /** Saves what is visible, if pictures are asked for. */
  async screenshot(name) {
    await this.settle();
    if (!this.pictures) return;
    if (!this.#frame) return this.save(name, await this.driver.takeScreenshot());
    await this.driver.switchTo().defaultContent();
    const frame = await this.driver.findElement(By.id("frame"));
    this.save(name, await frame.takeScreenshot());
    await this.driver.switchTo().frame(frame);
  }

  /** Saves the page from top to bottom (Chromium; elsewhere what is visible). */
  async screenshotWhole(name) {
    if (!this.isChromium || !this.pictures) return this.screenshot(name);
    const { height } = this.#metrics;
    const whole = await this.execute(() => document.documentElement.scrollHeight);
    await this.#setMetrics({ height: Math.min(Math.max(whole, height), 16_000) });
    await this.screenshot(name);
    await this.#setMetrics({ height });
  }

  /** Saves one element. */
  async screenshotOf(id, name) {
    await this.settle();
    const element = await this.find(id);
    if (this.pictures) this.save(name, await element.takeScreenshot());
  }

  /** Writes a picture (base64, as WebDriver returns it). */
  save(name, base64) {
    const folder = join(this.pictures || "target/screenshots", this.engine);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name}.png`);
    writeFileSync(path, base64, "base64");
    return path;
  }

  /** An error in the console that contains this text belongs to the case; any other one fails it. */
  expectConsoleError(...parts) {
    this.#expected.push(...parts);
  }

  /** Unexpected errors in the console since the last call (Chromium only). */
  async consoleErrors() {
    if (!this.isChromium) return [];
    const log = await this.driver.manage().logs().get("browser");
    return log
      .filter(({ level }) => level.name === "SEVERE")
      .map(({ message }) => message)
      .filter((message) => !this.#expected.some((part) => message.includes(part)));
  }
}

/** Runs in the worker before its script: does what `failRuns` noted in a message. */
function failInWorker() {
  let fault = "";
  let memory = undefined;
  addEventListener("message", (event) => {
    if (event.data?.type !== "run") return;
    fault = event.data.fault ?? "";
    if (fault === "close") {
      event.stopImmediatePropagation();
      close();
    }
    for (; fault === "hang"; );
    if (fault !== "memory") return;
    for (let pages = 1 << 16; pages >= 1; pages >>= 1) {
      try {
        for (;;) memory?.grow(pages);
      } catch {
        // Too much: half of it.
      }
    }
  });
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(Plain, [module, imports]) {
      const instance = new Plain(module, imports);
      const { data_run: run, ...exports } = instance.exports;
      memory ??= exports.memory;
      const data_run = (...args) => {
        if (fault === "panic") throw new Error("a panic was injected");
        if (fault === "trap") throw new WebAssembly.RuntimeError("a trap was injected");
        return run(...args);
      };
      Object.defineProperty(instance, "exports", {
        value: run ? { ...exports, data_run } : instance.exports,
      });
      return instance;
    },
  });
}
