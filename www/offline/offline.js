/**
 * Offline: starts the service worker, says when a new version is ready, and fetches all data sets
 * on request. Loaded after the first result; the page works without it.
 */

import { $, el } from "../ui/dom.js";
import { notice } from "../ui/notices.js";
import { bundleUrl } from "../core/sources.js";
import { bundles as published } from "../pkg/build.js";

/** @import { Lab } from "../core/lab.js" */

const bundles = Object.fromEntries(
  Object.entries(published).map(([name, bundle]) => [name, { url: bundleUrl(bundle), bytes: bundle.bytes }]),
);

/** The folder of this version. */
const VERSION = /\/(assets-[0-9a-f]+)\//.exec(import.meta.url)?.[1] ?? "";
const SCRIPT = new URL("sw.js", document.baseURI);
/** As in the service worker. */
const LOCK = `patom lab ${new URL("./", SCRIPT).href} ${VERSION}`;
/** Milliseconds between two looks for a new version, while the page stays open. */
const LOOK = 3_600_000;

/** @param {Lab} lab */
export async function workOffline(lab) {
  const { serviceWorker, locks } = navigator;
  // Neither is there on plain http.
  if (!serviceWorker || !locks || VERSION === "") return;
  // As long as this tab lives, the files of its version stay.
  await new Promise((resolve) => {
    const held = () => new Promise(() => resolve(null));
    locks.request(LOCK, { mode: "shared" }, held).catch(resolve);
  });
  let registration;
  try {
    registration = await serviceWorker.register(SCRIPT, { updateViaCache: "none" });
  } catch {
    $("offline").textContent = "Not kept for use without a connection: the browser or the host refuses.";
    return;
  }
  const { active } = registration;
  // Twice: after a reload into a new version, the page that went may not have let go of its lock yet.
  for (const wait of [0, 5_000]) setTimeout(() => active?.postMessage("tidy"), wait);
  const show = () => showState(registration.active !== null).catch(() => $("offline").replaceChildren());
  // Data that were asked for before the service worker was there: out of the browser's own cache now.
  const keepLoaded = () =>
    keepAll([...lab.bundles.keys()].flatMap((name) => bundles[`${name}.bundle`]?.url ?? [])).then(show);
  /** @param {ServiceWorker | null} worker */
  const watch = (worker) =>
    worker?.addEventListener("statechange", () => {
      if (worker.state !== "activated") return;
      compare(worker);
      controlled(serviceWorker).then(keepLoaded);
    });
  watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  let looked = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || Date.now() - looked < LOOK) return;
    looked = Date.now();
    registration.update().catch(() => {});
  });
  lab.listen((event) => event.type === "data" && setTimeout(serviceWorker.controller ? keepLoaded : show, 500));
  show();
}

/** Once what this page asks for goes by way of a service worker. @param {ServiceWorkerContainer} container */
const controlled = async (container) =>
  container.controller ??
  new Promise((resolve) => container.addEventListener("controllerchange", resolve, { once: true }));

/** Another version than this page's has been installed: it waits for a reload. @param {ServiceWorker} worker */
function compare(worker) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => {
    if (data === VERSION) return;
    notice("A new version of this page is ready. This one goes on until you reload.", "", "version", {
      text: "Reload",
      run: () => location.reload(),
    });
  };
  worker.postMessage("version", [port2]);
}

/** @param {boolean} ready is the page itself kept? */
async function showState(ready) {
  const all = Object.entries(bundles);
  const kept = await Promise.all(all.map(async ([, { url }]) => Boolean(await caches.match(url))));
  const missing = all.filter((_, k) => !kept[k]).map(([, bundle]) => bundle);
  const box = $("offline");
  if (!ready) return box.replaceChildren();
  const parts = ["Works without a connection"];
  if (all.length > 0) {
    parts.push(missing.length === 0 ? ", with all data sets." : `, with ${all.length - missing.length} of ${all.length} data sets. `);
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
    box.textContent = "Fetching the data sets …";
    navigator.storage?.persist?.().catch(() => {});
    const problem = await keepAll(missing.map(({ url }) => url));
    await showState(true);
    if (problem) box.prepend(`Not all data sets are kept: ${problem}. `);
  };
  box.append(button);
}

/** Passes data through the service worker, which stores them; returns what went wrong. @param {string[]} urls */
async function keepAll(urls) {
  for (const url of urls) {
    try {
      const answer = await fetch(url);
      await answer.arrayBuffer();
      if (!answer.ok) return `the server says ${answer.status}`;
      if (!(await storedSoon(url))) return "the browser does not store them (is its storage full?)";
    } catch {
      return "no connection";
    }
  }
  return "";
}

/** The service worker stores what it has passed on a little later. @param {string} url */
async function storedSoon(url) {
  for (let tries = 0; tries < 20; tries++) {
    if (await caches.match(url)) return true;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return false;
}
