/**
 * Offline use: starts the service worker, offers a new version, and downloads all data sets on
 * request. Loaded after the first result; the page works without it.
 */

import { $, el } from "../ui/dom.js";
import { bundleUrl } from "../core/sources.js";
import { bundles as published } from "../pkg/build.js";

/** @import { Session } from "../core/session.js" */

const bundles = Object.fromEntries(
  Object.entries(published).map(([name, bundle]) => [name, { url: bundleUrl(bundle), bytes: bundle.bytes }]),
);

/** The folder of this version. */
const VERSION = /\/(assets-[0-9a-f]+)\//.exec(import.meta.url)?.[1] ?? "";
const SCRIPT = new URL("sw.js", document.baseURI);
/** As in the service worker. */
const LOCK = `patom lab ${new URL("./", SCRIPT).href} ${VERSION}`;
/** Milliseconds between two checks for a new version, while the page stays open. */
const CHECK_INTERVAL = 3_600_000;

/** @param {Session} lab */
export async function workOffline(lab) {
  const { serviceWorker, locks } = navigator;
  // Both are missing on plain http.
  if (!serviceWorker || !locks || VERSION === "") return;
  // While this tab is open, the files of its version are not deleted.
  await new Promise((resolve) => {
    const held = () => new Promise(() => resolve(null));
    locks.request(LOCK, { mode: "shared" }, held).catch(resolve);
  });
  let registration;
  try {
    registration = await serviceWorker.register(SCRIPT, { updateViaCache: "none" });
  } catch {
    $("offline").textContent = "Offline use is not available: the browser or the server does not allow it.";
    return;
  }
  const { active } = registration;
  // Twice: after a reload into a new version, the old page may not have released its lock yet.
  for (const wait of [0, 5_000]) setTimeout(() => active?.postMessage("tidy"), wait);
  const show = () => showState(registration.active !== null).catch(() => $("offline").replaceChildren());
  // Data that were downloaded before the service worker was active: from the browser's own cache now.
  const keepLoaded = () =>
    keepAll([...lab.bundles.keys()].flatMap((name) => bundles[`${name}.bundle`]?.url ?? [])).then(show);
  /** @param {ServiceWorker | null} worker */
  const watch = (worker) =>
    worker?.addEventListener("statechange", () => {
      if (worker.state !== "activated") return;
      checkVersion(lab, worker);
      show();
      controlled(serviceWorker).then(keepLoaded);
    });
  watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  let checked = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || Date.now() - checked < CHECK_INTERVAL) return;
    checked = Date.now();
    registration.update().catch(() => {});
  });
  lab.subscribe(
    (event) => event.type === "data" && setTimeout(serviceWorker.controller ? keepLoaded : show, 500),
  );
  show();
}

/** Resolves when the requests of this page pass through a service worker. @param {ServiceWorkerContainer} container */
const controlled = async (container) =>
  container.controller ??
  new Promise((resolve) => container.addEventListener("controllerchange", resolve, { once: true }));

/** Offers to reload if the installed version is not that of this page. @param {Session} lab @param {ServiceWorker} worker */
function checkVersion(lab, worker) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => {
    if (data === VERSION) return;
    const text = "A new version of this page is ready. You can continue with this one until you reload.";
    lab.notice(text, "", "version", { text: "Reload", run: () => location.reload() }, "all");
  };
  worker.postMessage("version", [port2]);
}

/** @param {boolean} ready is the page itself stored? */
async function showState(ready) {
  const all = Object.entries(bundles);
  const kept = await Promise.all(all.map(async ([, { url }]) => Boolean(await caches.match(url))));
  const missing = all.filter((_, k) => !kept[k]).map(([, bundle]) => bundle);
  const box = $("offline");
  if (!ready) return box.replaceChildren();
  const parts = ["Works offline"];
  if (all.length > 0) {
    parts.push(
      missing.length === 0
        ? ", with all data sets."
        : `, with ${all.length - missing.length} of ${all.length} data sets. `,
    );
  } else parts.push(".");
  box.replaceChildren(parts.join(""));
  if (missing.length === 0) return;
  const megabytes = missing.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const button = el(
    "button",
    { type: "button", class: "quiet", "data-testid": "keep-data" },
    `Keep all data for offline (${megabytes.toFixed(1)} MB)`,
  );
  button.onclick = async () => {
    box.textContent = "Downloading the data sets …";
    navigator.storage?.persist?.().catch(() => {});
    const problem = await keepAll(missing.map(({ url }) => url));
    await showState(true);
    if (problem) box.prepend(`Not all data sets are kept: ${problem}. `);
  };
  box.append(button);
}

/** Downloads data through the service worker, which stores them; returns the error. @param {string[]} urls */
async function keepAll(urls) {
  for (const url of urls) {
    try {
      const answer = await fetch(url);
      await answer.arrayBuffer();
      if (!answer.ok) return `HTTP status ${answer.status}`;
      if (!(await storedSoon(url)))
        return "the browser did not store them, possibly because its storage is full";
    } catch {
      return "no connection";
    }
  }
  return "";
}

/** The service worker stores a file a little after the download. @param {string} url */
async function storedSoon(url) {
  for (let tries = 0; tries < 20; tries++) {
    if (await caches.match(url)) return true;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return false;
}
