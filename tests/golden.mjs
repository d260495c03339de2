/**
 * The golden specifications in Node, with the finished wasm modules of the page and the finished
 * bundles: `cargo xtask test` compares their digests with the native ones.
 *
 *     node tests/golden.mjs PKG BUNDLES JOBS
 *
 * PKG is the folder of the modules, BUNDLES that of NAME.bundle, JOBS a file
 * `{"workers": [1, ...], "jobs": [{"name", "dataset", "link", "digest"}, ...]}`. Prints as
 * `cargo test` does.
 */

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
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
  const bundles = await open(pkg, "extras");
  parentPort?.on("message", ({ dataset, link }) => {
    const { spec } = engine.complete(engine.read_link(link).draft, undefined);
    const data =
      dataset === "synthetic"
        ? engine.Data.synthetic(spec)
        : engine.Data.from_payload(
            bundles.read_bundle(dataset, readFileSync(join(folder, `${dataset}.bundle`))),
          );
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
      const hear = () => once(worker, "message");
      await hear();
      while (next < jobs.length) {
        const at = next++;
        const answer = hear();
        worker.postMessage(jobs[at]);
        [found[at] = ""] = await answer;
      }
      await worker.terminate();
    }),
  );
  return found;
}

async function main() {
  const [pkg = "", folder = "", list = ""] = process.argv.slice(2);
  const { workers, jobs } = JSON.parse(readFileSync(list, "utf8"));
  const here = jobs.filter(
    ({ dataset }) => dataset === "synthetic" || existsSync(join(folder, `${dataset}.bundle`)),
  );
  /** @type {Map<string, string[]>} */
  const differing = new Map(here.map(({ name }) => [name, []]));
  for (const count of workers) {
    const found = await digests(pkg, folder, here, count);
    here.forEach(({ name, digest }, at) => {
      if (found[at] !== digest) {
        differing.get(name)?.push(`${count} workers: ${found[at]}, natively ${digest}`);
      }
    });
  }
  let failed = 0;
  for (const { name, dataset } of jobs) {
    const wrong = differing.get(name);
    if (!wrong) {
      console.log(`SKIPPED node::${name}: no ${dataset} data`);
      continue;
    }
    if (wrong.length > 0) failed += 1;
    console.log(`test node::${name} ... ${wrong.length > 0 ? "FAILED" : "ok"}`);
    wrong.forEach((line) => console.log(`    ${line}`));
  }
  const outcome = failed > 0 ? "FAILED" : "ok";
  const skipped = jobs.length - here.length;
  console.log(
    `test result: ${outcome}. ${here.length - failed} passed; ${failed} failed; ${skipped} ignored`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}

await (isMainThread ? main() : work());
