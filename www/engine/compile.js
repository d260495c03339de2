/**
 * Compiles the engine's module, for the page and, after a failure, for a worker. It imports nothing: in
 * WebKit, a part of the worker that is loaded later and imports from it would start the worker twice.
 */

/**
 * @param {URL} url
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(url) {
  try {
    return await WebAssembly.compileStreaming(fetch(url));
  } catch {
    // The server sends a wrong content type: compile from the bytes.
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
}

export const compileEngine = () => compile(new URL("../pkg/engine_bg.wasm", import.meta.url));
