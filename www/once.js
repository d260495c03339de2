/** Work that is done once, when it is first needed; what failed is tried anew the next time. */

/**
 * @template T
 * @param {() => Promise<T>} work
 * @returns {() => Promise<T>}
 */
export function once(work) {
  /** @type {Promise<T> | null} */
  let result = null;
  return () =>
    (result ??= work().catch((error) => {
      result = null;
      throw error;
    }));
}
