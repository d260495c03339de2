/** The view for a stage, slides, what a link claims, and the keyboard's way to the maps. */

import assert from "node:assert/strict";

import { Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { address, chooseItem, complete, finished } from "../lab.mjs";

async function open(page, link = "") {
  await page.open(link);
  const digest = await finished(page);
  await page.waitFor("the rest of the page", () => complete(page));
  return digest;
}

browserTest("key F shows headline, network, two maps and budget on one screen", {}, async (page) => {
  await page.viewport(1280, 720);
  await open(page, "#k=indirect&i=4");
  await page.press("f");
  await page.waitVisible("present-bar");
  const seen = await page.execute(() =>
    ["#headline", "#network", "#tiles", "[data-map=clean]", "[data-map=attacked]", ".present-bar"].map(
      (selector) => {
        const { top, bottom, height } = document.querySelector(selector).getBoundingClientRect();
        return height > 10 && top >= 0 && bottom <= innerHeight;
      },
    ),
  );
  assert(seen.every(Boolean), seen.join());
  await page.screenshot("stage");
  await page.set("present-budget", 0.4);
  await address(page, "b=0.4", "r=");
  await page.press(Key.ESCAPE);
  await page.waitHidden("present-bar");
  assert(await page.isVisible("controls"));
  // A choice that has the focus is no place to write.
  await page.set("field-attack-direct", true);
  await page.execute(() => document.getElementById("field-attack-direct").focus());
  await page.press("f");
  await page.waitVisible("present-bar");
  await page.press(Key.ESCAPE);
  await page.waitHidden("present-bar");
  // Not while somebody writes.
  await page.type("field-seed", "f");
  assert(!(await page.isVisible("present-bar")));
});

browserTest(
  "an iframe for a slide is 16:9, and its link names its theme",
  { engines: CHROMIUM },
  async (page) => {
    await open(page, "#i=2");
    await page.execute(() => {
      navigator.clipboard.writeText = async (text) => void Object.assign(window, { copiedText: text });
    });
    await chooseItem(page, "embed-stage");
    const snippet = await page.waitFor("the snippet", () => page.execute(() => window.copiedText));
    const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(snippet) ?? [];
    assert.equal(Number(width) / Number(height), 16 / 9);
    assert.match(snippet, /view=stage&amp;embed=1&amp;theme=light/);
    await page.dark();
    await page.viewport(Number(width), Number(height));
    await page.open("#i=2&view=stage&embed=1&theme=light");
    await finished(page);
    const paper = await page.execute(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(paper, "rgb(255, 255, 255)");
    const [needed, has] = await page.execute(() => [document.documentElement.scrollHeight, innerHeight]);
    assert(needed <= has, `${needed} px in ${has}`);
    await page.screenshot("slide");
  },
);

browserTest("a link without a digest says so, and all settings are on screen", {}, async (page) => {
  await open(page, "#i=4&s=5");
  assert(await page.isVisible("link-note"));
  await page.execute(() => {
    document.querySelector("[data-testid=settings-list]").parentElement.open = true;
  });
  assert.match(await page.text("settings-list"), /Seed\s*5/i);
  const link = await address(page, "r=");
  await open(page, link);
  await page.waitText("notices", "Reproduced bit for bit");
  assert(!(await page.isVisible("link-note")));
  await open(page);
  assert(!(await page.isVisible("link-note")), "the page's own start");
});

browserTest("an edited digest is told from another result", {}, async (page) => {
  await open(page, "#i=4");
  const link = await address(page, "r=");
  await page.open(link.replace(/r=[0-9a-f]{4}/, "r=0000"));
  await page.waitText("notices", "somebody edited the link");
});

browserTest("the keyboard reaches the first map with few stops", { engines: CHROMIUM }, async (page) => {
  await open(page);
  await page.waitFor("the terms", () => page.execute(() => document.querySelectorAll(".term").length > 5));
  const at = () => page.execute(() => document.activeElement?.getAttribute("data-map"));
  let stops = 0;
  while (stops < 60 && !(await at())) {
    await page.press(Key.TAB);
    stops++;
  }
  assert(stops <= 45, `${stops} stops`);
});

browserTest("terms of a part, and tasks of a group, are one stop each", {}, async (page) => {
  await open(page);
  await page.waitFor("the terms", () =>
    page.execute(() => document.querySelectorAll(".summary .term").length > 1),
  );
  const stops = await page.execute(() => [
    document.querySelectorAll(".summary .term[tabindex='0']").length,
    document.querySelectorAll("[data-field=targets] input[tabindex='0']").length,
  ]);
  assert.deepEqual(stops, [1, 1]);
  await page.execute(() => document.querySelector(".summary .term[tabindex='0']").focus());
  await page.press(Key.ARROW_RIGHT);
  const second = await page.execute(() =>
    [...document.querySelectorAll(".summary .term")].indexOf(document.activeElement),
  );
  assert.equal(second, 1);
  await page.execute(() => document.querySelector("[data-field=targets] input[tabindex='0']").focus());
  await page.press(Key.ARROW_RIGHT, Key.ARROW_RIGHT, Key.ARROW_RIGHT);
  assert.equal(await page.focused(), "targets-3");
});

browserTest("menus and marks are named for a screen reader", { engines: CHROMIUM }, async (page) => {
  await open(page, "#k=indirect");
  const { nodes } = await page.cdp("Accessibility.getFullAXTree", {});
  const names = nodes.map(({ name }) => name?.value ?? "");
  for (const wanted of ["Save curve", "Save maps"]) assert(names.includes(wanted), wanted);
  const groups = names.filter((name) => /^(Target|Attacking) tasks/.test(name));
  assert(groups.length > 0);
  assert(!groups.some((name) => /[●▲]/.test(name)), groups.join());
});
