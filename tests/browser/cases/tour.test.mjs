/** What helps to understand: the first screen, the tour, the terms, the examples. */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { address, finished, nativeReport, notice, TEXTS, withoutData } from "../lab.mjs";

/** The last one is for the user to play; the others state results. */
const STEPS = 8;

/** The statements of a step about its results, once they are shown. */
const statements = (page) => page.waitText("story-found", /\S/);

/** Waits until this step shows its results, guessing if it asks, and returns what it states about them. */
async function stepReached(page, number) {
  await page.waitText("story-count", `Step ${number} of ${STEPS}`);
  if (await page.isVisible("story-guess-0")) await page.click("story-guess-0");
  await page.waitHidden("story-changed");
  await finished(page);
  return number < STEPS ? statements(page) : "";
}

async function openGallery(page) {
  await page.click("all-examples");
  await page.waitVisible("examples");
}

/** The visible buttons and links in the primary colour, and whether they can be clicked without scrolling. */
const primaryButtons = (page) =>
  page.execute(() => {
    const color = (element) => getComputedStyle(element).backgroundColor;
    const accent = color(document.getElementById("tour"));
    const looksPrimary = (button) => button.checkVisibility() && color(button) === accent;
    return [...document.querySelectorAll("button, a")].filter(looksPrimary).map((button) => {
      const { left, right, top, bottom } = button.getBoundingClientRect();
      const onTop = document.elementFromPoint((left + right) / 2, (top + bottom) / 2) === button;
      return { id: button.id, inSight: onTop && top >= 0 && bottom <= innerHeight };
    });
  });

browserTest("the first screen speaks plainly and has one primary button", {}, async (page) => {
  for (const [width, height] of [
    [400, 800],
    [1400, 1000],
  ]) {
    await page.viewport(width, height);
    await page.open();
    await finished(page);
    // Plain words first.
    assert.match(await page.text("headline"), /error rose from.*NMSE/s);
    assert.deepEqual(await primaryButtons(page), [{ id: "tour", inSight: true }]);
  }
  // Once settings are changed and wait for Run, Run looks so, too.
  await page.set("field-iterations", 1000);
  assert((await primaryButtons(page)).some(({ id }) => id === "run"));
});

const { abs } = Math;
/** Mean of the metric of a model over the targets. */
const mean = ({ target_tasks: targets, ...report }, model) =>
  targets.reduce((sum, task) => sum + report[model].metric_per_task[task], 0) / targets.length;

/** What each step states, checked against the report of its run; `includes` looks for a number. */
const CHECKS = [
  async ({ clean, includes, page }) => {
    // No other penalty makes separate models better than the one that the tour takes.
    const separate = [];
    for (const penalty of [0.02, 0.01, 0.03, 0.05]) {
      const link = `#n=12&m=random&i=0&b=0&l2=0&s=3&l1=${penalty}`;
      separate.push(mean(await nativeReport(page, link), "clean"));
    }
    assert.equal(Math.min(...separate), separate[0]);
    includes(separate[0], clean);
    assert(clean < 0.8 * separate[0], `jointly ${clean}, separately ${separate[0]}`);
  },
  ({ text, report }) => {
    const [row] = report.clean.correlation;
    assert(row[1] > 0.5 && row[3] < -0.5 && abs(row[7]) < 0.3, `${row}`);
    assert.match(text, /tru\S+( correlation)? 0\.90/);
    assert.match(text, /tru\S+( correlation)? −0\.90/);
  },
  ({ text, report, clean, attacked, includes }) => {
    assert.equal(report.spec.method, "random");
    assert(attacked > 1.1 * clean, `random points: ${clean} to ${attacked}`);
    includes(attacked);
    assert.match(text, /\b2 (poisoned )?points\b.* 12\b/);
    const { roc_auc: pairs } = report.detection.norm;
    assert(pairs > 0.3 && pairs < 0.7, `random points look ordinary: ${pairs}`);
    assert(text.includes(`${Math.round(100 * pairs)} %`) && text.includes("look ordinary"), text);
  },
  ({ text, report, clean, start, attacked, includes }) => {
    assert(attacked > 1 && attacked > 1.5 * start && start > clean, `${[clean, start, attacked]}`);
    includes(start, attacked);
    assert.match(text, /\b6 (random )?points/);
    assert.equal(report.detection.norm.roc_auc, 1);
    assert.match(text, /all of the 6 points .* surface .* 100 %/);
  },
  ({ text, report, clean, start, attacked, includes }) => {
    assert(report.attacking_tasks.every((task) => task > 2));
    assert(attacked > 1.2 * clean && attacked > 1.2 * start, `${[clean, start, attacked]}`);
    includes(attacked);
    assert.match(text, /T1\u2060–\u2060T3\b.*\b(none|no poisoned)/);
  },
  ({ text, report }) => {
    const change = (a, b) => abs(report.attacked.correlation[a][b] - report.clean.correlation[a][b]);
    const pairs = [...Array(8).keys()].flatMap((a) => [...Array(a).keys()].map((b) => [b, a]));
    const [a, b] = pairs.reduce((most, pair) => (change(...pair) > change(...most) ? pair : most));
    // More than what counts as subverted where the paper's claims are judged.
    assert(change(a, b) > 0.5, `${change(a, b)}`);
    const said = ["clean", "attacked"].map((model) => {
      const value = report[model].correlation[a][b];
      return `${value < 0 ? "−" : ""}${abs(value).toFixed(2)}`;
    });
    assert(text.includes(`T${a + 1} and T${b + 1}, from ${said.join(" to ")}`), `${said} in ${text}`);
    // Ten points are injected.
    const caught = 10 * report.detection.norm.precision;
    assert(caught > 7 && text.includes(`largest norms, ${caught} are poisoned`), `${caught} in ${text}`);
    assert.match(text, /do not look ordinary/);
  },
  async ({ text, report, clean, attacked, includes, page }) => {
    assert.equal(report.spec.learner, "capped");
    const free = await nativeReport(page, "#n=12&k=indirect&s=3&l1=0.001&l2=0.01");
    const [before, after] = [mean(free, "clean"), mean(free, "attacked")];
    includes(before, after, clean, attacked);
    const prevented = 1 - (attacked - clean) / (after - before);
    assert(prevented > 0.5 && prevented < 0.75, `${prevented}`);
    assert(text.includes(`prevents ${Math.round(100 * prevented)} % of the damage`), text);
    assert(clean <= before && text.includes("on clean data is no higher"), text);
  },
];

browserTest("what the tour states is true of its runs", { timeout: 300 }, async (page) => {
  await page.open();
  await finished(page);
  await page.click("tour");
  for (let number = 1; number < STEPS; number++) {
    const text = await stepReached(page, number);
    const digest = await finished(page);
    const link = await address(page, `r=${digest}`, `story=${number}`);
    const report = await nativeReport(page, link);
    assert.equal(report.digest, digest, link);
    const includes = (...values) => {
      for (const value of values) assert(text.includes(value.toFixed(3)), `${value} not in: ${text}`);
    };
    const [clean, attacked] = [mean(report, "clean"), mean(report, "attacked")];
    const start = report.trace[0].metric;
    await CHECKS[number - 1]({ page, text, report, clean, start, attacked, includes });
    const formula = await page.execute(() => document.querySelectorAll(".story-formula math *").length);
    assert(formula > 5, `step ${number} has no formula`);
    await page.click("story-next");
  }
  await page.waitText("story-count", `Step ${STEPS}`);
  for (const id of ["story-defend", "story-by-hand"]) assert(await page.isVisible(id));
  await page.click("story-next");
  await page.waitHidden("story");
  await page.waitFor("a plain address", async () => !(await page.fragment()).includes("story"));
});

browserTest("a step asks for a guess before it runs, and compares", {}, async (page) => {
  await page.open("#story=2");
  await stepReached(page, 2);
  const before = await page.text("headline");
  await page.click("story-next");
  await page.waitText("story-question", /Your guess/);
  assert.equal(await page.text("story-found"), "");
  assert.equal(await page.text("headline"), before, "nothing runs before the guess");
  assert(!(await page.isVisible("story-changed")));
  await page.click("story-guess-2");
  await page.waitText("story-found", /guessed “Even worse”. The run says otherwise/);
  assert.equal(await page.focused(), "story-next");
  await page.waitHidden("story-question");
  await page.click("story-next");
  await page.click("story-guess-2");
  await page.waitText("story-found", /You guessed right/);
  // Going back does not ask again.
  await page.click("story-back");
  await page.waitText("story-found", /guessed “Even worse”/);
});

browserTest("the step on the pull cap goes on to all defences on its settings", {}, async (page) => {
  await page.open("#story=7");
  await page.waitText("story-found", /prevents/);
  await page.click("story-to-defend");
  await page.waitFor("the settings of the step", async () => {
    const fragment = await page.fragment();
    return ["view=defend", "k=indirect", "n=12"].every((part) => fragment.includes(part));
  });
});

browserTest(
  "the tour shows the two maps that it speaks of on a phone",
  { engines: CHROMIUM },
  async (page) => {
    await page.viewport(390, 844);
    for (const [step, shown] of [
      [2, ["true", "clean"]],
      [6, ["clean", "attacked"]],
    ]) {
      await page.open(`#story=${step}`);
      await stepReached(page, step);
      await page.still();
      const seen = await page.execute(() => {
        const panel = document.getElementById("story").getBoundingClientRect().top;
        return [...document.querySelectorAll("#heatmaps canvas")]
          .filter((map) => map.checkVisibility() && map.getBoundingClientRect().bottom <= panel + 60)
          .map((map) => map.dataset.map);
      });
      assert.deepEqual(seen, shown);
      await page.screenshot(`tour-maps-${step}`);
    }
    await page.click("story-close");
    await page.waitFor("one map again", () =>
      page.execute(
        () =>
          [...document.querySelectorAll("#heatmaps canvas")].filter((map) => map.checkVisibility()).length ===
          1,
      ),
    );
  },
);

browserTest("the tour is read with the keyboard", { tier: "default" }, async (page) => {
  await page.open();
  await finished(page);
  await page.execute((button) => button.focus(), await page.find("tour"));
  await page.press(Key.ENTER);
  await page.waitVisible("story");
  await page.waitFor("the focus", async () => (await page.focused()) === "story-title");
  // Arrows belong to the page.
  await page.press(Key.ARROW_RIGHT);
  await page.waitText("story-count", "Step 1");
  await page.press(Key.TAB);
  assert.equal(await page.focused(), "story-next");
  for (let number = 2; number <= STEPS; number++) {
    await page.press(Key.ENTER);
    await page.waitText("story-count", `Step ${number}`);
    assert.equal(await page.focused(), "story-next");
    const announced = await page.execute(() => document.querySelector("#story [role=status]").textContent);
    assert(announced.startsWith(`Step ${number}`), announced);
  }
  await page.press(Key.ESCAPE);
  await page.waitHidden("story");
  assert.equal(await page.focused(), "tour");
});

browserTest("the tour does not hide what it explains", { timeout: 180 }, async (page) => {
  if (page.isChromium) await page.media({ "prefers-reduced-motion": "reduce" });
  for (const [width, height] of [
    [1400, 1000],
    [768, 1000],
    [400, 800],
  ]) {
    await page.viewport(width, height);
    await page.open("#story=1");
    for (let number = 1; number <= STEPS; number++) {
      if (number > 1) await page.click("story-next");
      await stepReached(page, number);
      await page.still();
      const { share, below, seen, wide } = await page.execute(() => {
        const panel = document.getElementById("story").getBoundingClientRect();
        const card = document.querySelector(".looked-at").getBoundingClientRect();
        const seen = Math.min(card.bottom, panel.top) - Math.max(card.top, 0);
        return {
          share: panel.height / innerHeight,
          below: panel.bottom - innerHeight,
          seen: seen / Math.min(card.height, panel.top),
          wide: panel.width,
        };
      });
      const place = `step ${number} at ${width} x ${height}`;
      // Less than a hundredth of a pixel is rounding.
      assert(share <= 0.451 && below < 0.01, `${place}: panel ${share}, ${below} px below the screen`);
      assert(seen > 0.85, `${place}: ${seen} of what fits of the card is seen`);
      assert(wide <= width, `${place}: ${wide} px wide`);
      await page.screenshot(`tour-${number}-${width}`);
    }
  }
});

browserTest("a step of the tour opens from its link", {}, async (page) => {
  await page.open("#story=5");
  await stepReached(page, 5);
  const digest = await finished(page);
  const link = await address(page, digest, "story=5", "k=indirect");
  await page.open(link);
  assert.equal(await finished(page), digest);
  await notice(page, TEXTS.reproduced);
  await page.waitText("story-count", "Step 5");
  assert.doesNotMatch(await page.text("notices"), /story/, "the key is known");
  // Out of range: the nearest step; no number: no tour.
  await page.open("#story=99");
  await page.waitText("story-count", `Step ${STEPS}`);
  await page.open("#story=x");
  await finished(page);
  assert(!(await page.isVisible("story")));
});

browserTest("the tour stays with its own results when settings change", {}, async (page) => {
  // Settings of a link are kept.
  await page.open("#b=0.4&story=4");
  await page.waitVisible("story-changed");
  await finished(page);
  assert.equal(await page.property("field-budget", "value"), "0.4");
  await page.click("story-restore");
  const before = await stepReached(page, 4);
  assert.match(before, /\b6 (random )?points/);
  // After another run the step still states the results of its own.
  await page.set("field-budget", 0.5);
  await page.waitVisible("story-changed");
  await page.click("run");
  await finished(page);
  assert.equal(await statements(page), before);
  await page.click("story-next");
  await stepReached(page, 5);
  await page.waitText("story-found", /\b(none|no poisoned)/);
  await page.click("story-back");
  assert.equal(await stepReached(page, 4), before);
  assert.equal(await page.property("field-budget", "value"), "0.2");
  await page.click("story-close");
  await page.waitHidden("story");
});

/** Opens a term in a part of the page with the keyboard, and returns its explanation. */
async function explanation(page, part, word) {
  await page.waitFor(`${word} to be a term in ${part}`, () =>
    page.execute(
      (part, word) => {
        const terms = [...document.querySelectorAll(`${part} .term`)];
        const term = terms.find(({ textContent }) => textContent.includes(word));
        term?.scrollIntoView({ block: "center" });
        term?.focus();
        return Boolean(term);
      },
      part,
      word,
    ),
  );
  await page.settle();
  await page.press(Key.ENTER);
  await page.waitVisible("term-note");
  const inside = await page.execute(
    (note) => {
      const { left, right, top, bottom } = note.getBoundingClientRect();
      return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
    },
    await page.find("term-note"),
  );
  assert(inside, `the explanation of ${word} leaves the screen`);
  return page.text("term-note");
}

browserTest("terms are explained where they stand", {}, async (page) => {
  for (const [width, height] of [
    [400, 800],
    [1400, 1000],
  ]) {
    await page.viewport(width, height);
    await page.open();
    await finished(page);
    for (const [part, word, says] of [
      [".summary", "NMSE", /mean squared error/],
      [".summary", "oisoned points", /adds to the training/],
      ["#curve-card", "teration", /round of the attack/],
      ["#heat-card", "correlation", /\+1/],
      ["#heat-card", "ttack", /points (in)?to/],
      ["#facts-card", "igest", /equal digests/],
      ["#facts-card", "above the optimum", /certificate/],
      ["#facts-card", "backtracking", /never/],
    ]) {
      // A phone has no room for the sentence above the curve.
      if (part === "#curve-card" && width === 400) continue;
      const text = await explanation(page, part, word);
      assert.match(text, says, `${word} in ${part}`);
      const announced = await page.execute(() =>
        [...document.querySelectorAll("[role=status]")].map(({ textContent }) => textContent),
      );
      assert(announced.includes(text), `${word} is not announced`);
      await page.press(Key.ESCAPE);
      await page.waitHidden("term-note");
    }
  }
  // With the pointer: another term replaces the explanation, the same one closes it.
  const terms = [];
  for (const term of await page.driver.findElements({ css: ".summary .term" })) {
    if (await term.isDisplayed()) terms.push(term);
  }
  // Scrolling closes it.
  await page.execute((term) => term.scrollIntoView({ block: "center" }), terms.at(0));
  await page.still();
  const texts = [];
  for (const term of [terms.at(0), terms.at(-1)]) {
    await term.click();
    await page.waitVisible("term-note");
    texts.push(await page.text("term-note"));
  }
  assert.notEqual(texts[0], texts[1]);
  await terms.at(-1).click();
  await page.waitHidden("term-note");
  const all = await page.execute(() =>
    [...document.querySelectorAll(".term")].map((term) => {
      term.click();
      const text = document.getElementById("term-note").textContent;
      term.click();
      return text;
    }),
  );
  assert(all.length > 12 && all.every((text) => text.length > 20), all.join("\n"));
});

browserTest("an example started during a run replaces it", {}, async (page) => {
  await page.open("#p=constant&i=1000");
  await page.waitText("status", "Iteration");
  await page.execute((button) => button.click(), await page.find("try-indirect"));
  await finished(page);
  await address(page, "k=indirect&e=");
});

browserTest("the gallery opens, and leads to the figures", { tier: "default" }, async (page) => {
  await page.open();
  await finished(page);
  await openGallery(page);
  await page.press(Key.ESCAPE);
  await page.waitHidden("examples");
  assert.equal(await page.focused(), "all-examples");
  await openGallery(page);
  await page.click("example-figure2");
  await page.waitText("figure-claim", "30");
  assert(!(await page.isVisible("examples")));
});

browserTest("every example of the gallery runs", { timeout: 300 }, async (page) => {
  await page.open();
  await finished(page);
  await openGallery(page);
  // Those without data in the build are disabled.
  const examples = await page.execute(() =>
    [...document.querySelectorAll(".example h4 button:enabled")].map(({ dataset }) => dataset.testid),
  );
  assert.notEqual(examples.length, 0);
  for (const id of examples) {
    if (!(await page.isVisible("examples"))) await openGallery(page);
    await page.click(id);
    await finished(page, 60);
    assert.equal(await page.text("notices"), "", id);
  }
});

browserTest(
  "the paper's claims are shown beside our results",
  { timeout: 300, data: ["sarcos", "landmine", "mnist"] },
  async (page) => {
    await page.open();
    await finished(page);
    assert(!(await page.isVisible("claim")), "the paper makes no claim about the first run");
    await openGallery(page);
    await page.click("examples-fill");
    await page.waitText("examples-status", /^All/, 120);
    const numbers = await page.execute(() =>
      [...document.querySelectorAll("[data-testid^=here-]")].map(({ textContent }) => textContent),
    );
    for (const text of numbers) assert.match(text, /^[^–]*\d[^–]*$/);
    await page.click("example-sarcos-30");
    await finished(page);
    await page.waitText("claim", "about 50% higher averaged NMSE");
    await page.waitText("claim", "Figure 2");
    const here = await page.waitText("claim-here", "% higher");
    if (process.env.PATOM_CLI) {
      const report = await nativeReport(page, await page.fragment());
      const change = 100 * (mean(report, "attacked") / mean(report, "clean") - 1);
      assert(here.includes(`${change.toFixed()} % higher`), `${change} %: ${here}`);
    }
    // The second run of a comparison starts by itself.
    await page.open("#d=landmine&k=indirect");
    await finished(page);
    await page.waitText("claim", "Direct attacks are more effective");
    await page.waitText("claim-here", /→.*→.*direct/);
    // The claim goes with the run.
    await page.set("field-seed", 4);
    await page.click("run");
    await finished(page);
    await page.waitHidden("claim");
  },
);

browserTest("examples without their data are disabled, and say why", {}, async (page) => {
  withoutData(page);
  await page.open();
  await finished(page);
  await openGallery(page);
  await page.waitText("examples", /not (in|included in) this/);
  assert.equal(await page.property("example-sarcos-30", "disabled"), true);
  assert.equal(await page.property("example-hybrid", "disabled"), false);
  await page.waitText("here-sarcos-30", /not (there|available)/);
});

const AXE = { engines: CHROMIUM, timeout: 180 };

browserTest("axe finds nothing in an open term and in the gallery", AXE, async (page) => {
  const check = async () => {
    for (const dark of [true, false]) {
      await page.dark(dark);
      await page.settle();
      assert.deepEqual(await (dark ? page.axeColors() : page.axe()), [], dark ? "dark" : "light");
    }
  };
  for (const width of [1400, 400]) {
    await page.viewport(width, 800);
    await page.open();
    await finished(page);
    await explanation(page, ".summary", "NMSE");
    await check();
    await page.press(Key.ESCAPE);
    await openGallery(page);
    await check();
  }
});
