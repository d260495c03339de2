/** The picture of the README, `docs/images/page.png`; taken only if pictures are asked for. */

import { browserTest, CHROMIUM } from "../harness.mjs";
import { complete, finished } from "../lab.mjs";

browserTest("the picture of the README is taken", { engines: CHROMIUM, data: ["sarcos"] }, async (page) => {
  if (!page.pictures) page.skip("PATOM_PICTURES names no folder");
  await page.viewport(1280, 1080);
  await page.open("#v=2&d=sarcos&k=hybrid&b=0.3");
  await finished(page);
  await page.waitFor("the poisoned points", () => complete(page));
  await page.screenshot("readme-page");
});
