/**
 * The service worker: caches the files of each version of the page while a tab uses them. The page
 * itself comes from the network, or from the cache if the network is slow or fails; files with a hash
 * in their name come from the cache first. Versions never mix: every file that a page loads has the
 * hash of its version in its path, and is cached only if its SHA-256 is that of the build.
 *
 * The build writes `BUILD` above: this version, and the SHA-256 of each of its files.
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const scope = worker.registration.scope;
/** Other sites of the same host share the cache storage. */
const OURS = `patom lab ${scope} `;
const VERSION = OURS + BUILD.id;
const DATA = `${OURS}data`;
/** Milliseconds after which the page comes from the cache. */
const TIME_LIMIT = 3000;
/** Concurrent downloads: few, so that the data of a run are not delayed. */
const AT_ONCE = 4;

/** @param {BufferSource} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The answer with these bytes: not a redirect, and decompressed.
 * @param {Response} answer
 * @param {ArrayBuffer} bytes
 */
function storable(answer, bytes) {
  const headers = new Headers(answer.headers);
  for (const name of ["content-encoding", "content-length", "vary"]) headers.delete(name);
  return new Response(bytes, { headers });
}

/**
 * Downloads a file of this version and caches it.
 * @param {Cache} cache
 * @param {string} path
 * @param {string} hash
 */
async function keep(cache, path, hash) {
  const url = new URL(path === "index.html" ? "./" : path, scope).href;
  if (await cache.match(url)) return;
  // The browser's HTTP cache may hold another version of a file without a hash in its path, and any
  // file may be damaged there.
  for (const source of /** @type {const} */ (["default", "reload"])) {
    if (source === "default" && !path.startsWith("assets-")) continue;
    const answer = await fetch(url, { cache: source });
    const bytes = await answer.arrayBuffer();
    if (answer.ok && (await sha256(bytes)) === hash) {
      return cache.put(url, storable(answer, bytes));
    }
  }
  throw new Error(`${path} is not that of version ${BUILD.id}`);
}

async function install() {
  const cache = await caches.open(VERSION);
  const waiting = Object.entries(BUILD.files);
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await keep(cache, ...next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // Open tabs of an older version keep their files, see `tidy`.
  await worker.skipWaiting();
}

/** Deletes versions that no open tab uses: each tab holds a lock named after its version. */
async function tidy() {
  const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tabs = windows.filter(({ url }) => url.startsWith(scope));
  const { held = [] } = await worker.navigator.locks.query();
  const needed = held.flatMap(({ name }) => (name?.startsWith(OURS) ? name.slice(OURS.length) : []));
  // A tab is still loading, and its version is not known yet.
  if (needed.length < tabs.length) return;
  const used = new Set([BUILD.assets, ...needed]);
  for (const name of await caches.keys()) {
    if (!name.startsWith(OURS) || name === VERSION || name === DATA) continue;
    const files = await (await caches.open(name)).keys();
    if (!files.some(({ url }) => used.has(folderOf(url)))) await caches.delete(name);
  }
  if (used.size > 1) return;
  const data = await caches.open(DATA);
  for (const request of await data.keys()) {
    if (!BUILD.data.includes(request.url.slice(scope.length))) await data.delete(request);
  }
}

/** The folder of the version of a file. @param {string} url */
const folderOf = (url) => url.slice(scope.length).split("/")[0] ?? "";

/**
 * The cached answer; none if the browser's storage fails, so that the network is used.
 * @param {Promise<Cache>} cache
 * @param {string} url
 */
const find = (cache, url) => cache.then((files) => files.match(url)).catch(() => undefined);

/** @param {Request} request */
async function page(request) {
  const kept = find(caches.open(VERSION), scope);
  const network = fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, TIME_LIMIT)).then(() => kept);
  try {
    const answer = await Promise.race([network, late]);
    if (answer?.ok) return answer;
    return (await kept) ?? (await network);
  } catch (problem) {
    const answer = await kept;
    if (answer) return answer;
    throw problem;
  }
}

/** A file whose name has a hash, of this version or of an older one. @param {Request} request */
async function asset(request) {
  for (const name of await caches.keys().catch(() => [])) {
    const found = name.startsWith(OURS) && (await find(caches.open(name), request.url));
    if (found) return found;
  }
  return fetch(request);
}

/**
 * Data are cached after the download, if their hash is that in their name.
 * @param {Request} request
 * @param {(work: Promise<void>) => void} waitUntil
 */
async function data(request, waitUntil) {
  const cache = caches.open(DATA);
  const kept = await find(cache, request.url);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) waitUntil(keepData(cache, request.url, answer.clone()).catch(() => {}));
  return answer;
}

/**
 * @param {Promise<Cache>} cache
 * @param {string} url
 * @param {Response} answer
 */
async function keepData(cache, url, answer) {
  const bytes = await answer.arrayBuffer();
  const named = /-([0-9a-f]{12})\.\w+$/.exec(url)?.[1];
  if (named && (await sha256(bytes)).startsWith(named)) {
    await (await cache).put(url, storable(answer, bytes));
  }
}

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => {
  // Not awaited: in Firefox it resolves only after the run in progress.
  worker.clients.claim();
  event.waitUntil(tidy());
});
worker.addEventListener("message", (event) => {
  if (event.data === "tidy") event.waitUntil(tidy());
  if (event.data === "version") event.ports[0]?.postMessage(BUILD.assets);
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return;
  const path = request.url.slice(scope.length).split(/[?#]/)[0] ?? "";
  if (request.mode === "navigate") {
    if (path === "" || path === "index.html") event.respondWith(page(request));
  } else if (path.startsWith("data/")) {
    event.respondWith(data(request, (work) => event.waitUntil(work)));
  } else if (path.startsWith("assets-") || path in BUILD.files) {
    event.respondWith(asset(request));
  }
});
