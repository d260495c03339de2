/** What can go wrong around a run: each failure is shown, and the next run works. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { browserTest } from "../harness.mjs";
import { finished, notice, rawFile, reached, state, TEXTS, withoutData } from "../lab.mjs";
import { FILES } from "../server.mjs";

/** The digest of `#i=3`. */
const DIGEST = "78fcdecbf9a0e470";

/** Runs once more; nothing may be left of an earlier failure. */
async function runs(page) {
  await page.click("run");
  assert.equal(await finished(page), DIGEST);
  assert.equal(await page.text("notices"), "");
}

for (const { name, faults, problem, tier } of [
  { name: "a panic", faults: ["panic"], problem: /a panic was injected/, tier: "default" },
  { name: "a trap", faults: ["trap"], problem: /a trap was injected/ },
  { name: "the end of the worker", faults: ["close"], problem: /The browser/, tier: "default" },
  { name: "a lack of memory", faults: ["memory"], problem: /memory/, tier: "default" },
]) {
  browserTest(`${name} is shown, and the next run works`, { tier }, async (page) => {
    page.expectConsoleError("a panic was injected");
    page.failRuns(...faults);
    await page.open("#i=3");
    await reached(page, "failed");
    await notice(page, problem);
    await page.screenshot(name.replaceAll(" ", "-"));
    await runs(page);
  });
}

browserTest(
  "after a panic, an engine that cannot be loaded again does not stop the next run",
  {},
  async (page) => {
    page.expectConsoleError("a panic was injected", "404");
    page.failRuns("", "panic");
    // The repeated run to confirm the first one then waits for five seconds, not 0.8.
    page.setCores(1);
    await page.open("#i=3");
    await finished(page);
    page.server.fault(FILES.engine, { status: 404 });
    await page.click("run");
    await reached(page, "failed");
    await runs(page);
  },
);

browserTest("a run that gives no sign of life gets another worker", {}, async (page) => {
  page.failRuns("hang");
  await page.open("#i=3");
  await sleep(10_000);
  assert.equal(await state(page), "running");
  assert.equal(await finished(page), DIGEST);
});

browserTest("a worker that cannot start is shown, and not started for ever", {}, async (page) => {
  page.expectConsoleError("404");
  page.listWorkers();
  page.server.fault(FILES.worker, { status: 404 });
  await page.open("#i=3");
  await reached(page, "failed");
  await notice(page, /The browser|worker/);
  await sleep(2000);
  // One for the page, and one for the run if the first had failed before.
  const tries = await page.execute(() => window.workers.length);
  assert(tries >= 1 && tries <= 2, `${tries} workers were started`);
  page.server.heal();
  await runs(page);
});

browserTest("data that the build lacks are read from their file", {}, async (page) => {
  withoutData(page);
  await page.open();
  await finished(page);
  await page.open("#d=sarcos");
  await reached(page, "idle");
  assert.match(await page.waitText("data-note", "sarcos_inv_test.mat"), /PATOM_DATA/);
  assert.equal(await page.property("run", "disabled"), true);
  await page.screenshot("missing-data");
  const file = rawFile(page, "sarcos_inv_test.mat");
  // The button opens the browser's own dialog, which nobody answers here.
  await page.execute(() => void (HTMLInputElement.prototype.click = () => {}));
  await page.click("open-raw");
  await page.upload("file", file);
  await finished(page);
  await page.waitText("headline", "NMSE");
});

for (const { name, fault, problem, tier } of [
  { name: "is missing", fault: { status: 404 }, problem: /404/, tier: "default" },
  { name: "breaks off", fault: { breakOff: 100_000 }, problem: /connection/ },
]) {
  browserTest(`a bundle that ${name} is asked for again`, { tier, data: ["landmine"] }, async (page) => {
    page.expectConsoleError("Failed to load resource");
    page.server.fault(FILES.bundle("landmine"), fault);
    await page.open("#d=landmine&i=2");
    await reached(page, "failed");
    await page.waitText("error-dataset", problem);
    if (fault.status) await page.waitText("data-note", "LandmineData.mat");
    page.server.heal();
    await page.click("run");
    await finished(page);
    await page.waitHidden("error-dataset");
  });
}

for (const { name, fault } of [
  { name: "was altered", fault: { alter: 5000 } },
  { name: "ends early", fault: { truncate: 1000 } },
]) {
  // Each has its own case: the browser keeps a bundle of a host for ever.
  browserTest(`a bundle that ${name} is refused, and asked for again`, { data: ["sarcos"] }, async (page) => {
    page.server.fault(FILES.bundle("sarcos"), fault);
    await page.open("#d=sarcos&i=2");
    await reached(page, "failed");
    await page.waitText("error-dataset", /sarcos/i);
    page.server.heal();
    await page.click("run");
    await finished(page);
    await page.waitHidden("error-dataset");
  });
}

browserTest("an old link reproduces its result, and a newer one is refused", {}, async (page) => {
  // A link of version 1, of whatever engine: the digest decides.
  await page.open(`#v=1&i=3&e=0.1.0&r=${DIGEST}`);
  await finished(page);
  await notice(page, TEXTS.reproduced);
  await page.open(`#v=3&i=3&new-thing=7&r=${DIGEST}`);
  await finished(page);
  await notice(page, /link cannot be.*newer/);
  await page.set("field-iterations", 3);
  await page.click("run");
  assert.equal(await finished(page), DIGEST);
});

browserTest("values out of range are explained beside the field", { tier: "default" }, async (page) => {
  await page.open();
  await finished(page);
  for (const [name, value, part] of [
    ["budget", "-1", "between 0"],
    ["budget", "much", "number"],
    ["iterations", "2.5", "whole number"],
    ["lambda1", "0", "between 1e-12"],
    ["epsilon", "1e-13", "1e-12"],
    ["seed", "9007199254740992", "whole number"],
  ]) {
    const [field, error] = [`field-${name}`, `error-${name}`];
    const before = await page.property(field, "value");
    await page.set(field, value);
    await page.waitText(error, part);
    const seen = await page.execute(
      (input, error) => [
        input.getAttribute("aria-invalid"),
        input.getAttribute("aria-describedby").split(" ").includes(error),
        document.getElementById("run").disabled,
      ],
      await page.find(field),
      error,
    );
    assert.deepEqual(seen, ["true", true, true], name);
    await page.set(field, before);
    await page.waitHidden(error);
  }
  for (let task = 0; task < 8; task++) await page.set(`targets-${task}`, false);
  await page.waitVisible("error-targets");
});

browserTest("a host that sends wasm with a wrong type is good enough", {}, async (page) => {
  page.server.fault(/\.wasm$/, { header: ["content-type", "application/octet-stream"] });
  await page.open();
  await finished(page);
});

browserTest("a page whose script is missing asks for a reload", { tier: "default" }, async (page) => {
  page.expectConsoleError("503");
  page.server.fault(FILES.main, { status: 503 });
  await page.open();
  await page.waitText("headline", "could not be loaded");
  await page.waitText("status", "reload");
  await page.waitHidden("tour");
  await page.screenshot("missing-part");
  page.server.heal();
  await page.open();
  await finished(page);
});

browserTest("parts that could not be loaded are asked for again", {}, async (page) => {
  page.expectConsoleError("503");
  // Not from what the browser keeps.
  page.server.prelude(() => Object.defineProperty(navigator, "serviceWorker", { value: undefined }));
  page.server.fault(FILES.tourAndExamples, { status: 503 });
  await page.open("#i=3");
  await finished(page);
  await page.click("tour");
  await notice(page, /tour could not be loaded/i);
  await page.click("all-examples");
  await notice(page, /examples could not be loaded/i);
  await page.click("run");
  assert.equal(await finished(page), DIGEST);
  page.server.heal();
  if (page.engine === "firefox") {
    // It never asks again for a module that failed: the notice suggests a reload.
    await page.reload();
    await finished(page);
  }
  await page.click("tour");
  await page.waitVisible("story");
  assert.doesNotMatch(await page.text("notices"), /tour/i);
});
