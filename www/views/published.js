/**
 * The published results of the paper's figures and of studies of defences, which come with the page:
 * loading them, and comparing recomputed results with them. Nothing is drawn here.
 */

/** @import { JobResult, Measured, Problem, Spoken } from "../engine/types.js" */

/**
 * @typedef {{
 *   engine: string, date: string, seeds: number, claims: Spoken[], results: Map<string, Measured[]>,
 * }} Published
 * `claims`: with the verdicts of all runs; `results`: by data set, in the order of the figure's plan.
 */

/** What a figure does not show, or what is so for nearly all runs, is left out of its file. */
const LEFT_OUT = {
  converged: true,
  seconds: 0,
  utility: [],
  clean_correlation: [],
  attacked_correlation: [],
};

/** @param {number} figure @param {string} method @returns {Promise<Published>} */
export async function loadPublished(figure, method) {
  const response = await fetch(`published/figure${figure}-${method}.json`);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  const { engine, date, seeds, claims, datasets } = await response.json();
  /** @type {Published["results"]} */
  const results = new Map();
  for (const { dataset, data_sha256, runs } of datasets) {
    /** @type {number[]} A clean matrix that equals the one before is left out. */
    let clean = [];
    const complete = (/** @type {Partial<Measured>} */ run) => {
      clean = run.clean_correlation ?? clean;
      const matrix = run.attacked_correlation ? { clean_correlation: clean } : {};
      return { ...LEFT_OUT, engine, data_sha256, ...run, ...matrix };
    };
    results.set(dataset, runs.map(complete));
  }
  return { engine, date, seeds, claims, results };
}

/**
 * Whether recomputed results have the digests of the published ones, as a sentence.
 * @param {[{digest: string} | Problem | undefined, {digest: string} | undefined][]} pairs recomputed and published
 * @param {string} origin of the published results
 */
export function compareDigests(pairs, origin) {
  const digests = pairs.flatMap(([ours, published]) =>
    ours && "digest" in ours && published ? [ours.digest === published.digest] : [],
  );
  const equal = digests.filter(Boolean).length;
  if (digests.length === 0) return "";
  return equal === digests.length
    ? `Verified: ${equal === 1 ? "the digest equals" : `all ${equal} digests equal`} the published results (${origin}).`
    : `${digests.length - equal} of ${digests.length} digests differ from the published results (${origin}).`;
}

/**
 * A published study of defences: the link of its first job, and the results of its jobs in their order.
 * @typedef {{engine: string, date: string, link: string, results: JobResult[]}} PublishedStudy
 */

/** The data sets with published studies. */
const STUDIED = ["synthetic", "sarcos", "landmine", "mnist"];

/** The published studies of a data set. @param {string} dataset @returns {Promise<PublishedStudy[]>} */
export async function loadPublishedStudies(dataset) {
  if (!STUDIED.includes(dataset)) return [];
  const response = await fetch(`published/defence-${dataset}.json`);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  const { engine, date, studies } = await response.json();
  return studies.map((/** @type {{link: string, results: JobResult[]}} */ study) => ({
    engine,
    date,
    ...study,
  }));
}
