/** Offline use: what is stored and when, a slow or altering host, from one version to the next. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { finished, iteration, LONG, reached, state, TEXTS } from "../lab.mjs";
import { call, FILES } from "../server.mjs";

const SARCOS = { data: ["sarcos"] };
const LANDMINE = { data: ["landmine"] };

/** What Chromium logs when there is no connection. */
const expectNoConnection = (page) =>
  page.expectConsoleError("ERR_CONNECTION_REFUSED", "ERR_FAILED", "when fetching the script");

/** Waits until the page is stored, and this many of its data sets. */
const stored = (page, data = "") => page.waitText("offline", new RegExp(`^${TEXTS.offline}.*${data}`));

/** The caches of the page: name and number of files. */
const stores = (page) =>
  page.execute(async () => {
    const count = async (name) => (await (await caches.open(name)).keys()).length;
    return Promise.all((await caches.keys()).map(async (name) => ({ name, files: await count(name) })));
  });

/** How many versions of the page are stored. */
const versions = async (page) => (await stores(page)).filter(({ name }) => !name.endsWith(" data")).length;

browserTest("after one visit the page works offline", { ...LANDMINE, tier: "default" }, async (page) => {
  expectNoConnection(page);
  await page.open();
  const digest = await finished(page);
  await stored(page);
  await page.server.stop();
  await page.openOffline("#k=indirect&i=4");
  assert.notEqual(await finished(page), digest);
  await page.reloadItself();
  await finished(page);
  // Files of the page that were not needed before.
  await page.openOffline("#view=figure1");
  await page.waitText("figure-claim", /\S/);
  // Data that were never loaded.
  await page.openOffline("#d=landmine");
  await reached(page, "failed");
  await page.waitText("error-dataset", "connection");
  await page.screenshot("offline-without-data");
  await page.openOffline();
  assert.equal(await finished(page), digest);
  await page.server.start();
  await page.open("#d=landmine&i=2");
  await finished(page);
});

browserTest("the page is stored while a run goes on", { timeout: 120 }, async (page) => {
  // Its worker receives no message for as long as it runs.
  await page.open(`${LONG}&b=1`);
  await iteration(page, 1);
  const seen = await page.execute(async () => {
    for (;;) {
      const worker = (await navigator.serviceWorker.getRegistration())?.active?.state;
      const run = document.getElementById("results").dataset.state;
      if (worker === "activated" || run !== "running") return [worker, run];
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  assert.deepEqual(seen, ["activated", "running"]);
  // Requests of the page go through the service worker now.
  assert(await page.execute(async () => (await fetch(document.querySelector("script[type=module]").src)).ok));
  await stored(page);
  assert.equal(await state(page), "running", "it was stored after the run");
});

browserTest("data loaded on the first visit are stored", SARCOS, async (page) => {
  expectNoConnection(page);
  await page.open("#d=sarcos&i=3");
  const digest = await finished(page);
  await stored(page, "1 of");
  await page.server.stop();
  await page.openOffline("#d=sarcos&i=3");
  assert.equal(await finished(page), digest);
});

browserTest("data that arrive late on the first visit are stored", SARCOS, async (page) => {
  // Requested before there is a service worker, and received after.
  page.server.fault(FILES.bundle("sarcos"), { delay: 8000 });
  await page.open("#d=sarcos&i=3");
  await stored(page);
  page.server.heal();
  await finished(page);
  await stored(page, "1 of");
});

browserTest("all data sets are stored on request", LANDMINE, async (page) => {
  expectNoConnection(page);
  await page.open();
  await finished(page);
  await stored(page);
  await page.click("keep-data");
  await stored(page, "all data sets");
  await page.server.stop();
  await page.openOffline("#d=landmine&i=2");
  await finished(page);
});

browserTest("a stored page does not wait for a slow or failing host", {}, async (page) => {
  await page.open();
  await finished(page);
  await stored(page);
  page.server.fault("", { delay: 25_000 });
  const start = performance.now();
  await page.openOffline("#i=2");
  await finished(page);
  const seconds = (performance.now() - start) / 1000;
  assert(seconds < 15, `${seconds} s`);
  page.server.heal();
  page.expectConsoleError("503");
  page.server.fault("", { status: 503 });
  await page.openOffline("#i=3");
  await finished(page);
});

/** Replaces the build in a folder by its next version: the same content in another folder of assets. */
function publishNext(folder) {
  const old = readdirSync(folder).find((name) => name.startsWith("assets-"));
  const next = "assets-0123456789ab";
  renameSync(join(folder, old), join(folder, next));
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!/\.(html|js)$/.test(file)) continue;
    const text = readFileSync(join(folder, file), "utf8");
    writeFileSync(join(folder, file), text.replaceAll(old, next));
  }
  const script = join(folder, "sw.js");
  const text = readFileSync(script, "utf8").replace(/(?<=^const BUILD = ).*(?=;$)/m, (json) => {
    const { files, ...build } = JSON.parse(json);
    for (const path of Object.keys(files)) {
      files[path] = createHash("sha256")
        .update(readFileSync(join(folder, path)))
        .digest("hex");
    }
    return JSON.stringify({ ...build, id: "0123456789ab", files });
  });
  writeFileSync(script, text);
}

const UPDATE = { ...LANDMINE, timeout: 240 };

browserTest("a new version leaves an open tab its files and its run", UPDATE, async (page) => {
  const folder = join(page.folder, "site");
  cpSync(page.dist, folder, { recursive: true });
  await page.open("#i=2", await page.serve(folder, "/lab/"));
  await finished(page);
  await stored(page);
  const script = () => page.execute(() => document.querySelector("script[type=module]").src);
  const old = await script();
  assert.equal(await versions(page), 1);
  await page.setFragment("#d=landmine&p=constant&i=1000");
  await iteration(page, 1);
  publishNext(folder);
  // As browsers do from time to time.
  await page.execute(async () => void (await navigator.serviceWorker.getRegistration()).update());
  // The run takes most of the machine.
  await page.waitText("notices", /new version/i, 90);
  assert.equal(await state(page), "running", "the run was disturbed");
  await iteration(page, (await iteration(page, 1)) + 1);
  await page.screenshot("new-version");
  // The host has no such file any more; this tab has.
  assert.equal(await page.execute(async (url) => (await fetch(url)).status, old), 200);
  await page.click("cancel");
  await page.click("to-figures");
  await page.waitText("figure-claim", /\S/);
  await page.click("to-lab");
  await page.click("act-version");
  await page.waitFor("the new version", async () => (await script()) !== old);
  await page.waitFor("the old files to be deleted", async () => (await versions(page)) === 1);
});

browserTest("files that the host altered are not stored", SARCOS, async (page) => {
  page.server.fault("favicon.svg", { alter: 10 });
  page.server.fault(FILES.bundle("sarcos"), { alter: 5000 });
  await page.open();
  await finished(page);
  const active = await page.execute(async () => {
    const { installing, active } = await navigator.serviceWorker.register("sw.js");
    const isOver = (resolve) => () => installing.state === "redundant" && resolve();
    if (installing) await new Promise((resolve) => (installing.onstatechange = isOver(resolve)));
    return active !== null;
  });
  assert.equal(active, false, "a version with an altered file was installed");
  assert.equal(await page.text("offline"), "");
  page.server.heal();
  page.server.fault(FILES.bundle("sarcos"), { alter: 5000 });
  // Without the service worker, and through it.
  for (let visits = 0; visits < 2; visits++) {
    await page.open("#d=sarcos");
    await reached(page, "failed");
    await stored(page, "0 of");
  }
  const data = (await stores(page)).filter(({ name, files }) => name.endsWith(" data") && files > 0);
  assert.deepEqual(data, []);
});

browserTest("a page whose cache is broken loads from the host", SARCOS, async (page) => {
  const prelude = call(() => {
    let broken = false;
    addEventListener("message", ({ data }) => {
      broken ||= data === "break";
    });
    for (const name of ["open", "keys"]) {
      const works = caches[name].bind(caches);
      caches[name] = (...args) => (broken ? Promise.reject(new Error("broken")) : works(...args));
    }
  });
  page.server.fault(FILES.serviceWorker, { prelude });
  await page.open();
  await finished(page);
  await stored(page);
  await page.execute(() => navigator.serviceWorker.controller.postMessage("break"));
  await page.reloadItself();
  await finished(page);
  await page.execute((button) => button.click(), await page.find("try-sarcos"));
  await page.waitText("data-note", "7 tasks");
  await finished(page);
});

browserTest("the page can be installed", { engines: CHROMIUM }, async (page) => {
  await page.open();
  await finished(page);
  await stored(page);
  const { data, errors } = await page.cdp("Page.getAppManifest");
  assert.deepEqual(errors, []);
  assert.match(data, /PATOM/);
  const { installabilityErrors } = await page.cdp("Page.getInstallabilityErrors");
  // A private window installs nothing, whatever the page.
  const problems = installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito");
  assert.deepEqual(problems, []);
});
