/** Where the bytes of data sets come from: bundles of this build, or files that the user opens. */

import { bundles } from "../pkg/build.js";

/** @import { Published, Source, Spec } from "../engine/types.js" */

/** The address of a bundle, relative to the page. @param {{path: string}} bundle */
export const bundleUrl = ({ path }) => new URL(path, document.baseURI).href;

/** @param {string} name */
export const hasBundle = (name) => `${name}.bundle` in bundles;

/**
 * The worker generates the synthetic data set from the loss and the seed.
 * @param {Spec} spec
 * @returns {Source}
 */
export const syntheticSource = (spec) => ({
  key: `synthetic ${spec.loss} ${spec.seed}`,
  content: { kind: "synthetic", spec },
});

/**
 * @param {string} name
 * @param {boolean} [failed] the last attempt failed: the browser may have cached a damaged download
 * @returns {Promise<Source>}
 */
export async function fetchBundle(name, failed = false) {
  const bundle = bundles[`${name}.bundle`];
  if (!bundle) throw { code: "data", field: "dataset", message: `this build does not include ${name}` };
  /** @param {string} why */
  const fail = (why) => ({
    code: "data",
    field: "dataset",
    message: `the download failed (${why})`,
  });
  /** @type {Response} */
  let response;
  try {
    response = await fetch(bundleUrl(bundle), { cache: failed ? "reload" : "default" });
  } catch {
    throw fail("no connection");
  }
  if (!response.ok) throw fail(`HTTP status ${response.status}`);
  let bytes;
  try {
    bytes = await response.arrayBuffer();
  } catch {
    throw fail("the connection was lost");
  }
  // WebKit reports an interrupted download as complete.
  if (bytes.byteLength < bundle.bytes) throw fail("the connection was lost");
  return { key: `bundle ${name}`, content: { kind: "bundle", name, bytes } };
}

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
 * The same file, read with the text of a mapping, or by the names of its columns.
 * @param {Source} source
 * @param {string | null} columns
 * @returns {Source}
 */
export function withColumns(source, columns) {
  if (source.content.kind !== "file") return source;
  const [key = ""] = source.key.split("\n");
  return {
    key: columns === null ? key : `${key}\n${columns}`,
    content: { ...source.content, columns },
  };
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
