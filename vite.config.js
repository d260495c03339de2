/** How the page is built (`vite build`) and served (`vite preview`); `cargo xtask` calls both. */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import compression from "compression";
import { defineConfig } from "vite";
import { bundles } from "./www/pkg/build.js";

const WWW = join(import.meta.dirname, "www");

/** @param {string | Uint8Array} content */
const sha256 = (content) => createHash("sha256").update(content).digest("hex");

/**
 * All files below a folder, sorted, with forward slashes.
 * @param {string} folder
 */
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();

/**
 * Scripts, styles and wasm lie in a folder named after the content of all sources, so that files of
 * two versions never mix and hosts may let browsers cache that folder for ever.
 */
const ASSETS = `assets-${sha256(
  filesIn(WWW)
    .map((name) => `${name} ${sha256(readFileSync(join(WWW, name)))}`)
    .join("\n"),
).slice(0, 12)}`;

/**
 * Writes the service worker: its source, preceded by the list of what this version consists of, each
 * file with its SHA-256. Browsers notice a new version because this list changes.
 * @returns {import("vite").Plugin}
 */
const serviceWorker = () => ({
  name: "service-worker",
  apply: "build",
  generateBundle: {
    order: "post",
    handler(_options, output) {
      const site = Object.values(output).map((file) => ({
        path: file.fileName,
        content: file.type === "chunk" ? file.code : file.source,
      }));
      const fixed = join(WWW, "public");
      for (const path of filesIn(fixed)) site.push({ path, content: readFileSync(join(fixed, path)) });
      const files = Object.fromEntries(
        site.sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ path, content }) => [path, sha256(content)]),
      );
      const data = Object.values(bundles).map(({ path }) => path);
      const id = sha256(JSON.stringify(files)).slice(0, 12);
      const build = JSON.stringify({ id, assets: ASSETS, files, data });
      const source = readFileSync(join(WWW, "offline/sw.js"), "utf8");
      this.emitFile({ type: "asset", fileName: "sw.js", source: `const BUILD = ${build};\n${source}` });
    },
  },
});

/**
 * Styles without CORS: in a sandboxed frame, which has no origin, the page explains itself with them.
 * @returns {import("vite").Plugin}
 */
const plainStyles = () => ({
  name: "plain-styles",
  transformIndexHtml: {
    order: "post",
    handler: (html) => html.replace('<link rel="stylesheet" crossorigin', '<link rel="stylesheet"'),
  },
});

/**
 * As static hosts do: Vite's own server does not compress wasm.
 * @returns {import("vite").Plugin}
 */
const compressed = () => ({
  name: "compressed",
  configurePreviewServer: ({ middlewares }) => void middlewares.use(compression()),
});

/**
 * Vite bundles the worker apart from the page: scripts of the same name must not overwrite each other,
 * but both use the same wasm.
 * @param {string} folder
 */
const names = (folder) => ({
  entryFileNames: `${folder}/[name].js`,
  chunkFileNames: `${folder}/[name].js`,
  assetFileNames: `${ASSETS}/[name][extname]`,
});

export default defineConfig({
  root: WWW,
  // The site works from any folder of any static host.
  base: "./",
  // An unknown path is an error 404, not the page.
  appType: "mpa",
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    // Of what is loaded later only the styles: WebKit never asks again for a script whose preload failed.
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_file, dependencies, { hostType }) =>
        hostType === "html" ? dependencies : dependencies.filter((name) => name.endsWith(".css")),
    },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        ...names(ASSETS),
        // What the first result needs is one file, whether or not other parts use it too.
        codeSplitting: { groups: [{ name: "index", tags: ["$initial"] }] },
      },
    },
  },
  worker: { format: "es", rolldownOptions: { output: names(`${ASSETS}/worker`) } },
  plugins: [serviceWorker(), plainStyles(), compressed()],
  preview: {
    strictPort: true,
    headers: {
      // Workers do not see the policy in the page's meta tag. The charts measure text with a span
      // whose `style` attribute is set: so attributes are allowed. The page may be embedded in slides.
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'",
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    },
  },
});
