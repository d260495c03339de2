/** Opening a picture or a report that carries a specification. */

import { loadExtras } from "../engine/extras.js";
import { errorMessage } from "./lab.js";

/** @import { Lab } from "./lab.js" */

/** Larger files are no pictures of ours; their bytes are not even read. */
const MOST = 64 << 20;

/**
 * @param {File} file
 * @param {Lab} lab
 * @param {(fragment: string) => void} open
 */
export async function openCarried(file, lab, open) {
  try {
    if (file.size > MOST) throw { message: "too large: at most 64 MiB are read" };
    const { read_carried } = await loadExtras();
    const fragment = read_carried(new Uint8Array(await file.arrayBuffer()));
    lab.dataProblem("");
    lab.emit({ type: "announce", text: `${file.name} is opened` });
    open(fragment);
  } catch (problem) {
    lab.dataProblem(`${file.name}: ${errorMessage(problem)}`);
    lab.emit({ type: "status", text: "The file could not be used; nothing has changed." });
    lab.emit({ type: "announce", text: `${file.name} could not be used` });
  }
}
