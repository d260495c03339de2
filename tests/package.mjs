/**
 * The npm package in Node, imported by its name as its users do. `cargo xtask test` sets the environment:
 *
 *     PATOM_PACKAGE  the folder of the package
 *     PATOM_BUNDLES  the folder of NAME.bundle
 *     PATOM_JOBS     as for golden.mjs
 */

import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

const { PATOM_PACKAGE: folder = "", PATOM_BUNDLES: bundles = "", PATOM_JOBS: list = "" } = process.env;

const place = mkdtempSync(join(tmpdir(), "patom-package-"));
after(() => rmSync(place, { recursive: true }));
mkdirSync(join(place, "node_modules"));
symlinkSync(resolve(folder), join(place, "node_modules/patom-lab"), "junction");
writeFileSync(join(place, "user.mjs"), 'export * from "patom-lab";\n');
/** @type {typeof import("../npm/types.js")} */
const { PatomError, run } = await import(pathToFileURL(join(place, "user.mjs")).href);

/** Three tasks of ten points. */
const CSV = [
  "task,label,x1,x2",
  ...Array.from({ length: 30 }, (_, k) => `${k % 3},${Math.sin(k)},${Math.cos(3 * k)},${Math.sin(7 * k)}`),
].join("\n");

for (const { name, dataset, link, digest } of JSON.parse(readFileSync(list, "utf8")).jobs) {
  const bundle = join(bundles, `${dataset}.bundle`);
  const skip = dataset !== "synthetic" && !existsSync(bundle) && `no ${dataset} data`;
  test(`package: ${name}`, { skip }, async () => {
    const options = dataset === "synthetic" ? {} : { data: readFileSync(bundle) };
    const result = await run(link, options);
    assert.ok(digest, "there is a native digest");
    assert.equal(result.digest, digest);
    assert.equal(JSON.parse(result.json).digest, digest);
  });
}

test("package: a link, its fragment and its fields are the same run", async () => {
  const fields = await run({ attack: "indirect", iterations: 2 });
  for (const link of [
    "v=2&k=indirect&i=2",
    "#v=2&k=indirect&i=2",
    "https://host.example/#v=2&k=indirect&i=2",
  ]) {
    assert.equal((await run(link)).digest, fields.digest);
  }
  assert.equal(fields.link, "v=2&d=synthetic&k=indirect&i=2");
  assert.equal(fields.points, undefined);
  const { points } = await run(fields.link, { points: true });
  assert.match(points ?? "", /^task,split,label,x1,/);
});

test("package: every iteration is reported, and what a listener throws ends the run", async () => {
  /** @type {number[]} */
  const seen = [];
  const { report } = await run("i=3", { onIteration: ({ iteration }) => seen.push(iteration) });
  assert.deepEqual(seen, [0, 1, 2, 3]);
  assert.deepEqual([...report.trace.iteration], seen);
  const fail = () => {
    throw new RangeError("enough");
  };
  await assert.rejects(run("i=3", { onIteration: fail }), RangeError);
});

test("package: a run is aborted at once, and the next one works", async () => {
  const controller = new AbortController();
  let aborted = 0;
  const onIteration = () => {
    aborted ||= performance.now();
    controller.abort(new Error("no longer needed"));
  };
  // It would take minutes.
  const long = run("p=constant&i=1000&pb=100", { onIteration, signal: controller.signal });
  await assert.rejects(long, /no longer needed/);
  const late = performance.now() - aborted;
  assert.ok(late < 1000, `${late} ms`);
  await assert.rejects(run("i=1", { signal: controller.signal }), /no longer needed/);
  assert.match((await run("i=1")).digest, /^[0-9a-f]{16}$/);
});

test("package: runs at the same time do not disturb each other", async () => {
  const links = ["i=1&s=1", "i=1&s=2", "i=1&s=3"];
  const together = await Promise.all(links.map((link) => run(link)));
  for (const [at, link] of links.entries()) assert.equal((await run(link)).digest, together[at]?.digest);
});

test("package: a file of one's own is read, and identified by its hash", async () => {
  const data = { name: "mine.csv", bytes: new TextEncoder().encode(CSV) };
  const result = await run({ iterations: 1 }, { data });
  const again = await run(result.link, { data });
  assert.equal(again.digest, result.digest);
  assert.match(result.link, /d=file:mine.csv:[0-9a-f]{64}/);
  const other = { ...data, bytes: new TextEncoder().encode(`${CSV}\n0,1,1,1`) };
  await assert.rejects(run(result.link, { data: other }), { name: "PatomError", field: "dataset" });
});

test("package: invalid input is an error that names the field", async () => {
  for (const [spec, options, field] of [
    [{ budget: 99 }, {}, "budget"],
    ["v=2&b=lots", {}, "budget"],
    ["v=99", {}, "version"],
    [{ sede: 1 }, {}, "sede"],
    ["v=2&d=sarcos", {}, "dataset"],
  ]) {
    const error = await run(spec, options).then(
      () => assert.fail(JSON.stringify(spec)),
      (problem) => problem,
    );
    assert(error instanceof PatomError, `${error}`);
    assert.deepEqual([error.code === "panic", error.field], [false, field], error.message);
  }
  const broken = run("v=2&d=sarcos", { data: new Uint8Array(10) });
  await assert.rejects(broken, (error) => error instanceof PatomError && error.code !== "panic");
});
