/**
 * What has to be known before anything is painted, and where modules cannot start. A classic script:
 * it runs at once, and also in a frame without an origin of its own.
 */
{
  const { hash, origin, protocol } = location;
  const root = document.documentElement;
  if (/[#&]embed=1\b/.test(hash)) root.dataset.embed = "";

  /** @param {string} headline @param {string} status */
  const sayInstead = (headline, status) => {
    const show = () => {
      const [title, text] = ["headline", "status"].map((id) => document.getElementById(id));
      if (!title || !text) return;
      title.textContent = headline;
      text.textContent = status;
      document.getElementById("results")?.setAttribute("data-partial", "empty");
      // Nothing would hear it.
      document.getElementById("tour")?.setAttribute("hidden", "");
    };
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
    else show();
  };

  // A sandboxed frame, or a file opened from disk: modules and workers are refused there.
  if (self.origin === "null" || origin === "null") {
    sayInstead(
      "PATOM Lab cannot run here",
      protocol === "file:"
        ? "It was opened as a file. Browsers run it only from a web server: any will do."
        : "This frame is sandboxed without an origin. Give it sandbox=\"allow-scripts " +
          "allow-same-origin\", or leave the attribute out.",
    );
  } else {
    // The page's own script, or one that it needs: then nothing of it runs.
    const missing = (/** @type {Event} */ { target }) => {
      if (!(target instanceof HTMLScriptElement)) return;
      const status = "A part of it did not come. Check the connection, then reload the page.";
      sayInstead("The page could not be loaded", status);
    };
    addEventListener("error", missing, true);
  }
}
