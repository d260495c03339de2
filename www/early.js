/**
 * What has to be known before anything is painted, and where modules cannot start. A classic script:
 * it runs at once, and also in a frame without an origin of its own.
 */
{
  const { hash, origin, protocol } = location;
  const root = document.documentElement;
  if (/[#&]embed=1\b/.test(hash)) root.dataset.embed = "";
  // A sandboxed frame, or a file opened from disk: modules and workers are refused there.
  if (self.origin === "null" || origin === "null") {
    addEventListener("DOMContentLoaded", () => {
      const [headline, status] = ["headline", "status"].map((id) => document.getElementById(id));
      if (!headline || !status) return;
      headline.textContent = "PATOM Lab cannot run here";
      status.textContent =
        protocol === "file:"
          ? "It was opened as a file. Browsers run it only from a web server: any will do."
          : "This frame is sandboxed without an origin. Give it sandbox=\"allow-scripts " +
            "allow-same-origin\", or leave the attribute out.";
      document.getElementById("results")?.setAttribute("data-partial", "empty");
    });
  }
}
