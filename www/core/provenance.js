/** Opens a picture or a report that has a specification inside. */

import { loadExtras } from "../engine/extras.js";
import { errorMessage } from "./words.js";

/** @import { Session } from "./session.js" */

/** Larger files are not read. */
const MAX_BYTES = 64 << 20;

/**
 * @param {File} file
 * @param {Session} lab
 * @param {(fragment: string) => void} open
 */
export async function openProvenance(file, lab, open) {
  try {
    if (file.size > MAX_BYTES) throw { message: "too large: the limit is 64 MiB" };
    const { read_carried } = await loadExtras();
    const fragment = read_carried(new Uint8Array(await file.arrayBuffer()));
    lab.dataProblem("");
    lab.emit({ type: "announce", text: `${file.name} was opened` });
    open(fragment);
  } catch (problem) {
    lab.dataProblem(`${file.name}: ${errorMessage(problem)}`);
    lab.emit({ type: "status", text: "The file could not be read. Nothing has changed." });
    lab.emit({ type: "announce", text: `${file.name} could not be read` });
  }
}
