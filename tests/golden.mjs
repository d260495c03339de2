/**
 * The golden specifications in Node, with the finished wasm modules of the page and the finished
 * bundles: their digests equal those that native code computes, with any number of workers.
 * `cargo xtask test` sets the environment:
 *
 *     PATOM_PKG      the folder of the modules
 *     PATOM_BUNDLES  the folder of NAME.bundle
 *     PATOM_JOBS     a file {"workers": [1, ...], "jobs": [{"name", "dataset", "link", "digest"}, ...]}
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

/**
 * @param {string} pkg
 * @param {string} name
 */
async function open(pkg, name) {
  const module = await import(pathToFileURL(join(pkg, `${name}.js`)).href);
  module.initSync({ module: readFileSync(join(pkg, `${name}_bg.wasm`)) });
  return module;
}

/** A worker: opens the modules, then answers each job with its digest. */
async function work() {
  const { pkg, folder } = workerData;
  const engine = await open(pkg, "engine");
  const extras = await open(pkg, "extras");
  parentPort?.on("message", ({ dataset, link }) => {
    const { spec } = engine.complete(engine.read_link(link).draft, undefined);
    // As the page's worker chooses.
    const { Data } = engine.needs_extras(spec) ? extras : engine;
    const data =
      dataset === "synthetic"
        ? Data.synthetic(spec)
        : Data.from_payload(extras.read_bundle(dataset, readFileSync(join(folder, `${dataset}.bundle`))));
    const run = data.run(spec, () => performance.now() / 1000);
    const { digest } = run.report();
    run.free();
    data.free();
    parentPort?.postMessage(digest);
  });
  parentPort?.postMessage("ready");
}

/**
 * @param {string} pkg
 * @param {string} folder
 * @param {{dataset: string, link: string}[]} jobs
 * @param {number} count
 * @returns {Promise<string[]>} the digests, in the order of the jobs
 */
async function digests(pkg, folder, jobs, count) {
  /** @type {string[]} */
  const found = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: count }, async () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { pkg, folder } });
      // Fails where the worker does.
      const onMessage = () => once(worker, "message");
      await onMessage();
      while (next < jobs.length) {
        const at = next++;
        const answer = onMessage();
        worker.postMessage(jobs[at]);
        [found[at] = ""] = await answer;
      }
      await worker.terminate();
    }),
  );
  return found;
}

function main() {
  const { PATOM_PKG: pkg = "", PATOM_BUNDLES: folder = "", PATOM_JOBS: list = "" } = process.env;
  const { workers, jobs } = JSON.parse(readFileSync(list, "utf8"));
  const isThere = ({ dataset }) => dataset === "synthetic" || existsSync(join(folder, `${dataset}.bundle`));
  const there = jobs.filter(isThere);
  const found = workers.map((count) => digests(pkg, folder, there, count));
  for (const job of jobs) {
    const skip = !isThere(job) && `no ${job.dataset} data`;
    test(`node: ${job.name}`, { skip }, async () => {
      assert.ok(job.digest, "there is a native digest");
      for (const [at, count] of workers.entries()) {
        const digest = (await found[at])[there.indexOf(job)];
        assert.equal(digest, job.digest, `${count} workers`);
      }
    });
  }
}

await (isMainThread ? main() : work());
