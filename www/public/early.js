/**
 * Runs before the first paint: the embedded layout, the download of the engine, and a message where
 * modules cannot start. A classic script, because it must also run in a sandboxed frame without an origin.
 */
{
  const { hash, origin, protocol } = location;
  const root = document.documentElement;
  if (/[#&]embed=1\b/.test(hash)) root.dataset.embed = "";

  /** @param {string} headline @param {string} status */
  const showMessage = (headline, status) => {
    const show = () => {
      const [title, text] = ["headline", "status"].map((id) => document.getElementById(id));
      if (!title || !text) return;
      title.textContent = headline;
      text.textContent = status;
      document.getElementById("results")?.setAttribute("data-partial", "empty");
      // Its button would do nothing.
      document.getElementById("tour")?.setAttribute("hidden", "");
    };
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
    else show();
  };

  // A sandboxed frame, or a file opened from disk: modules and workers are refused there.
  if (self.origin === "null" || origin === "null") {
    showMessage(
      "PATOM Lab cannot run here",
      protocol === "file:"
        ? "It was opened as a file. Browsers run it only from a web server; any server works."
        : 'This frame is sandboxed without an origin. Set sandbox="allow-scripts ' +
            'allow-same-origin", or remove the attribute.',
    );
  } else {
    // Without this script, or one that it imports, nothing runs.
    const missing = (/** @type {Event} */ { target }) => {
      if (!(target instanceof HTMLScriptElement)) return;
      const status = "A download failed. Check the connection, then reload the page.";
      showMessage("The page could not be loaded", status);
    };
    addEventListener("error", missing, true);
    // The engine is most of the bytes: with the styles it would share a slow line, and delay the first
    // paint. After that it need not wait for the modules.
    const preload = () => document.getElementById("engine-preload")?.setAttribute("media", "all");
    requestAnimationFrame(() => setTimeout(preload));
  }
}
