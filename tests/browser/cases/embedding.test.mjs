/** A result in somebody else's page: the element of other sites, and code that computes it elsewhere. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

import { browserTest } from "../harness.mjs";
import { chooseItem, finished, nativeReport } from "../lab.mjs";
import { FRAME } from "../server.mjs";

/** A page of another site, with no policy of its own and this in its body. */
async function otherSite(page, html) {
  const site = await page.serve(page.folder);
  site.fault(FRAME, { header: ["content-security-policy", ""] });
  site.fault(FRAME, { header: ["cross-origin-opener-policy", ""] });
  const body = `<body><script src="${page.server.url}patom-lab.js"></script>${html}</body>`;
  site.fault(FRAME, { replace: (text) => `${text}`.replace(/<body>.*<\/body>/s, body) });
  await page.driver.get(site.url + FRAME);
  return site;
}

/** The digest that the element's page reports. */
const reported = (page) =>
  page.waitFor(
    "the digest of the element",
    () => page.execute(() => document.querySelector("patom-lab").digest),
    30,
  );

browserTest("the element shows a result in a page of another site", { timeout: 120 }, async (page) => {
  await page.open("#k=indirect&i=4");
  const digest = await finished(page);
  await otherSite(
    page,
    '<h1>Talk</h1><patom-lab link="k=indirect&amp;i=4" view="curve"><a>A link</a></patom-lab>',
  );
  assert.equal(await reported(page), digest);
  const whole = () => page.execute(() => document.querySelector("patom-lab").getBoundingClientRect().height);
  // The frame begins with 32rem, and then is as high as its content.
  const height = await page.waitFor("the height of the content", async () => {
    const found = await whole();
    return found !== 512 && found > 300 && found;
  });
  assert(height < 700, `${height}`);
  const frame = await page.execute(() => {
    const { title, src } = document.querySelector("patom-lab").shadowRoot.querySelector("iframe");
    return { title, src };
  });
  assert.match(frame.title, /PATOM Lab/);
  assert.equal(frame.src, `${page.server.url}#k=indirect&i=4&embed=1&view=curve`);
  await page.screenshotWhole("element");
  // Another link replaces the result.
  const other = await page.execute(async () => {
    const element = document.querySelector("patom-lab");
    const next = new Promise((resolve) =>
      element.addEventListener("result", ({ detail }) => resolve(detail.digest)),
    );
    element.setAttribute("link", "i=1&s=5");
    return next;
  });
  assert.match(other, /^[0-9a-f]{16}$/);
  assert.notEqual(other, digest);
});

browserTest("the element takes an address and refuses what is none", {}, async (page) => {
  const address = `${page.server.url}#v=2&d=synthetic&i=2&theme=light`;
  await otherSite(
    page,
    `<patom-lab link="${address.replaceAll("&", "&amp;")}" view="stage" label="Slide 3"></patom-lab>`,
  );
  assert.match(await reported(page), /^[0-9a-f]{16}$/);
  const look = await page.execute(() => {
    const element = document.querySelector("patom-lab");
    const { width, height } = element.getBoundingClientRect();
    const { title, src } = element.shadowRoot.querySelector("iframe");
    return { ratio: width / height, title, src };
  });
  assert(Math.abs(look.ratio - 16 / 9) < 0.02, `${look.ratio}`);
  assert.equal(look.title, "Slide 3");
  assert.equal(look.src, `${address}&embed=1&view=stage`);
  await page.screenshot("element-slide");
  const after = await page.execute(() => {
    const element = document.querySelector("patom-lab");
    element.setAttribute("link", "javascript:alert(1)#i=1");
    return element.shadowRoot.querySelector("iframe").src;
  });
  assert.equal(after, look.src);
});

browserTest("copied Python names the run and its digest", {}, async (page) => {
  await page.open("#k=indirect&i=3&b=0.3");
  const digest = await finished(page);
  await page.execute(() => {
    const writeText = async (text) => Object.assign(window, { copiedText: text });
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText } });
  });
  await chooseItem(page, "copy-python");
  const code = await page.waitFor("something copied", () => page.execute(() => window.copiedText));
  await page.waitText("copied", "Python copied");
  const found = /^import patom\n\nresult = patom\.run\("(.*)"\)\nassert result\.digest == "(.*)"\n$/.exec(
    code,
  );
  assert(found, code);
  assert.equal(found[2], digest);
  await page.screenshot("copy-python");
  // Where the package is installed, the code itself; else the program with the link of the code.
  const python = process.env.PATOM_PYTHON;
  if (python) await promisify(execFile)(python, ["-c", code], { cwd: page.folder });
  assert.equal((await nativeReport(page, found[1])).digest, digest);
});

browserTest("the npm package runs in a page, and a run is aborted at once", {}, async (page) => {
  const site = await page.serve(resolve(process.env.PATOM_DIST || "dist", "../dist-npm"));
  await page.driver.get(site.url + FRAME);
  const link = "v=2&d=synthetic&k=indirect&i=3&le=capped";
  const done = await page.execute(async (link) => {
    const { run } = await import("./index.js");
    const seen = [];
    const { digest } = await run(link, { onIteration: ({ iteration }) => seen.push(iteration) });
    const controller = new AbortController();
    const onIteration = () => controller.abort(new Error("no longer needed"));
    const long = run("p=constant&i=1000&pb=100", { onIteration, signal: controller.signal });
    const reason = await long.catch((error) => error.message);
    const problem = await run("v=2&b=99").catch(({ name, field }) => [name, field]);
    return { digest, seen, reason, problem };
  }, link);
  assert.deepEqual(done.seen, [0, 1, 2, 3]);
  assert.equal(done.reason, "no longer needed");
  assert.deepEqual(done.problem, ["PatomError", "budget"]);
  assert.equal(done.digest, (await nativeReport(page, link)).digest);
});
