/**
 * The browsers: how each is started, with which capabilities, and how it ends. No page and no case here.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { Builder, Capabilities } from "selenium-webdriver";

import { Server } from "./server.mjs";

/** Narrower windows do not exist: the page is then put into a frame. Chromium emulates its screen. */
export const NARROWEST = { chromium: 1, firefox: 500, webkit: 447 };

/** Running drivers and displays. Each is the head of a process group, so its browsers end with it. */
const running = new Set();
const folders = new Set();

function kill(child) {
  running.delete(child);
  try {
    if (child.pid) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

function remove(folder) {
  folders.delete(folder);
  // A browser that is just ending may still write into it.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

process.on("exit", () => {
  running.forEach(kill);
  folders.forEach(remove);
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(1));
}

/** An empty folder, removed at the latest when the process ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "patom-browser-"));
  folders.add(folder);
  return { folder, remove: () => remove(folder) };
}

/** Rejects when a promise takes longer than this many seconds. */
export async function withTimeout(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first of these programs on the search path. */
function program(...names) {
  const path = (process.env.PATH ?? "").split(delimiter);
  const files = names.flatMap((name) => path.map((folder) => join(folder, name)));
  const found = files.find((file) => existsSync(file));
  if (!found) throw new Error(`${names[0]} is not installed`);
  return found;
}

/** MiniBrowser is on no search path. */
function miniBrowser() {
  const libraries = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/libexec"];
  const versions = ["webkit2gtk-4.1", "webkit2gtk-4.0"];
  const files = libraries.flatMap((folder) => versions.map((name) => join(folder, name, "MiniBrowser")));
  const found = files.find((file) => existsSync(file));
  if (!found) throw new Error("MiniBrowser is not installed (Debian: webkit2gtk-driver)");
  return found;
}

const CHROMIUM_SWITCHES = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--window-size=1400,1000",
];

const FIREFOX_PREFERENCES = {
  // As on a phone, and as in the other two: scroll bars lie over the page.
  "ui.useOverlayScrollbars": 1,
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.download.folderList": 2,
  "browser.safebrowsing.downloads.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.enabled": false,
  "toolkit.telemetry.server": "",
};

/** What a session asks for; profile and downloads lie in `folder`. */
function capabilities(engine, folder) {
  switch (engine) {
    case "chromium":
      return {
        browserName: "chrome",
        "goog:loggingPrefs": { browser: "ALL" },
        "goog:chromeOptions": {
          binary: program("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
          args: [...CHROMIUM_SWITCHES, `--user-data-dir=${join(folder, "profile")}`],
          prefs: {
            "download.default_directory": join(folder, "downloads"),
            "download.prompt_for_download": false,
          },
        },
      };
    case "firefox":
      return {
        browserName: "firefox",
        "moz:firefoxOptions": {
          binary: program("firefox-esr", "firefox"),
          args: ["-headless", "--width=1400", "--height=1000"],
          prefs: { ...FIREFOX_PREFERENCES, "browser.download.dir": join(folder, "downloads") },
        },
      };
    case "webkit":
      return {
        browserName: "MiniBrowser",
        "webkitgtk:browserOptions": { binary: miniBrowser(), args: ["--automation"] },
      };
  }
}

function start(command, args, env = {}) {
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  });
  running.add(child);
  child.on("error", () => running.delete(child));
  return child;
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** Starts the driver of an engine and, for WebKit, a display that picks its own free number. */
async function startDriver(engine, home) {
  const processes = [];
  const port = await freePort();
  if (engine === "chromium") {
    processes.push(start(program("chromedriver"), [`--port=${port}`]));
  } else if (engine === "firefox") {
    const driver = process.env.GECKODRIVER || program("geckodriver");
    processes.push(start(driver, ["--port", `${port}`]));
  } else {
    // As wide as the widest page of any case.
    const screen = ["-displayfd", "1", "-screen", "0", "2600x1400x24", "-nolisten", "tcp"];
    const display = start(program("Xvfb"), screen);
    processes.push(display);
    const lines = createInterface({ input: display.stdout });
    const [number] = await withTimeout(10, "starting Xvfb", once(lines, "line"));
    const driver = start(program("WebKitWebDriver"), [`--port=${port}`], {
      DISPLAY: `:${number}`,
      HOME: home,
      // There is no graphics card: compositing without one costs half as much again.
      WEBKIT_DISABLE_COMPOSITING_MODE: "1",
      LANG: "en_US.UTF-8",
    });
    processes.push(driver);
  }
  // Nobody reads it, and a full pipe would stop the driver.
  for (const { stdout } of processes) stdout?.resume();
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries++) {
    // That something listens is not enough: it may still be starting.
    const status = fetch(`${url}/status`, { signal: AbortSignal.timeout(1000) });
    if (await status.then(({ ok }) => ok).catch(() => false)) return { url, processes };
    await sleep(50);
  }
  processes.forEach(kill);
  throw new Error(`the driver of ${engine} does not answer within 10 s`);
}

/** A browser with its driver, kept from case to case: each case has a window and a server of its own. */
export class Browser {
  #ports = new Set();
  #fresh = true;

  /** Starts one with an empty profile. */
  static async start(engine) {
    const { folder } = temporaryFolder();
    mkdirSync(join(folder, "downloads"));
    const { url, processes } = await startDriver(engine, folder);
    const session = new Builder()
      .disableEnvironmentOverrides()
      // With the address of a driver, Selenium looks for none and downloads none.
      .usingServer(url)
      .withCapabilities(new Capabilities(capabilities(engine, folder)))
      .build();
    try {
      await withTimeout(60, `starting ${engine}`, session.getSession());
    } catch (error) {
      processes.forEach(kill);
      throw error;
    }
    return new Browser(engine, session, folder, processes);
  }

  constructor(engine, driver, folder, processes) {
    this.engine = engine;
    this.driver = driver;
    /** Holds its profile and downloads; its processes are known by it. */
    this.folder = folder;
    this.processes = processes;
    /** WebKit saves into what it takes for the user's home. */
    this.downloads = engine === "webkit" ? folder : join(folder, "downloads");
  }

  /** Closes the session if it can be closed, and ends all processes. */
  async quit() {
    await withTimeout(5, "quit", this.driver.quit()).catch(() => {});
    this.kill();
  }

  /** Ends all processes; whatever waits for an answer of the driver fails. */
  kill() {
    this.processes.forEach(kill);
    remove(this.folder);
  }

  /** A server on a port that no case in this browser had. */
  async server(folder, mount) {
    const used = [];
    for (;;) {
      const server = await new Server(folder, mount).start();
      if (!this.#ports.has(server.port)) {
        this.#ports.add(server.port);
        for (const other of used) await other.stop();
        return server;
      }
      // Kept open until there is another one, so that the system does not offer its port again.
      used.push(server);
    }
  }

  /** An empty window; those of the case before are closed, and its downloads removed. */
  async window() {
    for (const name of readdirSync(this.downloads)) {
      const file = join(this.downloads, name);
      if (statSync(file).isFile()) rmSync(file);
    }
    if (!this.#fresh) {
      const old = await this.driver.getAllWindowHandles();
      await this.driver.switchTo().newWindow("tab");
      const handle = await this.driver.getWindowHandle();
      for (const window of old) {
        await this.driver.switchTo().window(window);
        await this.driver.close();
      }
      await this.driver.switchTo().window(handle);
    }
    this.#fresh = false;
  }
}
