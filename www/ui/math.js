/** Formulas in MathML, written as nested arrays. Text is never parsed as HTML. */

/**
 * @typedef {string | [string, ...any[]]} Tree
 * Either a token (number, identifier or operator), or an element: its name, then its children.
 */

const MATHML = "http://www.w3.org/1998/Math/MathML";

/** @param {Tree} tree @returns {Element} */
function build(tree) {
  const [name, children] =
    typeof tree !== "string"
      ? [tree[0], /** @type {Tree[]} */ (tree.slice(1)).map(build)]
      : /^[\d.]+$/.test(tree)
        ? ["mn", [tree]]
        : /^\p{L}+$/u.test(tree)
          ? ["mi", [tree]]
          : ["mo", [tree]];
  const element = document.createElementNS(MATHML, name);
  if (tree === "(" || tree === ")") element.setAttribute("stretchy", "false");
  if (name === "mspace") element.setAttribute("width", "1.2em");
  element.append(...children);
  return element;
}

/** A display formula. @param {...Tree} trees */
export function formula(...trees) {
  const math = build(["math", ...trees]);
  math.setAttribute("display", "block");
  math.setAttribute("displaystyle", "true");
  return math;
}
