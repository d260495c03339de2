/**
 * Times the work of `patom::workload` in wasm under Node, and Figure 2 as a whole on worker
 * threads: the other half of examples/timing.rs.
 *
 *     node benches/node.mjs PKG BUNDLES SECONDS WORKERS
 *
 * PKG is the folder of a build with `--features bench`, BUNDLES that of NAME.bundle. Prints one
 * JSON object of median seconds.
 */

import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";

const NAMES = ["sarcos", "landmine", "mnist"];
const KINDS = ["solve", "hypergradient", "run", "gram", "product"];
const seconds = () => performance.now() / 1000;

async function open(pkg) {
  const { Bench, initSync } = await import(pathToFileURL(join(pkg, "bench.js")).href);
  initSync({ module: readFileSync(join(pkg, "bench_bg.wasm")) });
  return Bench;
}

function bundles(Bench, folder) {
  const found = NAMES.map((name) => [name, join(folder, `${name}.bundle`)]);
  return found
    .filter(([, path]) => existsSync(path))
    .map(([name, path]) => ({ name, bench: Bench.from_bundle(name, readFileSync(path)) }));
}

const median = (times) => times.slice().sort((a, b) => a - b)[times.length >> 1];

/** Figure 2 on a pool: every worker takes the next run when it has finished one. */
async function figure(pkg, folder, count) {
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL(import.meta.url), { workerData: { pkg, folder } }),
  );
  const nextMessage = (worker) => new Promise((resolve) => worker.once("message", resolve));
  const plans = await Promise.all(workers.map(nextMessage));
  const runs = plans[0].flatMap(([name, runs]) =>
    Array.from({ length: runs }, (_, number) => [name, number]),
  );
  const start = seconds();
  let next = 0;
  await Promise.all(
    workers.map(async (worker) => {
      while (next < runs.length) {
        const answer = nextMessage(worker);
        worker.postMessage(runs[next++]);
        await answer;
      }
      await worker.terminate();
    }),
  );
  return seconds() - start;
}

if (isMainThread) {
  const [pkg, folder, atLeast, count] = process.argv.slice(2);
  const Bench = await open(pkg);
  const results = {};
  for (const { name, bench } of bundles(Bench, folder)) {
    for (const kind of KINDS) {
      results[`${kind}/${name}`] = median(bench.time(kind, 5, Number(atLeast), seconds));
    }
    bench.free();
  }
  results["figure2"] = await figure(pkg, folder, Number(count));
  console.log(JSON.stringify(results));
} else {
  const { pkg, folder } = workerData;
  const held = bundles(await open(pkg), folder);
  parentPort.on("message", ([name, number]) => {
    parentPort.postMessage(held.find((one) => one.name === name).bench.figure_run(number));
  });
  parentPort.postMessage(held.map(({ name, bench }) => [name, bench.figure_runs()]));
}
