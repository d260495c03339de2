/**
 * The state of the page, in one object, and who is notified when it changes. The session (session.js)
 * changes it; views read it and subscribe. No elements, no addresses.
 */

import { parseRoute } from "./route.js";

/** @import { Complete, Confirmation, Description, Draft, LabEvent, Mapping, Notice, Preview, Problem, Result, RunState, Source, Summary } from "../engine/types.js" */
/** @import { Keys, Route } from "./route.js" */

/**
 * @typedef {{preview: Preview, mapping: Mapping, summary: Summary, asked: boolean}} Reading
 * how the columns of a user's file are read; the user was asked, or the guess was sure
 * @typedef {{source: Source, description: Description, reading?: Reading}} Opened
 */

export class Store {
  /** The view and its parameters. @type {Route} */
  route = parseRoute("");

  /** The fields of the specification that the user or a link set; all others are default. @type {Draft} */
  draft = {};
  /** The draft with all defaults, if it is valid. @type {Complete | null} */
  complete = null;
  /** What is wrong with the draft. @type {Problem[]} */
  problems = [];
  /** The mapping that a link has for the file it waits for. @type {string | null} */
  columns = null;
  /** Keys of the lab's link that are no part of the specification: of the page, and unknown ones. @type {Keys} */
  others = [];

  /** Data sets from files that the user opened, by name or SHA-256. @type {Map<string, Opened>} */
  opened = new Map();
  /** Bundles of this build that were loaded, by name. @type {Map<string, Source>} */
  bundles = new Map();
  /** Loaded data sets, by key of the source. @type {Map<string, Description>} */
  described = new Map();
  /** Bundles of this build that could not be loaded. @type {Set<string>} */
  broken = new Set();

  /** The run in progress. @type {RunState | null} */
  run = null;
  /** The result that is shown. @type {Result | null} */
  result = null;
  /** The claim of a link about its result, until it is compared. @type {{link: string, claim: string} | null} */
  expected = null;
  /** Whether repeating the run gave the same result. @type {Confirmation | null} */
  confirmation = null;
  /** Messages above the result, in their order. @type {Notice[]} */
  notices = [];

  /** @type {((event: LabEvent) => void)[]} */
  #listeners = [];

  /** @param {(event: LabEvent) => void} listener */
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  /** @param {LabEvent} event */
  emit(event) {
    for (const listener of this.#listeners) listener(event);
  }

  /**
   * A message of the lab.
   * @param {string} text
   * @param {"" | "bad" | "good"} [kind]
   * @param {string} [about] a later notice about the same thing replaces it
   * @param {{text: string, run: () => void}} [action] what the user can do about it
   * @param {Notice["view"]} [view] where it is shown: in the lab alone, or in every view
   */
  notice(text, kind = "", about = text, action, view = "lab") {
    this.notices = [
      ...this.notices.filter((other) => other.about !== about),
      { text, kind, about, view, ...(action && { action }) },
    ];
    this.emit({ type: "notices" });
  }

  /** @param {string} about */
  withdraw(about) {
    const { length } = this.notices;
    this.notices = this.notices.filter((notice) => notice.about !== about);
    if (this.notices.length < length) this.emit({ type: "notices" });
  }
}
