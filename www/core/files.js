/** Sources from files that the user opens. Loaded when the first one is opened. */

/** @import { Published, Source } from "../engine/types.js" */

/**
 * @param {File} file
 * @returns {Promise<Source>}
 */
export async function openFile(file) {
  // Workers receive a blob without a copy; the file on disk may change meanwhile.
  const bytes = new Blob([await readBytes(file)]);
  const key = `file ${file.name} ${file.size} ${file.lastModified}`;
  return { key, content: { kind: "file", name: file.name, bytes, columns: null } };
}

/**
 * @param {Published} published
 * @param {File[]} files
 * @returns {Promise<Source>}
 */
export async function openRawFiles(published, files) {
  const missing = published.files.filter(({ name }) => !files.some((file) => file.name === name));
  const [only] = files;
  if (missing.length > 0 && published.files.length === 1 && files.length === 1 && only) {
    // A single file may have another name: its content decides.
    return openFile(only);
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    throw { code: "data", field: "dataset", message: `these files belong together; missing: ${names}` };
  }
  /** @type {[string, ArrayBuffer][]} */
  const contents = [];
  for (const file of files) contents.push([file.name, await readBytes(file)]);
  const key = `raw ${files.map((file) => `${file.name} ${file.lastModified}`).join(" ")}`;
  return { key, content: { kind: "raw", name: published.name, files: contents } };
}

/** @param {File} file */
async function readBytes(file) {
  try {
    return await file.arrayBuffer();
  } catch {
    throw { code: "data", field: "dataset", message: `${file.name} could not be read` };
  }
}
