/** The fragment of the address, and the state of the page: pure modules, without a browser. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  comparisonLink,
  figureAddress,
  labFragment,
  parseRoute,
  splitLabLink,
  viewAddress,
} from "../../www/core/route.js";
import { Store } from "../../www/core/store.js";

const LAB = {
  view: "lab",
  figure: 0,
  method: "",
  datasets: "",
  seeds: "",
  left: "",
  right: "",
  names: "",
  lab: "",
  embed: false,
};

test("an empty address is the lab", () => {
  for (const fragment of ["", "#", "#&", "&&"]) assert.deepEqual(parseRoute(fragment), LAB);
});

test("a link of the lab is kept as it is", () => {
  const link = "v=1&d=landmine&t=0-14&view=curve,heatmaps&embed=1&zzz=%41";
  assert.deepEqual(parseRoute(`#${link}`), { ...LAB, lab: link, embed: true });
});

test("a figure has data sets and seeds, and keeps the link of the lab", () => {
  const route = parseRoute("#view=figure2&method=exact&data=sarcos,landmine&seeds=3&v=1&k=indirect");
  assert.deepEqual(route, {
    ...LAB,
    view: "figure",
    figure: 2,
    method: "exact",
    datasets: "sarcos,landmine",
    seeds: "3",
    lab: "v=1&k=indirect",
  });
  assert.deepEqual(parseRoute(figureAddress(3)), { ...LAB, view: "figure", figure: 3 });
});

test("only the figures of the paper are views", () => {
  for (const view of ["figure", "figure0", "figure4", "figure11", "xfigure1", "compared"]) {
    assert.equal(parseRoute(`#view=${view}`).view, "lab", view);
  }
});

test("risk and defence are about the specification in their address", () => {
  for (const view of /** @type {const} */ (["risk", "defend"])) {
    assert.deepEqual(parseRoute(viewAddress(view, "")), { ...LAB, view });
    const lab = "v=2&d=landmine&l=0.1";
    assert.deepEqual(parseRoute(viewAddress(view, lab)), { ...LAB, view, lab });
  }
  for (const view of ["risks", "Risk", "xdefend"])
    assert.equal(parseRoute(`#view=${view}`).view, "lab", view);
});

test("a comparison returns the two links that its address was made of", () => {
  const links = ["v=1&d=sarcos&b=0.3", "v=1&d=file:a%20b%26c.csv:00ff&r=0123", "", "100%", "a#b=c"];
  for (const left of links) {
    for (const right of links) {
      assert.deepEqual(parseRoute(comparisonLink(left, right)), { ...LAB, view: "compare", left, right });
    }
  }
});

test("a comparison returns the names of its runs", () => {
  const names = "10 % & more|the other #1";
  assert.equal(parseRoute(comparisonLink("v=1", "v=1&b=0.3", names)).names, names);
  assert.doesNotMatch(comparisonLink("v=1", ""), /names/);
});

test("embed is on only with the value 1", () => {
  assert.equal(parseRoute("#embed=1").embed, true);
  for (const fragment of ["#embed", "#embed=", "#embed=0", "#embed=11", "#noembed=1"]) {
    assert.equal(parseRoute(fragment).embed, false, fragment);
  }
});

test("malformed percent encoding is taken literally", () => {
  assert.equal(parseRoute("#view=compare&left=%E0%A4%A&right=50%").left, "%E0%A4%A");
  assert.deepEqual(splitLabLink("#map=%&v=1"), { spec: "v=1", keys: [["map", "%"]] });
});

test("the first value of a repeated key counts", () => {
  assert.equal(parseRoute("#view=figure1&view=compare").figure, 1);
  assert.deepEqual(splitLabLink("story=2&story=3").keys, [["story", "2"]]);
});

test("the engine gets all keys but those of the page, as they are written", () => {
  const fragment = "#v=1&story=2&d=file:x%3Ay.csv:00ff&map=paper&left=1&zzz=%41";
  assert.deepEqual(splitLabLink(fragment), {
    spec: "v=1&d=file:x%3Ay.csv:00ff&left=1&zzz=%41",
    keys: [
      ["story", "2"],
      ["map", "paper"],
    ],
  });
});

test("a link of the lab survives writing and reading", () => {
  const keys = /** @type {[string, string][]} */ ([
    ["view", "curve,heatmaps"],
    ["map", "a&b=c%d#e"],
  ]);
  assert.deepEqual(splitLabLink(labFragment("v=1&k=indirect", keys)), { spec: "v=1&k=indirect", keys });
  assert.equal(labFragment("", []), "");
  assert.equal(labFragment("", [["embed", "1"]]), "embed=1");
});

test("a notice replaces an older one about the same thing, and can be withdrawn", () => {
  const store = new Store();
  const events = [];
  store.subscribe(({ type }) => events.push(type));
  store.notice("first", "", "link");
  store.notice("other", "bad", "run");
  store.notice("second", "good", "link");
  assert.deepEqual(
    store.notices.map(({ text, view }) => [text, view]),
    [
      ["other", "lab"],
      ["second", "lab"],
    ],
  );
  store.withdraw("run");
  store.withdraw("nothing");
  assert.deepEqual(
    store.notices.map(({ text }) => text),
    ["second"],
  );
  assert.equal(events.length, 4);
});
