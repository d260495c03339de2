/**
 * Declares browser tests under node:test. A file of cases is a process of its own; it keeps one browser
 * for each engine, and gives each case an empty window, a server of its own and a time limit.
 *
 * Environment: `PATOM_DIST` the built page [dist] · `PATOM_ENGINES` [chromium] · `PATOM_TIER` default or
 * full [default] · `PATOM_CASE` only cases whose name contains this · `PATOM_PICTURES` a folder for
 * screenshots · `PATOM_DATA_THERE` the data sets of the build [those in its folder] · `PATOM_CLI` the
 * native program · `PATOM_DIGESTS` a JSON file: golden specification to native digest.
 */

import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";

import { Browser, temporaryFolder, withTimeout } from "./engines.mjs";
import { Page, Skipped } from "./page.mjs";

const { env } = process;
const DIST = resolve(env.PATOM_DIST || "dist");
const CHOSEN = (env.PATOM_ENGINES || "chromium").split(",");
/** Only Chromium's driver sets media features, pixel ratios and paper, and reads the console. */
export const CHROMIUM = ["chromium"];

/** Names of the published data sets in the build. */
export const DATA_THERE = env.PATOM_DATA_THERE?.split(",") ?? dataIn(join(DIST, "data"));

/** Bundles are named `sarcos-HASH.bundle`. */
function dataIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => name.replace(/-[^-]*\.bundle$/, ""));
}

const declared = [];

/**
 * Declares a case: its name is a claim in plain words, `run` is the proof. Options: `tier`, "default"
 * for what guards a user's main ways, else "full" · `engines`, if something in it exists in some only ·
 * `timeout` in seconds [60] · `data`, the published data sets that it needs.
 */
export function browserTest(name, options, run) {
  // Registered together, engine by engine, so that a file needs one browser at a time.
  if (declared.length === 0) queueMicrotask(register);
  const { tier = "full", engines = ["chromium", "firefox", "webkit"], timeout = 60, data = [] } = options;
  declared.push({ name, tier, engines, timeout, data, run });
}

function register() {
  if (!existsSync(join(DIST, "index.html"))) throw new Error(`there is no page in ${DIST}; build it first`);
  const chosen = declared.filter(({ name, tier }) =>
    // A case that is asked for by name runs in any tier.
    env.PATOM_CASE ? name.includes(env.PATOM_CASE) : tier === "default" || env.PATOM_TIER === "full",
  );
  for (const engine of CHOSEN) {
    const cases = chosen.filter(({ engines }) => engines.includes(engine));
    if (cases.length === 0) continue;
    describe(engine, () => {
      let browser = null;
      after(() => browser?.quit());
      for (const one of cases) {
        const missing = one.data.filter((name) => !DATA_THERE.includes(name));
        const skip = missing.length > 0 && `not in the build: ${missing.join(", ")}`;
        test(one.name, { skip }, async (context) => {
          browser ??= await Browser.start(engine);
          try {
            await attempt(one, browser);
          } catch (error) {
            if (error instanceof Skipped) return context.skip(error.message);
            // Whatever a failed case left behind must not disturb the next one.
            browser.kill();
            browser = null;
            throw error;
          }
        });
      }
    });
  }
}

async function attempt({ name, timeout, run }, browser) {
  const { folder, remove } = temporaryFolder();
  const place = { dist: DIST, folder, pictures: env.PATOM_PICTURES ? resolve(env.PATOM_PICTURES) : "" };
  const page = await withTimeout(30, "opening a window", Page.start(browser, place));
  try {
    await withTimeout(timeout, name, run(page));
    const errors = await page.consoleErrors();
    if (errors.length > 0) throw new Error(`errors in the console:\n  ${errors.join("\n  ")}`);
  } catch (error) {
    if (!(error instanceof Skipped)) {
      const evidence = withTimeout(20, "evidence", describeFailure(page, name));
      console.error(`${browser.engine}: ${name}\n${await evidence.catch(String)}`);
    }
    throw error;
  } finally {
    await page.close();
    remove();
  }
}

/** Saves what a failed case looked like, and returns what there is to say about it. */
async function describeFailure(page, name) {
  const picture = page.save(`failed-${name.replace(/\W+/g, "-")}`, await page.driver.takeScreenshot());
  const lines = [`screenshot: ${picture}`, `address: ${await page.driver.getCurrentUrl()}`];
  for (const error of await page.consoleErrors()) lines.push(`console: ${error}`);
  return lines.join("\n");
}
