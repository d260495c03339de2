/**
 * A static server for one build of the page, with the headers of `cargo xtask serve` and faults that
 * a case can switch on. Every case has its own, on its own port, so that caches, storage and service
 * workers of two cases are separate.
 */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The files of a build, as they appear in request paths. */
export const FILES = {
  page: /\/(index\.html)?$/,
  worker: /\/worker\.js$/,
  engine: /\/engine_bg[^/]*\.wasm$/,
  extras: /\/extras_bg[^/]*\.wasm$/,
  /** The page's own script. */
  main: /\/(main|index)[^/]*\.js$/,
  tourAndExamples: /\/(story|tour|examples)[^/]*\.js$/,
  /** Whatever is loaded after the first result. */
  reading: /\/reading[^/]*\.js$/,
  serviceWorker: /\/sw\.js$/,
  bundle: (name) => new RegExp(`/data/${name}[^/]*\\.bundle`),
};

/** The same policy as in xtask/src/server.rs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "manifest-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/** A page that holds only a frame: for narrow viewports, and as a neutral page between two loads. */
export const FRAME = "test-frame.html";
const FRAME_PAGE =
  '<!doctype html><html lang="en"><title>frame</title><link rel="icon" href="data:,">' +
  '<body><iframe title="page" id="frame"></iframe></body></html>';

const PRELUDE = "test-prelude.js";

/** Source text that calls a function with arguments. */
export const call = (fn, ...args) => `(${fn})(${args.map((arg) => JSON.stringify(arg)).join(",")});\n`;

export class Server {
  #faults = [];
  #preludes = [];
  #requests = [];
  #folder;
  #http;
  port = 0;

  constructor(folder, mount = "/") {
    this.#folder = folder;
    this.mount = mount;
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch((error) => {
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end(String(error));
      });
    });
  }

  /** Starts to listen, or listens again on the same port after `stop`. */
  async start() {
    this.#http.listen(this.port, "127.0.0.1");
    await once(this.#http, "listening");
    this.port = this.#http.address().port;
    return this;
  }

  /** Cuts every connection and refuses new ones, as if the network were gone. */
  async stop() {
    if (!this.#http.listening) return;
    const closed = once(this.#http, "close");
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The address of the page. */
  get url() {
    return this.origin + this.mount;
  }

  /**
   * Adds a fault for each path that contains or matches a pattern; it holds until `heal`. One or more of:
   * `status` · `truncate`: the body ends after so many bytes as if it were complete · `breakOff`: the
   * connection ends after so many bytes · `alter`: the byte at this position (or the last one) is
   * inverted · `delay` in milliseconds · `header`: [name, value], an empty value removes it · `prelude`:
   * JavaScript before a script · `replace`: a function of body and path that returns another body.
   */
  fault(pattern, fault) {
    this.#faults.push({ pattern, fault });
  }

  /** Removes all faults; preludes of the page stay. */
  heal() {
    this.#faults = [];
  }

  /** Runs a function in the page before any script of the page: for what a browser lacks or refuses. */
  prelude(fn, ...args) {
    this.#preludes.push(call(fn, ...args));
  }

  /** Whether it is up and has no fault for this path. */
  answers(path) {
    return this.#http.listening && this.#faultsOf(this.mount + path).length === 0;
  }

  /** The paths requested since the last call, in order. */
  takeRequests() {
    return this.#requests.splice(0);
  }

  #faultsOf(path) {
    const hit = (pattern) => (typeof pattern === "string" ? path.includes(pattern) : pattern.test(path));
    return this.#faults.flatMap(({ pattern, fault }) => (hit(pattern) ? [fault] : []));
  }

  /** Status, type and body without faults. */
  async #file(path) {
    const missing = { status: 404, type: TYPES[".txt"], body: Buffer.from("not found") };
    if (!path.startsWith(this.mount)) return missing;
    const name = normalize(path.slice(this.mount.length) || ".");
    if (name === FRAME) return { status: 200, type: TYPES[".html"], body: Buffer.from(FRAME_PAGE) };
    if (name === PRELUDE) {
      return { status: 200, type: TYPES[".js"], body: Buffer.from(this.#preludes.join("")) };
    }
    if (name.startsWith("..")) return missing;
    const file = join(this.#folder, name === "." ? "index.html" : name);
    try {
      let body = await readFile(file);
      if (this.#preludes.length > 0 && FILES.page.test(path)) {
        body = Buffer.from(`${body}`.replace("<head>", `<head><script src="${PRELUDE}"></script>`));
      }
      const type = TYPES[extname(file)];
      return { status: 200, type: type ?? "application/octet-stream", body };
    } catch {
      return missing;
    }
  }

  async #answer(request, response) {
    const path = decodeURIComponent(new URL(request.url ?? "/", this.origin).pathname);
    this.#requests.push(path);
    let { status, type, body } = await this.#file(path);
    const kept = status === 200 && /\/(assets[^/]*|data)\//.test(path);
    const faults = this.#faultsOf(path);
    let broken = false;
    for (const fault of faults) {
      if (fault.status) [status, body] = [fault.status, Buffer.alloc(0)];
      if (fault.delay) await sleep(fault.delay, null, { ref: false });
      if (fault.prelude) body = Buffer.concat([Buffer.from(fault.prelude), body]);
      if (fault.replace) body = Buffer.from(fault.replace(body, path));
      if (fault.alter !== undefined && body.length > 0) {
        body = Buffer.from(body);
        body[Math.min(fault.alter, body.length - 1)] ^= 0xff;
      }
      if (fault.truncate !== undefined) body = body.subarray(0, fault.truncate);
      if (fault.breakOff !== undefined) [body, broken] = [body.subarray(0, fault.breakOff), true];
    }
    const headers = new Map([
      ["content-type", type],
      ["content-security-policy", CONTENT_SECURITY_POLICY],
      ["referrer-policy", "no-referrer"],
      ["x-content-type-options", "nosniff"],
      ["cross-origin-opener-policy", "same-origin"],
      ["permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"],
      // Names with a hash may be cached for ever, everything else is asked for again.
      ["cache-control", kept && status === 200 ? "public, max-age=31536000, immutable" : "no-cache"],
    ]);
    for (const { header } of faults) {
      if (header) header[1] ? headers.set(...header) : headers.delete(header[0]);
    }
    for (const [name, value] of headers) response.setHeader(name, value);
    response.writeHead(status);
    if (!broken) return response.end(body);
    // Not at once, so that the beginning arrives: chunks without the last, empty one.
    response.write(body);
    await sleep(100);
    response.destroy();
  }
}
