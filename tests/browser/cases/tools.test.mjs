/** The steps of the harness do what they say: otherwise a case could pass without proving anything. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { finished, reached } from "../lab.mjs";
import { FILES } from "../server.mjs";

/** Replaces the content of a neutral page; events of its elements are noted in the title. */
async function show(page, html) {
  await page.leave();
  await page.execute((html) => {
    document.body.innerHTML = html;
    document.title = "";
    for (const type of ["input", "change", "drop"]) {
      document.body.addEventListener(type, (event) => {
        event.preventDefault();
        document.title += ` ${type}`;
      });
    }
  }, html);
}

browserTest("inputs are set, and the page gets the events", {}, async (page) => {
  await show(
    page,
    `<input data-testid=number type=number><input data-testid=check type=checkbox>
     <select data-testid=choice><option value=a>A<option value=b>B</select>
     <p data-testid=words>some words</p><p data-testid=hidden hidden>none</p>`,
  );
  await page.set("number", 0.25);
  assert.equal(await page.property("number", "value"), "0.25");
  await page.set("choice", "b");
  assert.equal(await page.property("choice", "value"), "b");
  await assert.rejects(page.set("choice", "c"), /no such option/);
  await page.set("check", true);
  await page.set("check", true);
  assert.equal(await page.property("check", "checked"), true);
  await page.click("number");
  await page.type("number", "7");
  assert.equal(await page.property("number", "value"), "0.257");
  const title = await page.execute(() => document.title);
  assert(title.split("change").length > 3, title);
  assert.equal(await page.focused(), "number");
  await page.press(Key.TAB);
  assert.equal(await page.focused(), "check");
  await page.waitText("words", "some");
  await page.waitHidden("hidden");
  await assert.rejects(page.find("nothing"));
  await assert.rejects(
    page.waitFor("nothing", async () => false, 0.1),
    /waited 0.1 s for nothing/,
  );
  await page.setFragment("#a=1");
  assert.equal(await page.fragment(), "#a=1");
  await assert.rejects(
    page.execute(async () => {
      throw new Error("on purpose");
    }),
    /on purpose/,
  );
});

browserTest("files go in and out", {}, async (page) => {
  await show(
    page,
    `<input data-testid=file type=file><div data-testid=area>drop here</div>
     <a data-testid=save download=out.csv href='data:text/csv,a%2Cb'>save</a>`,
  );
  await page.upload("file", "in.csv", "task,label,x1\n");
  const seen = await page.execute(
    async (input) => {
      const [file] = input.files;
      return `${file.name} ${await file.text()}`;
    },
    await page.find("file"),
  );
  assert.equal(seen, "in.csv task,label,x1\n");
  await page.dropFile("area", "in.mat", new Uint8Array([1, 2, 3]));
  assert.match(await page.execute(() => document.title), /drop/);
  await page.click("save");
  assert.equal(readFileSync(await page.downloaded("out.csv"), "utf8"), "a,b");
});

browserTest("the page sees the viewport it is given", {}, async (page) => {
  for (const [width, height] of [
    [1400, 900],
    [400, 800],
  ]) {
    await page.viewport(width, height);
    await page.open();
    await page.waitText("engine-version", ".");
    assert.deepEqual(await page.execute(() => [innerWidth, innerHeight]), [width, height]);
    await page.screenshot(`viewport-${width}`);
    await page.screenshotWhole(`viewport-${width}-whole`);
  }
});

browserTest("media features and pixel ratio reach the page", { engines: CHROMIUM }, async (page) => {
  const seen = () =>
    page.execute(() => [
      devicePixelRatio,
      matchMedia("(prefers-color-scheme: dark)").matches,
      matchMedia("(prefers-reduced-motion: reduce)").matches,
    ]);
  await page.pixelRatio(2);
  await page.media({ "prefers-color-scheme": "dark", "prefers-reduced-motion": "reduce" });
  await page.open();
  assert.deepEqual(await seen(), [2, true, true]);
  await page.dark(false);
  assert.deepEqual(await seen(), [2, false, false]);
});

browserTest("faults and a stopped server reach the page", {}, async (page) => {
  page.expectConsoleError("Failed to load resource");
  await page.open();
  // After the first paint, which need not be before the end of loading.
  await page.waitFor("a request for the engine", () =>
    page.server.takeRequests().some((path) => FILES.engine.test(path)),
  );
  const fetched = () =>
    page.execute(async () => {
      try {
        const answer = await fetch("manifest.webmanifest", { cache: "no-store" });
        return `${answer.status} ${(await answer.text()).length}`;
      } catch {
        return "network error";
      }
    });
  page.server.fault("manifest", { truncate: 7 });
  assert.equal(await fetched(), "200 7");
  page.server.heal();
  page.server.fault("manifest", { breakOff: 7 });
  // WebKit takes what arrived for the whole.
  assert.equal(await fetched(), page.engine === "webkit" ? "200 7" : "network error");
  page.server.heal();
  page.server.fault("manifest", { status: 503 });
  assert.match(await fetched(), /^503/);
  page.server.heal();
  await page.server.stop();
  assert.equal(await fetched(), "network error");
  await page.server.start();
  assert.match(await fetched(), /^200/);
});

browserTest("errors in the console are read", { engines: CHROMIUM }, async (page) => {
  await page.leave();
  await page.execute(() => console.error("on purpose"));
  await page.settle();
  const errors = await page.consoleErrors();
  assert(
    errors.some((error) => error.includes("on purpose")),
    errors.join(),
  );
});

browserTest("runs fail as they are asked to", { timeout: 120 }, async (page) => {
  page.expectConsoleError("a panic was injected", "RuntimeError");
  page.failRuns("wrong", "close", "memory", "", "panic", "panic");
  // Runs to confirm a result then wait for five seconds, and take none of these faults.
  page.setCores(1);
  await page.open("#i=3");
  assert.notEqual(await finished(page), "78fcdecbf9a0e470");
  for (const problem of [/The browser/, /memory/]) {
    await page.click("run");
    await reached(page, "failed");
    assert.match(await page.text("notices"), problem);
  }
  await page.click("run");
  assert.equal(await finished(page), "78fcdecbf9a0e470");
  await page.click("run");
  await reached(page, "failed");
  assert.match(await page.text("notices"), /a panic was injected/);
});
