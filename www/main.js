import init, { version } from "./pkg/patom.js";

await init();
const shown = document.querySelector("[data-testid=engine-version]");
if (shown) shown.textContent = version();
