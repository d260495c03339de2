/** Work that is done once, when it is first needed; after a failure the next call tries again. */

/**
 * @template {unknown[]} Given
 * @template Result
 * @param {(...given: Given) => Promise<Result>} work
 * @returns {(...given: Given) => Promise<Result>} ignores the arguments of later calls
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
