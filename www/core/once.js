/** Work that is done once, when it is first needed; what failed is tried anew the next time. */

/**
 * @template {unknown[]} Given
 * @template Result
 * @param {(...given: Given) => Promise<Result>} work
 * @returns {(...given: Given) => Promise<Result>} what is given later does not count
 */
export function once(work) {
  /** @type {Promise<Result> | null} */
  let result = null;
  return (...given) =>
    (result ??= work(...given).catch((error) => {
      result = null;
      throw error;
    }));
}
