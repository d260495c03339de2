/** Where the bytes of data sets come from. Not here: files that the user opens (files.js). */

import { bundles } from "../pkg/build.js";

/** @import { Source, Spec } from "../engine/types.js" */

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
