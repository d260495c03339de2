/** Golden specifications in the page: every engine gives the digests of native code. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { browserTest } from "../harness.mjs";
import { finished } from "../lab.mjs";

/** Name, link and data set of each, from the table that native code reads. */
const TABLE = [
  ...readFileSync("tests/common/golden.rs", "utf8").matchAll(/"(\w+)",\s*"(v=\d&d=(\w+)[^"]*)"/g),
].map(([, name, link, dataset]) => ({ name, link, dataset }));

for (const dataset of ["synthetic", "landmine", "sarcos", "mnist"]) {
  const data = dataset === "synthetic" ? [] : [dataset];
  const specifications = TABLE.filter((row) => row.dataset === dataset);
  browserTest(`digests of ${dataset} are the native ones`, { timeout: 400, data }, async (page) => {
    const file = process.env.PATOM_DIGESTS || page.skip("PATOM_DIGESTS names no file of native digests");
    const native = JSON.parse(readFileSync(file, "utf8"));
    assert.notEqual(specifications.length, 0);
    for (const { name, link } of specifications) {
      await page.open(`#${link}`);
      assert.equal(await finished(page, 120), native[name], `${name}: ${link}`);
    }
  });
}
