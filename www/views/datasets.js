/** The choice of the data set: published, synthetic, or a user's file. */

import { $, byId, el, legible } from "../ui/dom.js";
import { DATASETS } from "../core/session.js";
import { countOf } from "../core/words.js";

/** @import { Session } from "../core/session.js" */
/** @import { DatasetRef, Published, Source } from "../engine/types.js" */

const SYNTHETIC_STORY =
  "8 tasks with known true correlations: T1 to T3 agree, T4 and T5 oppose them, T6 and T7 form " +
  "a separate pair, T8 is unrelated.";

/** Files that may contain a specification: images and reports saved from this page. */
const WITH_PROVENANCE = /\.(png|svg|json)$/i;

export class Datasets {
  /**
   * @param {Session} lab
   * @param {(file: File) => void} openProvenance
   */
  constructor(lab, openProvenance) {
    this.lab = lab;
    this.openProvenance = openProvenance;
    /** @type {Published | null} the data set whose raw files are expected */
    this.wanted = null;
    this.fileInput = byId("file", HTMLInputElement);
    this.fileInput.onchange = () => {
      const files = [...(this.fileInput.files ?? [])];
      // Allows choosing the same file again.
      this.fileInput.value = "";
      this.take(files, this.wanted);
    };
    this.build();
    lab.askColumns = async (reader, source, inspected, columns) => {
      const { chooseColumns } = await import("./columns.js");
      return chooseColumns(reader, source, inspected, columns);
    };
    const help = $("file-help");
    help.ontoggle = async () => {
      const { showHelp } = await import("./formats.js");
      await showHelp(lab.solver, $("file-help-text"));
    };
    lab.subscribe((event) => {
      if (event.type === "changed") this.show();
      if (event.type !== "data") return;
      if (event.problem === undefined) return this.show();
      const { problem, source } = event;
      $("error-dataset").textContent = legible(problem);
      if (source) $("error-dataset").append(" ", this.columnsButton(source));
      $("error-dataset").hidden = event.problem === "";
    });
  }

  /**
   * @param {File[]} files chosen or dropped
   * @param {Published | null} wanted the data set whose raw files are expected
   */
  async take(files, wanted = null) {
    const [file] = files;
    if (file && WITH_PROVENANCE.test(file.name)) {
      // Data in JSON are a list, a report is an object.
      const start = /json$/i.test(file.name) ? await file.slice(0, 64).text() : "";
      if (!start.trimStart().startsWith("[")) return this.openProvenance(file);
    }
    return this.lab.openFiles(files, wanted);
  }

  /** @param {Published | null} published */
  ask(published) {
    this.wanted = published;
    this.fileInput.click();
  }

  /** @param {Source} source */
  columnsButton(source) {
    const change = () => this.lab.changeColumns(source);
    const attributes = { type: "button", "data-testid": "change-columns", onclick: change };
    return el("button", attributes, "Change columns");
  }

  build() {
    const { lab } = this;
    const box = $("datasets");
    for (const name of DATASETS) {
      const published = lab.engine.published.find((one) => one.name === name);
      const [title, detail] = (published?.title ?? "Synthetic: known correlations").split(": ");
      const id = `dataset-${name}`;
      const input = el("input", { type: "radio", name: "dataset", id, "data-testid": id });
      input.onchange = () => lab.chooseDataset(name);
      const small = el("small", {}, lab.isThere(name) ? detail : "not in this build");
      box.append(input, el("label", { for: id }, title, small));
    }
    const id = "dataset-file";
    const input = el("input", { type: "radio", name: "dataset", id, "data-testid": id });
    input.onclick = (event) => {
      const [key] = [...lab.opened.keys()].filter((key) => !DATASETS.includes(key)).slice(-1);
      const opened = key && lab.opened.get(key);
      if (opened && typeof lab.dataset === "string") {
        return lab.chooseDataset({ name: opened.description.name, sha256: opened.description.sha256 });
      }
      event.preventDefault();
      this.ask(null);
    };
    const small = el("small", { id: "file-name" }, "table, MAT, NumPy, …; stays on your computer");
    box.append(input, el("label", { for: id }, "Your own file …", small));
  }

  show() {
    const ref = this.lab.dataset;
    const chosen = typeof ref === "string" ? `dataset-${ref}` : "dataset-file";
    for (const input of $("datasets").querySelectorAll("input")) input.checked = input.id === chosen;
    const note = el("span", {}, ...this.note(ref));
    $("data-note").replaceChildren(...note.childNodes);
  }

  /** @param {DatasetRef} ref */
  note(ref) {
    const { lab } = this;
    const about = lab.description();
    const size = about
      ? `${countOf(about.shape.tasks, "task")}, ${countOf(about.features, "feature")}, ${countOf(about.points, "point")}. `
      : "";
    if (typeof ref === "object") {
      const other = el("button", { type: "button", onclick: () => this.ask(null) }, "Open another file");
      const open = el("button", { type: "button", onclick: () => this.ask(null) }, `Open ${ref.name}`);
      const source = lab.opened.get(ref.sha256)?.source;
      return about && source
        ? [
            `${ref.name}: ${size}Labels: ${about.kind}. The file stays on your computer. `,
            other,
            " ",
            this.columnsButton(source),
          ]
        : [`This link needs the file ${ref.name} (SHA-256 ${ref.sha256.slice(0, 12)}…). `, open];
    }
    if (ref === "synthetic") return [SYNTHETIC_STORY];
    const published = lab.engine.published.find(({ name }) => name === ref);
    if (!published) return [];
    const broken = lab.broken.has(ref);
    if (lab.isThere(ref) && !broken) return [`${size}${published.note}`];
    const names = published.files.map(({ name }) => name).join(", ");
    const open = el(
      "button",
      { type: "button", "data-testid": "open-raw", onclick: () => this.ask(published) },
      published.files.length > 1 ? "Open these files" : `Open ${names}`,
    );
    return [
      broken
        ? `Press Run to retry. Or: ${published.by_hand}, then open it here (it stays on your computer).`
        : `This build does not include ${names}. ${published.by_hand}. Then open it here (it stays ` +
          "on your computer), or put it into the folder named by $PATOM_DATA and rebuild.",
      el("br"),
      open,
    ];
  }
}
