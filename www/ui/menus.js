/** Menus close after a choice, with Escape, and on a click outside. */

export function closeMenus() {
  /** @param {(menu: Element) => boolean} which */
  const close = (which) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (which(menu)) menu.removeAttribute("open");
    }
  };
  const inside = (/** @type {Element} */ menu, /** @type {EventTarget | null} */ target) =>
    target instanceof Node && menu.contains(target);
  addEventListener("pointerdown", ({ target }) => close((menu) => !inside(menu, target)));
  addEventListener("focusin", ({ target }) => close((menu) => !inside(menu, target)));
  addEventListener("click", ({ target }) => target instanceof HTMLButtonElement && close(() => true));
  addEventListener("keydown", ({ key, target }) => {
    const open = target instanceof Element && target.closest("details.menu[open]");
    if (key !== "Escape" || !open) return;
    close(() => true);
    open.querySelector("summary")?.focus();
  });
}
