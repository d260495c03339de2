/** How pictures look: sharp at any pixel ratio, dark in the dark. */

import assert from "node:assert/strict";

import { browserTest, CHROMIUM } from "../harness.mjs";
import { finished } from "../lab.mjs";

browserTest("pictures are sharp at any pixel ratio", { engines: CHROMIUM }, async (page) => {
  for (const ratio of [1, 1.5, 2, 3]) {
    await page.pixelRatio(ratio);
    await page.open();
    await finished(page);
    await page.settle();
    const found = await page.execute(() =>
      [...document.querySelectorAll("canvas")]
        .filter((canvas) => canvas.checkVisibility())
        .map((canvas) => canvas.width / canvas.clientWidth),
    );
    assert.notEqual(found.length, 0);
    for (const one of found) assert(Math.abs(one - ratio) < 0.01, `${one} instead of ${ratio}`);
  }
});

browserTest("the curve is dark in the dark", { engines: CHROMIUM }, async (page) => {
  const corner = () =>
    page.execute(() => {
      const canvas = document.querySelector("#curve canvas");
      return canvas.getContext("2d").getImageData(2, 2, 1, 1).data[0];
    });
  await page.open();
  await finished(page);
  assert((await corner()) > 200, "not light");
  await page.dark();
  await page.settle();
  assert((await corner()) < 60, "not dark");
});
