/** The page loads, and from its own host alone. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { browserTest } from "../harness.mjs";

const [, VERSION] = /^version = "(.*)"$/m.exec(readFileSync("Cargo.toml", "utf8")) ?? [];

browserTest("the page shows the version of its engine", { tier: "default" }, async (page) => {
  await page.open();
  await page.waitText("engine-version", `${VERSION}`);
  await page.screenshot("first-load");
});

browserTest("nothing is requested from another host", { tier: "default" }, async (page) => {
  await page.open();
  await page.waitText("engine-version", ".");
  const requested = await page.execute(() =>
    performance.getEntriesByType("resource").map(({ name }) => name),
  );
  assert.notEqual(requested.length, 0, "not even its own files were requested");
  for (const address of requested) assert(address.startsWith(page.server.url), `requested ${address}`);
});
