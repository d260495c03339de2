/**
 * Every view of the page: axe, structure, widths, keyboard, media features. A new view is one more
 * entry of `VIEWS`; all that is checked here then holds for it.
 */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import {
  address,
  complete,
  confirmation,
  finished,
  LONG,
  notice,
  openFigure,
  reached,
  runFigure,
  state,
} from "../lab.mjs";

const HASH = "ab".repeat(32);

/** Waits for the result of the lab. */
const done = (page) => finished(page);
/** A figure of the paper after all its runs. */
const figureDone = (number) => async (page) => {
  await openFigure(page, number, ["sarcos"]);
  await runFigure(page);
};

/**
 * `link`: its address · `ready`: waits for it, or brings it about · `data`: what it needs · `widths`: where
 * it exists · `quick`: it is in the default tier.
 */
const VIEWS = [
  { name: "the lab", link: "", ready: done, quick: true },
  // Its tables are so large that axe takes long.
  {
    name: "the lab with Landmine",
    link: "#d=landmine&i=2&k=indirect",
    ready: done,
    data: ["landmine"],
    widths: [400],
  },
  { name: "a run in progress", link: LONG, ready: (page) => page.waitText("status", "Iteration") },
  {
    name: "a cancelled run",
    link: LONG,
    ready: async (page) => {
      await page.waitText("status", "Iteration");
      await page.click("cancel");
    },
  },
  { name: "a link with errors", link: "#b=7&wobble=1&i=2", ready: done },
  {
    name: "a failed run",
    link: "#i=2",
    before: (page) => page.failRuns("panic", "panic"),
    ready: (page) => reached(page, "failed"),
  },
  {
    name: "a confirmed result",
    link: "#i=2",
    ready: (page) => confirmation(page, "confirmed"),
    widths: [400],
  },
  {
    name: "a result that differs",
    link: "#i=2",
    before: (page) => page.failRuns("wrong"),
    ready: (page) => page.waitText("confirmation", "two of three"),
    widths: [400],
  },
  { name: "a link to a file", link: `#d=file:mine.csv:${HASH}`, ready: (page) => notice(page, "mine.csv") },
  {
    name: "the settings sheet",
    link: "#i=2",
    ready: async (page) => {
      await finished(page);
      await page.click("to-settings");
    },
    widths: [400],
    quick: true,
  },
  { name: "the tour", link: "#story=2", ready: done, quick: true },
  { name: "an embedded view", link: "#i=2&embed=1&view=curve", ready: done, quick: true },
  {
    name: "a comparison",
    link: "#view=compare&left=d=synthetic%26i=6&right=d=synthetic%26k=indirect",
    ready: async (page) => {
      const isDone = async () => (await page.property("compare-view", "dataset")).state === "done";
      await page.waitFor("both runs", isDone);
    },
    quick: true,
  },
  {
    name: "a figure",
    link: "#view=figure1",
    ready: (page) => page.waitText("figure-status", /\S/),
    quick: true,
  },
  {
    name: "the risk view",
    link: "#view=risk",
    ready: (page) => page.waitText("risk-pull_cap-status", "Published results"),
    quick: true,
  },
  {
    name: "the defences",
    link: "#view=defend&k=indirect&i=3&s=5",
    ready: async (page) => {
      const isDone = async () => (await page.property("defend", "dataset")).state === "done";
      await page.waitFor("the study", isDone, 90);
    },
  },
  ...[1, 2, 3].map((number) => ({
    name: `figure ${number} with its runs`,
    link: `#view=figure${number}`,
    ready: figureDone(number),
    data: ["sarcos"],
  })),
];

/** Opens a view with all of its disclosures, and waits for what is loaded later. */
async function show(page, { link, before, ready }) {
  page.expectConsoleError("a panic was injected", "Blocked attempt to show a 'beforeunload'");
  before?.(page);
  await page.open(link);
  await ready(page);
  await page.waitFor("the rest of the page", () =>
    page.execute(() => {
      const where = document.getElementById("where-card");
      const isComplete = !where.checkVisibility() || where.querySelector("canvas") !== null;
      return isComplete && document.querySelector(".recent") !== null;
    }),
  );
  await page.execute(() => {
    for (const disclosure of document.querySelectorAll("details")) disclosure.open = true;
  });
  await page.settle();
}

for (const view of VIEWS) {
  const { name, quick, data, widths = [400, 1400] } = view;
  for (const width of widths) {
    const tier = quick && width === widths.at(-1) ? "default" : "full";
    const options = { tier, engines: CHROMIUM, data, timeout: 120 };
    browserTest(`axe finds nothing in ${name}, ${width} pixels wide`, options, async (page) => {
      await page.viewport(width, 900);
      await show(page, view);
      for (const dark of [false, true]) {
        await page.dark(dark);
        await page.settle();
        await page.screenshotWhole(`view-${name.replaceAll(" ", "-")}-${width}-${dark ? "dark" : "light"}`);
        // In the dark only the colours differ.
        assert.deepEqual(await (dark ? page.axeColors() : page.axe()), [], dark ? "dark" : "light");
      }
      if (name === "a run in progress") assert.equal(await state(page), "running", "the run was too short");
    });
  }

  browserTest(`${name} has an outline and fits every screen`, { data, timeout: 120 }, async (page) => {
    await page.elasticViewport(widths.at(-1), 900);
    await show(page, view);
    await checkOutline(page, view);
    for (const width of [320, 400, 768, 901, 1400, 2560]) {
      await page.resize(width, 900);
      await page.settle();
      await page.waitFor(`${name} to fit a screen of ${width}`, () => fits(page, width));
    }
  });
}

/** Headings, landmarks, live regions, title, and a name and a table for every picture. */
async function checkOutline(page, { name, link }) {
  const { levels, mains, landmarks, assertive, title, elsewhere, bare } = await page.execute(() => {
    const visible = (selector) =>
      [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    return {
      levels: visible("h1, h2, h3, h4").map(({ localName }) => Number(localName[1])),
      mains: visible("main").length,
      landmarks: visible("header, footer, main, nav").length,
      assertive: document.querySelectorAll("[aria-live=assertive]").length,
      title: document.title,
      elsewhere: performance
        .getEntriesByType("resource")
        .map((entry) => entry.name)
        .filter((address) => !address.startsWith(location.origin) && !/^(data|blob):/.test(address)),
      bare: visible("canvas")
        .filter((one) => one.role !== "img" || !one.ariaLabel || !one.closest(".card").querySelector("table"))
        .map((one) => one.ariaLabel ?? one.outerHTML),
    };
  });
  assert.equal(levels[0], 1);
  assert(
    levels.every((level, k) => k === 0 || level <= levels[k - 1] + 1),
    `headings ${levels}`,
  );
  assert.equal(mains, 1);
  // An embedded view has no header, footer and navigation.
  assert(landmarks >= 4 || name === "an embedded view", `${landmarks} landmarks`);
  assert.equal(assertive, 0, "a region interrupts");
  assert.match(title, /PATOM Lab/);
  assert.deepEqual(elsewhere, [], "requests to other hosts");
  // The table comes at the end of a run.
  if (link !== LONG) assert.deepEqual(bare, [], "pictures without a name or a table");
}

/** Whether nothing is beyond the right edge of the screen. */
async function fits(page, width) {
  const [scrollWidth, beyond] = await page.execute(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const beyond = [...document.querySelectorAll("body *")].filter(
      (one) =>
        one.getBoundingClientRect().right > clientWidth + 1 &&
        !one.closest(".scroll, .heatmaps, .visually-hidden, .chips, .presets, math"),
    );
    return [scrollWidth, beyond.slice(0, 5).map((one) => `${one.localName}#${one.id}.${one.className}`)];
  });
  assert(scrollWidth <= width, `${scrollWidth} pixels: ${beyond.join()}`);
  return true;
}

browserTest("the browser refuses requests to other hosts", {}, async (page) => {
  page.expectConsoleError("Content Security Policy", "Failed to fetch");
  await page.open();
  const refused = await page.execute(
    () =>
      new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
        fetch("http://127.0.0.2:9/").then(
          () => resolve("sent"),
          () => setTimeout(resolve, 3000, "not refused"),
        );
      }),
  );
  assert.equal(refused, "connect-src");
});

for (const theme of ["light", "dark"]) {
  const options = { engines: CHROMIUM, data: ["sarcos"], timeout: 120 };
  browserTest(`pictures stand out in ${theme} forced colours`, options, async (page) => {
    await page.media({ "forced-colors": "active", "prefers-color-scheme": theme });
    for (const view of VIEWS.filter(({ name }) => ["the lab", "figure 1 with its runs"].includes(name))) {
      await show(page, view);
      const pictures = await page.execute(() =>
        [...document.querySelectorAll("canvas")]
          .filter((canvas) => canvas.checkVisibility())
          .map((canvas) => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const green = data.filter((_, k) => k % 4 === 1);
            const range = green.reduce(
              ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
              [255, 0],
            );
            return {
              background: green[1],
              contrast: range[1] - range[0],
              edge: getComputedStyle(canvas).outlineStyle,
            };
          }),
      );
      assert.notEqual(pictures.length, 0);
      for (const { background, contrast, edge } of pictures) {
        assert.equal(background < 128, theme === "dark", `background ${background}`);
        assert(contrast > 120, `contrast ${contrast}`);
        assert.equal(edge, "solid");
      }
    }
  });
}

/** Presses Tab until an element has the focus; each one on the way must show it. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 120; presses++) {
    await page.press(Key.TAB);
    const { isThere, isMarked, html } = await page.execute((selector) => {
      const focused = document.activeElement;
      const isInput = focused.matches(".segments input, .chips input, .datasets input");
      const { outlineStyle } = getComputedStyle(isInput ? focused.nextElementSibling : focused);
      // Behind the last element come the browser's own controls.
      const isOutside = focused === document.body || !document.hasFocus();
      return {
        isThere: focused.matches(selector),
        isMarked: outlineStyle !== "none" || isOutside,
        html: focused.outerHTML.slice(0, 80),
      };
    }, selector);
    assert(isMarked, `the focus cannot be seen: ${html}`);
    if (isThere) return;
  }
  assert.fail(`${selector} cannot be reached with Tab`);
}

/** Moves the focus before the first element. */
const toTop = (page) =>
  page.execute(() => {
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  });

browserTest(
  "the keyboard alone is enough",
  { tier: "default", data: ["sarcos"], timeout: 180 },
  async (page) => {
    page.expectConsoleError("Blocked attempt to show a 'beforeunload'");
    const press = async (selector, ...keys) => {
      await tabTo(page, selector);
      await page.press(...keys);
    };
    await page.open();
    await finished(page);
    await press(".skip", Key.ENTER);
    assert.equal(await page.execute(() => document.activeElement.id), "results");
    // Other data, another attack.
    await toTop(page);
    await press("#dataset-synthetic", Key.ARROW_RIGHT, Key.ARROW_RIGHT);
    await page.waitText("data-note", "7 tasks");
    await press("#field-attack-direct", Key.ARROW_RIGHT);
    await press("#run", Key.ENTER);
    await address(page, "d=sarcos", "k=indirect");
    await finished(page);
    // A heatmap, and the link.
    await toTop(page);
    await press("#heatmaps canvas", Key.ARROW_RIGHT, Key.ARROW_RIGHT);
    await page.waitText("cell-readout", /\bT1\b.*\bT2\b/);
    await press("#copy-link", Key.ENTER);
    await page.waitText("copied", /\S/);
    // A long run, cancelled.
    await page.set("field-iterations", 1000);
    await toTop(page);
    await press("#more-attack summary", Key.ENTER);
    await press("#field-step-backtracking", Key.ARROW_LEFT);
    await press("#run", Key.ENTER);
    await page.waitText("status", "Iteration");
    await page.press(Key.ENTER);
    await reached(page, "cancelled");
    assert.equal(await page.focused(), "run");
    // The figures.
    await toTop(page);
    await press("#to-figures", Key.ENTER);
    await page.waitText("figure-claim", /\S/);
    await press("#to-figure2", Key.ENTER);
    await page.waitVisible("figure-run");
    await tabTo(page, "[data-testid=figure-run]");
  },
);

browserTest("on a phone the settings are a sheet", {}, async (page) => {
  const sheet = () =>
    page.execute(() => [
      document.getElementById("to-settings").ariaExpanded,
      document.getElementById("results").inert,
    ]);
  await page.viewport(400, 850);
  await page.open();
  await finished(page);
  assert.equal(await page.isVisible("field-seed"), false);
  await page.click("to-settings");
  await page.waitVisible("field-seed");
  assert.deepEqual(await sheet(), ["true", true]);
  await page.screenshot("sheet-400");
  await page.press(Key.ESCAPE);
  await page.waitHidden("field-seed");
  assert.equal(await page.focused(), "to-settings");
  await page.press(Key.ENTER);
  await page.set("field-seed", 9);
  await page.click("run");
  await page.waitHidden("field-seed");
  await address(page, "s=9");
  await finished(page);
  assert.deepEqual(await sheet(), ["false", false]);
});

browserTest("a phone shows the lab in less than 3600 pixels", {}, async (page) => {
  await page.viewport(400, 850);
  await page.open();
  await finished(page);
  await page.waitFor("the rest of the page", () => complete(page));
  await page.settle();
  const height = await page.execute(() => document.documentElement.scrollHeight);
  assert(height < 3600, `${height} pixels`);
});

browserTest("nothing moves when motion is unwanted", { engines: CHROMIUM }, async (page) => {
  await page.media({ "prefers-reduced-motion": "reduce" });
  await page.open();
  await finished(page);
  const moving = await page.execute(() =>
    [...document.querySelectorAll("*")]
      .filter((one) => {
        const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(one);
        return transitionDuration !== "0s" || animationName !== "none" || scrollBehavior === "smooth";
      })
      .map((one) => one.outerHTML.slice(0, 60)),
  );
  assert.deepEqual(moving, []);
});
