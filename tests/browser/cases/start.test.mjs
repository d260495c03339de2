/** The first minute: the first result, nothing moves while the page loads, examples, the keyboard. */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { address, complete, finished, state } from "../lab.mjs";
import { FILES } from "../server.mjs";

const completed = (page) => page.waitFor("the rest of the page", () => complete(page));

browserTest("the page opens with a finished result", { tier: "default" }, async (page) => {
  await page.open();
  await finished(page);
  assert.match(await page.text("headline"), /NMSE/);
  assert.match(await page.text("tiles"), /NMSE before/);
  assert.match(await page.text("task-table"), /T1.*target.*T8/s);
  const maps = await page.execute(() =>
    [...document.querySelectorAll("#heatmaps canvas")].map(({ dataset }) => dataset.map),
  );
  assert.deepEqual(maps, ["true", "clean", "attacked", "difference"]);
});

browserTest("the first paint reserves room for the first result at any width", {}, async (page) => {
  await page.elasticViewport(1400, 900);
  await page.open();
  await finished(page);
  await completed(page);
  for (const width of [360, 400, 600, 800, 1024, 1400]) {
    await page.resize(width, 900);
    const [before, after] = await page.execute(async () => {
      const html = await (await fetch(location.pathname)).text();
      const first = new DOMParser().parseFromString(html, "text/html");
      const tops = () =>
        ["headline", "tour", "status", "tiles", "keep-row", "curve-card"].map(
          (id) => document.getElementById(id).getBoundingClientRect().top + scrollY,
        );
      const after = tops();
      const restore = ["presets", "headline", "scale", "tiles", "tour"].map((id) => {
        const shown = document.getElementById(id);
        const old = document.importNode(first.getElementById(id), true);
        shown.replaceWith(old);
        return () => old.replaceWith(shown);
      });
      const before = tops();
      for (const undo of restore) undo();
      return [before, after];
    });
    // Fractions of a pixel are those of line heights.
    const moved = after.map((top, k) => Math.abs(top - before[k]));
    assert(Math.max(...moved) < 0.5, `at a width of ${width}: ${after} instead of ${before}`);
  }
});

for (const width of [1400, 400]) {
  browserTest(`no card moves when the rest of the page arrives, ${width} wide`, {}, async (page) => {
    const tops = () =>
      page.execute(() =>
        [...document.querySelectorAll("#results > .card, #results .menu")]
          .filter((card) => card.checkVisibility() && !card.matches(".recent"))
          .map((card) => Math.round(card.getBoundingClientRect().top + scrollY)),
      );
    await page.viewport(width, 900);
    page.server.fault(FILES.reading, { delay: 2000 });
    await page.open();
    await finished(page);
    await page.settle();
    assert(!(await complete(page)), "too early");
    const before = await tops();
    assert(before.length > 5);
    await completed(page);
    await page.settle();
    assert.deepEqual(await tops(), before);
  });
}

/** Layout shift so far, as browsers count it; the message says which elements moved. */
async function shiftsLittle(page, width) {
  const shifts = await page.execute(
    async () =>
      await new Promise((done) => {
        const describe = ({ node, previousRect: from, currentRect: to }) =>
          `${node?.id || node?.className} from ${from.x}, ${from.y} to ${to.x}, ${to.y}`;
        new PerformanceObserver((list) =>
          done(list.getEntries().map(({ value, sources }) => [value, ...sources.map(describe)])),
        ).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => done([]), 1000);
      }),
  );
  const sum = shifts.reduce((sum, [value]) => sum + value, 0);
  assert(sum < 0.01, `${sum} at a width of ${width}: ${shifts.join("; ")}`);
}

const slow = { engines: CHROMIUM, timeout: 120 };

browserTest("nothing visible shifts while a slow machine starts", slow, async (page) => {
  await page.cdp("Emulation.setCPUThrottlingRate", { rate: 4 });
  // Twice: without and with a cache.
  for (const width of [320, 400, 1024, 1400, 320, 400, 1024, 1400]) {
    await page.viewport(width, 900);
    await page.open();
    await finished(page);
    await completed(page);
    await page.settle();
    await shiftsLittle(page, width);
  }
});

browserTest("nothing visible shifts when the document arrives in parts", slow, async (page) => {
  const places = [
    '<div id="fields"',
    '<nav class="presets"',
    '<p id="scale"',
    '<div id="claim"',
    '<dl id="tiles"',
    '<section class="card" data-card="curve"',
  ];
  // Each part waits for a script before it. All are requested at once.
  page.server.fault(FILES.page, {
    replace: (body) =>
      places.reduce(
        (html, place, k) => html.replace(place, `<script src="late-${k}.js"></script>${place}`),
        `${body}`,
      ),
  });
  for (const k of places.keys()) {
    page.server.fault(`late-${k}.js`, {
      status: 200,
      header: ["content-type", "text/javascript"],
      delay: 200 * (k + 1),
    });
  }
  for (const width of [400, 1400]) {
    await page.viewport(width, 900);
    await page.open();
    await finished(page);
    await page.settle();
    const late = await page.execute(() => document.querySelectorAll("script[src^=late]").length);
    assert.equal(late, places.length);
    await shiftsLittle(page, width);
  }
});

browserTest("every example runs", { timeout: 180 }, async (page) => {
  await page.open();
  const first = await finished(page);
  const examples = await page.execute(() =>
    [...document.querySelectorAll("#presets button")].map(({ textContent }) => textContent),
  );
  assert(examples.length >= 4, examples.join());
  for (const [k, example] of examples.entries()) {
    const after = await page.execute((k) => {
      document.querySelectorAll("#presets button")[k].click();
      return document.getElementById("results").dataset.state;
    }, k);
    if (after === "idle") continue; // The build lacks its data set.
    assert.equal(after, "running", example);
    assert.equal((await finished(page)) === first, k === 0, example);
  }
});

browserTest("images have a summary, and the curve a table", {}, async (page) => {
  await page.open();
  await finished(page);
  await page.waitVisible("where-picture");
  await page.execute(() => document.querySelector("#trace summary").click());
  const rows = await page.waitFor("the rows of the table", () =>
    page.execute(() => document.querySelectorAll("#trace-table tbody tr").length),
  );
  const canvases = await page.execute(() =>
    [...document.querySelectorAll("canvas")].map((canvas) => [canvas.role, canvas.ariaLabel]),
  );
  assert.equal(canvases.length, 6);
  for (const [role, label] of canvases) {
    assert.equal(role, "img");
    assert(label.length > 60 && label.endsWith("."), label);
  }
  assert(rows >= 2, `${rows} rows`);
});

const focus = (page, selector) =>
  page.execute((selector) => document.querySelector(selector).focus(), selector);

browserTest("the keyboard reads the heatmap, runs, and changes settings", {}, async (page) => {
  await page.open();
  await finished(page);
  await focus(page, "[data-map=clean]");
  await page.press(Key.ARROW_RIGHT);
  await page.waitText("cell-readout", /^T1 .*target, attacking/);
  await page.press(Key.ARROW_RIGHT, Key.ARROW_DOWN);
  assert.match(await page.waitText("cell-readout", /^T2 .*target, attacking/), /true.*attacked/);
  await page.set("field-seed", 7);
  await focus(page, "#run");
  await page.press(Key.ENTER);
  await address(page, "s=7", `r=${await finished(page)}`);
  await focus(page, "#field-attack-direct");
  await page.press(Key.ARROW_RIGHT);
  // Runs are fast here, so the change runs by itself.
  await address(page, "k=indirect", "r=");
  assert.equal(await state(page), "done");
});
