/** Addresses of views that hold links themselves. */

/** The address of a comparison of two links; either may be empty. @param {string} a @param {string} b */
export function comparisonLink(a, b) {
  // Readable: in a value of the fragment only a few letters have to be encoded.
  const value = (/** @type {string} */ link) => link.replace(/[%&#]/g, encodeURIComponent);
  return `#view=compare${a && `&left=${value(a)}`}${b && `&right=${value(b)}`}`;
}
