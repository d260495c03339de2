/** Taking a result elsewhere: images that open again, tables, citations, embedded results, paper. */

import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";

import { By, Key } from "selenium-webdriver";

import { browserTest, CHROMIUM } from "../harness.mjs";
import {
  address,
  chooseItem,
  figureReached,
  finished,
  notice,
  openFigure,
  runFigure,
  TEXTS,
} from "../lab.mjs";

/** Chooses an item that saves a file, and returns its bytes. */
async function saved(page, id, name) {
  await chooseItem(page, id);
  const path = await page.downloaded(name);
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}

const lineCount = (text) => text.trimEnd().split("\n").length;

const clickPaperColors = (page) => page.execute(() => document.getElementById("paper-colors").click());

browserTest("images and reports open again when dropped", { timeout: 120 }, async (page) => {
  await page.open("#k=indirect&b=0.3&i=4&map=paper");
  const digest = await finished(page);
  const taken = [];
  for (const [id, name] of [
    ["save-curve-png", "curve.png"],
    ["save-curve-svg", "curve.svg"],
    ["save-heatmaps-png", "correlations.png"],
    ["save-heatmaps-svg", "correlations.svg"],
    ["save-report", "report.json"],
    ["save-spec", "spec.json"],
  ]) {
    taken.push([name, await saved(page, id, name)]);
  }
  for (const [name, bytes] of taken) {
    const isImage = !name.endsWith(".json");
    if (isImage) {
      if (page.pictures) page.save(`saved-${name}`, bytes.toString("base64"));
      const text = bytes.toString("latin1").replaceAll("&amp;", "&");
      for (const part of ['"spec":{', digest, "#v=2&d=synthetic&k=indirect", "&map=paper"]) {
        assert(text.includes(part), `${name} has no ${part}`);
      }
    }
    await page.open("#s=5&i=1");
    assert.notEqual(await finished(page), digest);
    await page.dropFile("results", name, bytes);
    await page.waitFor(`the result of ${name}`, async () => (await finished(page)) === digest);
    const fragment = await address(page, "k=indirect&i=4&b=0.3&e=");
    assert.equal(fragment.includes("map=paper"), isImage, `${name}: ${fragment}`);
    if (name !== "spec.json") await notice(page, TEXTS.reproduced);
  }
  // And with the button that opens files.
  const report = await saved(page, "save-report", "report.json");
  await page.open();
  await finished(page);
  await page.upload("file", "report.json", report);
  await notice(page, TEXTS.reproduced);
});

browserTest("a file without a specification is rejected with a reason", {}, async (page) => {
  await page.open();
  const digest = await finished(page);
  const url = await page.execute(() => document.createElement("canvas").toDataURL());
  const png = Buffer.from(url.split(",")[1], "base64");
  for (const [name, content, reason] of [
    ["photo.png", png, /PNG/],
    ["cut.png", png.subarray(0, 40), /end/],
    ["logo.svg", "<svg></svg>", /SVG/],
    ["newer.svg", '<svg><metadata id="patom">{"link":"v=99"}</metadata></svg>', /newer than/],
    ["package.json", '{"name":"x"}', /name: unknown field/],
    // A list is taken for data.
    ["list.json", "[1,2]", /line 1|object/],
    ["broken.json", '{"budget":', /line 1/],
    ["bad.json", '{"spec":{"budget":"lots"}}', /budget/],
  ]) {
    await page.dropFile("results", name, content);
    const [, text] = (await page.waitText("error-dataset", name)).split(name);
    assert.match(text, reason, name);
    assert.equal(await finished(page), digest, `${name}: the result is gone`);
  }
  await page.screenshot("without-specification");
});

browserTest("text in an image never becomes markup", {}, async (page) => {
  await page.open();
  await finished(page);
  const drop = (link) =>
    page.dropFile(
      "results",
      "evil.svg",
      `<svg><script>document.title = "taken over"</script>
         <metadata id="patom">{"link":"${link}"}</metadata></svg>`,
    );
  await drop("#v=1&lt;img src=x onerror=alert(1)&gt;=1&amp;s=3&amp;i=1");
  await page.waitText("error-dataset", "version");
  await drop("#s=3&amp;i=1&amp;%3Cimg%20src%3Dx%3E=1");
  await notice(page, "<img src=x>");
  await finished(page);
  const markup = await page.execute(() => document.querySelectorAll("main img, main script").length);
  assert.equal(markup, 0);
  assert.equal(await page.driver.getTitle(), "PATOM Lab");
});

browserTest("a figure is saved and opens again", { timeout: 180, data: ["sarcos"] }, async (page) => {
  await openFigure(page, 3, ["sarcos"]);
  await page.set("figure-seeds", 2);
  const digest = await runFigure(page);
  for (const end of ["png", "svg"]) {
    const name = `figure3-paper-sarcos.${end}`;
    const bytes = await saved(page, `figure-${end}-sarcos`, name);
    assert(bytes.includes("view=figure3"), `${name} has no link`);
    await page.open();
    await finished(page);
    if (end === "png") {
      await page.dropFile("results", name, bytes);
      assert.equal(await figureReached(page, "kept"), digest);
      await openFigure(page, 3);
      continue;
    }
    // As in a browser that never ran it.
    await page.execute(async () => {
      const request = indexedDB.deleteDatabase("patom-lab-figures");
      await new Promise((resolve) => (request.onsuccess = resolve));
    });
    await page.dropFile("results", name, bytes);
    await page.waitText("figure-status", "runs on");
    const chosen = await page.execute(() =>
      [...document.querySelectorAll("[data-testid^=figure-data-]:checked")].map(({ name }) => name),
    );
    assert.deepEqual(chosen, ["sarcos"]);
    assert.equal(await runFigure(page), digest);
  }
});

browserTest("tables and the citation are saved", {}, async (page) => {
  await page.open("#i=3");
  const digest = await finished(page);
  const trace = `${await saved(page, "save-trace", "trace.csv")}`;
  assert(trace.startsWith("iteration,nmse,utility,objective,certificate,seconds,nmse_T1,"), trace);
  assert.equal(lineCount(trace), 1 + 4);
  const correlations = `${await saved(page, "save-correlations", "correlations.csv")}`;
  assert(correlations.startsWith("model,task,T1,T2,"), correlations);
  assert.equal(lineCount(correlations), 1 + 3 * 8);
  const bibtex = `${await saved(page, "save-bibtex", ".bib")}`;
  for (const part of ["@inproceedings{", "@misc{", digest, "#v=2&d=synthetic&i=3&e="]) {
    assert(bibtex.includes(part), `no ${part} in ${bibtex}`);
  }
  assert.equal(bibtex.split("{").length, bibtex.split("}").length);
});

browserTest("the poisoned data set opens as the user's own file", {}, async (page) => {
  await page.open("#i=3");
  await finished(page);
  const points = `${await saved(page, "save-points", "points.csv")}`;
  const poisoned = `${await saved(page, "save-poisoned", "poisoned.csv")}`;
  assert.match(poisoned, /^task,label,x1,x2,.*,x10,split\n/);
  assert(!poisoned.includes("injected"));
  assert.equal(lineCount(poisoned), lineCount(points));
  await page.upload("file", "poisoned.csv", poisoned);
  await page.waitText("data-note", "8 tasks, 10 features");
  await page.click("summary-run");
  await finished(page);
});

browserTest("points are recomputed when their worker is gone", {}, async (page) => {
  page.listWorkers();
  await page.open("#i=3");
  await finished(page);
  const first = await saved(page, "save-points", "points.csv");
  const before = await page.execute(() => {
    workers[0].terminate();
    return workers.length;
  });
  await page.waitFor("another worker", () => page.execute((n) => workers.length > n, before));
  assert.deepEqual(await saved(page, "save-points", "points.csv"), first);
  assert.equal(await page.text("notices"), "");
});

browserTest("a menu closes with Escape and returns the focus", {}, async (page) => {
  await page.open("#i=1");
  await finished(page);
  const openMenus = () => page.execute(() => document.querySelectorAll("details.menu[open]").length);
  await page.execute(() => document.querySelector("#curve-card .menu summary").focus());
  await page.press(Key.ENTER);
  await page.press(Key.TAB);
  assert.equal(await page.focused(), "save-curve-png");
  assert.equal(await openMenus(), 1);
  await page.screenshot("save-menu");
  await page.press(Key.ESCAPE);
  assert.equal(await openMenus(), 0);
  assert.equal(await page.execute(() => document.activeElement.localName), "summary");
  await page.press(Key.ENTER);
  await page.click("headline");
  assert.equal(await openMenus(), 0);
});

browserTest("the paper's colours are part of the link", {}, async (page) => {
  await page.open("#i=2");
  await finished(page);
  await clickPaperColors(page);
  await page.open(await address(page, "map=paper"));
  await finished(page);
  await notice(page, TEXTS.reproduced);
  assert(await page.execute(() => document.getElementById("paper-colors").checked));
  // The middle of a diagonal cell: yellow, not the red of the other map.
  await page.settle();
  const [red, green, blue] = await page.execute(() => {
    const canvas = document.querySelector("[data-map=clean]");
    const scale = canvas.width / canvas.clientWidth;
    return [...canvas.getContext("2d").getImageData(43 * scale, 37 * scale, 1, 1).data];
  });
  assert(red > 180 && green > 160 && blue < 120, `${[red, green, blue]}`);
  await clickPaperColors(page);
  await page.waitFor("the link without them", async () => !(await page.fragment()).includes("map="));
});

browserTest("a link scrolls to the card that it names", {}, async (page) => {
  await page.viewport(1400, 700);
  await page.open("#i=2&view=heatmaps");
  await finished(page);
  const top = () =>
    page.execute(() => document.querySelector("[data-card=heatmaps]").getBoundingClientRect().top);
  await page.waitFor("the heatmaps", async () => Math.abs(await top()) < 40);
  assert.match(await page.fragment(), /view=heatmaps/);
});

browserTest("a link with another metric shows how far it differs", {}, async (page) => {
  await page.open("#i=3");
  await finished(page);
  const [, before, metric, utility] = /^(.*)&q=(.*)&u=(.*)$/.exec(await address(page, "&q="));
  const other = `${before}&q=${metric * 1.0002}&u=${utility}`.replace("&r=", "&r=00");
  await page.open(other);
  await finished(page);
  const text = await page.waitText("notices", /4th digit.*2e−4/s);
  assert.match(text, /same to the last digit|(equal|identical)/);
  await page.screenshot("other-digits");
});

browserTest("an embedded result is bare and links to the page", { timeout: 120 }, async (page) => {
  const links = new Set();
  const cards = ["curve", "heatmaps", "task-table"];
  for (const [view, shown] of [
    ["&view=curve", ["curve"]],
    ["&view=heatmaps", ["heatmaps"]],
    ["&view=tasks,curve", ["task-table", "curve"]],
    ["", ["curve", "heatmaps"]],
  ]) {
    await page.viewport(900, 700);
    await page.open(`#k=indirect&i=4&embed=1${view}`);
    await finished(page);
    assert(await page.isVisible("headline"));
    for (const id of [...cards, "controls", "run", "copy-link", "to-figures", "tiles"]) {
      assert.equal(await page.isVisible(id), shown.includes(id), `${view}: ${id}`);
    }
    await page.screenshotWhole(`embed-${shown.join("-")}`);
    const link = await page.execute(() => {
      const { href, target, rel } = document.querySelector(".embed-link");
      return { href, target, rel };
    });
    assert.deepEqual([link.target, link.rel], ["_blank", "noopener"]);
    links.add(link.href);
  }
  // The view is not part of the link.
  assert.equal(links.size, 1, [...links].join());
  const { hash } = new URL([...links][0]);
  assert.doesNotMatch(hash, /embed|view/);
  await page.open(hash);
  await finished(page);
  await notice(page, TEXTS.reproduced);
  assert(await page.isVisible("controls"));
});

/** Clicks what copies something, and returns the text: browsers give tests no clipboard. */
async function copied(page, id) {
  await page.execute(() => {
    const writeText = async (text) => Object.assign(window, { copiedText: text });
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText } });
  });
  await chooseItem(page, id);
  return page.waitFor("something copied", () => page.execute(() => window.copiedText));
}

browserTest("an iframe snippet shows the result in another page", {}, async (page) => {
  for (const id of ["embed-curve", "embed-heatmaps", "copy-embed"]) {
    await page.open("#k=indirect&i=4");
    const digest = await finished(page);
    const snippet = await copied(page, id);
    assert.match(snippet, /title="PATOM Lab: /);
    await page.leave();
    await page.execute((html) => void (document.body.innerHTML = html), snippet);
    await page.waitFor("the result in the frame", () =>
      page.execute((digest) => {
        const { contentDocument } = document.querySelector("iframe");
        return contentDocument.getElementById("results")?.dataset.digest === digest;
      }, digest),
    );
    await page.settle();
    const [needed, height] = await page.execute(() => {
      const frame = document.querySelector("iframe");
      return [frame.contentDocument.documentElement.scrollHeight, frame.clientHeight];
    });
    assert(needed <= height && needed > height - 160, `${id}: ${needed} px in a frame of ${height}`);
    await page.screenshotWhole(`iframe-${id}`);
  }
});

browserTest(
  "iframes for slides have the size and the theme of the slide",
  { engines: CHROMIUM },
  async (page) => {
    for (const [id, width, height] of [
      ["embed-stage", 960, 540],
      ["embed-stage43", 960, 720],
    ]) {
      await page.open("#k=indirect&i=4");
      await finished(page);
      await page.dark(id === "embed-stage43");
      const snippet = await copied(page, id);
      assert.match(snippet, new RegExp(`width="${width}" height="${height}"`));
      const theme = id === "embed-stage43" ? "dark" : "light";
      assert.match(snippet, new RegExp(`view=stage&amp;embed=1&amp;theme=${theme}`));
      assert.equal(await page.text("copied"), "iframe copied");
      await page.leave();
      await page.execute((html) => void (document.body.innerHTML = html), snippet);
      await page.waitFor("the result in the frame", () =>
        page.execute(() => {
          const { contentDocument } = document.querySelector("iframe");
          return contentDocument.getElementById("results")?.dataset.state === "done";
        }),
      );
      await page.settle();
      const needed = await page.execute(
        () => document.querySelector("iframe").contentDocument.documentElement.scrollHeight,
      );
      assert(needed <= height, `${needed} px in a frame of ${height}`);
      await page.screenshotWhole(`slide-${id}`);
    }
  },
);

browserTest("a sandboxed frame says what it needs", {}, async (page) => {
  // What the sandbox forbids, the browser reports.
  page.expectConsoleError("CORS", "ERR_FAILED");
  await page.leave();
  await page.execute(() => {
    document.body.innerHTML = `<iframe title="page" id="frame" width="900" height="300"
      sandbox="allow-scripts" src="./#i=3&embed=1"></iframe>`;
  });
  await page.driver.switchTo().frame(await page.driver.findElement(By.id("frame")));
  // Whether styles and scripts are loaded there depends on the browser and on how they are linked.
  await page.waitFor("what it needs", async () => {
    const texts = [await page.text("unstyled"), await page.text("status")];
    return texts.some((text) => text.includes("allow-same-origin"));
  });
  await page.driver.switchTo().defaultContent();
  await page.screenshot("embed-sandboxed");
});

browserTest("a printed page is light and complete", { engines: CHROMIUM, timeout: 120 }, async (page) => {
  await page.dark();
  await page.open("#k=indirect&i=4");
  const digest = await finished(page);
  // What is loaded after the first result.
  await page.waitVisible("where-picture");
  await page.waitFor("the settings on paper", () =>
    page.execute(() => {
      for (const type of ["beforeprint", "afterprint"]) dispatchEvent(new Event(type));
      return document.querySelector("[data-testid=print-settings]").textContent !== "";
    }),
  );
  await page.settle();
  // What is printed, on a screen as wide as A4.
  await page.viewport(720, 1000);
  await page.cdp("Emulation.setEmulatedMedia", {
    media: "print",
    features: [{ name: "prefers-color-scheme", value: "dark" }],
  });
  await page.settle();
  // Printing takes what there is at once: no frame of the screen is drawn in between.
  const pictures = await page.execute(() => {
    dispatchEvent(new Event("beforeprint"));
    return [...document.querySelectorAll("canvas")].map((canvas) => ({
      right: canvas.getBoundingClientRect().right,
      paper: canvas.getContext("2d").getImageData(2, 2, 1, 1).data[0],
    }));
  });
  assert.equal(pictures.length, 6);
  for (const { right, paper } of pictures) {
    assert(right <= 720, `a picture ends at ${right}`);
    assert(paper > 240, `a picture is dark: ${paper}`);
  }
  const settings = await page.text("print-settings");
  for (const part of ["indirect", "Seed", "42", "#v=2&d=synthetic&k=indirect", digest]) {
    assert(settings.includes(part), `${part} is not printed: ${settings}`);
  }
  for (const id of ["controls", "copy-link", "save-report", "run"]) {
    assert(!(await page.isVisible(id)), `${id} is printed`);
  }
  await page.screenshotWhole("print");
  await page.execute(() => dispatchEvent(new Event("afterprint")));
  await page.cdp("Emulation.setEmulatedMedia", { media: "" });
});
