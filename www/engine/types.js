/**
 * What crosses the borders: page <-> worker, JavaScript <-> Rust. Types only.
 * The words are those of the Rust side (src/spec.rs, src/report.rs, src/wasm.rs).
 */

/**
 * @typedef {{code: string, field: string | null, message: string}} Problem
 * An error as it comes from Rust; `field` where it belongs to one.
 */

/**
 * @typedef {{
 *   name: string, key: string, title: string, purpose: string,
 *   type: "choice" | "integer" | "number" | "tasks" | "dataset",
 *   words?: string[], min?: number, max?: number, optional?: boolean, or_zero?: boolean,
 * }} Field
 * A row of the table of fields.
 */

/** @typedef {string | {name: string, sha256: string}} DatasetRef */

/** @typedef {Record<string, any>} Draft  Some fields of a specification, unchecked. */

/**
 * @typedef {{
 *   version: number, dataset: DatasetRef, train_per_task: number | null,
 *   train_share: number | null, test_per_task: number | null, targets: number[],
 *   attackers: number[], attack: "direct" | "indirect" | "hybrid", method: "patom" | "random",
 *   gradient: string, step: string, step_size: number, iterations: number, batch_factor: number,
 *   budget: number, radius: number, injected_labels: string, loss: string, lambda1: number,
 *   lambda2: number, epsilon: number, solver: string, target_scaling: string, seed: number,
 * }} Spec
 * A complete, checked specification.
 */

/** @typedef {"regression" | "classification"} Kind */

/**
 * @typedef {{tasks: number, kind: Kind | null, has_split: boolean, columns?: string | null}} Shape
 * `columns`: the text of the mapping that read a user's file, where one did.
 */

/**
 * @typedef {{
 *   spec: Spec, shape: Shape, kind: Kind, metric: "nmse" | "auc", link: string,
 *   differences: Draft,
 * }} Complete
 */

/** @typedef {{errors: Problem[]}} Refused */

/**
 * @typedef {{
 *   draft: Draft, columns: string | null, claim: string, has_digest: boolean, others: [string, string][],
 *   unknown: string[],
 * }} Link
 * The claim is what the link says of a result, as it stands in it. `others` are the keys of the
 * page, the `unknown` among them belong to nobody.
 */

/**
 * @typedef {{
 *   name: string, kind: Kind, metric: "nmse" | "auc", features: number, points: number,
 *   points_per_task: Float64Array, task_names: string[], sha256: string, shape: Shape,
 * }} Description
 * What a loaded data set is.
 */

/**
 * @typedef {{
 *   name: string, title: string, files: {name: string, bytes: number, sha256: string}[],
 *   citation: string, licence: string, note: string, by_hand: string,
 * }} Published
 */

/**
 * @typedef {{
 *   weights: Float64Array, correlation: Float64Array, objective: number, certificate: number,
 *   metric_per_task: Float64Array, metric: number,
 *   solver_status: "converged" | "settled" | "iteration_limit" | "stalled",
 * }} Model
 */

/**
 * @typedef {{
 *   iteration: number, utility: number, metric: number, metric_per_task: Float64Array,
 *   objective: number, certificate: number, seconds: number, places: Float64Array, moved: number,
 *   on_surface: number,
 * }} Progress
 * `places`: two numbers for each injected point of the scene; `moved`: their mean distance from the
 * start; `on_surface`: how many of them lie on the surface of the ball.
 */

/**
 * @typedef {{
 *   along: string, across: string, radius: number, classes: boolean, targets: number[],
 *   attackers: number[], clean: Float64Array, injected: Float64Array, count: number,
 * }} Scene
 * A plane with the clean points of a run in it (`src/projection.rs`).
 */

/**
 * @typedef {{
 *   spec: Spec, engine: string, data_sha256: string, columns: string | null, task_names: string[],
 *   target_tasks: number[], attacking_tasks: number[], metric_name: "nmse" | "auc",
 *   true_correlation: Float64Array | null, clean: Model, attacked: Model, converged: boolean,
 *   stop: "iterations" | "no_ascent" | "nothing_to_optimise",
 *   trace: Record<"iteration" | "utility" | "metric" | "objective" | "certificate" | "seconds"
 *     | "metric_per_task", Float64Array>,
 *   digest: string, claim: string,
 * }} Report
 * The claim is what a link to this result says of it.
 */

/** @typedef {"points" | "poisoned" | "trace" | "correlations"} RunFile  A CSV file of a run. */

/**
 * @typedef {{
 *   engine: string, data_sha256: string, digest: string, converged: boolean, seconds: number,
 *   clean: number | null, metric: (number | null)[], utility: number[],
 *   clean_correlation: number[], attacked_correlation: number[],
 * }} Measured
 * What a figure keeps of a report.
 */

/** @typedef {{number: number, title: string, datasets: string[], claim: string}} Figure */

/** @typedef {{dataset: string, title: string, spec: Spec, link: string}} Planned */

/**
 * @typedef {{
 *   title: string, x_name: string, clean: number,
 *   series: ({name: string} & Record<"x" | "mean" | "low" | "high", Float64Array>)[],
 * }} Panel
 */

/** @typedef {{title: string, before: Float64Array, after: Float64Array}} Correlations */

/**
 * @typedef {{kind: "synthetic", spec: Spec}
 *   | {kind: "bundle", name: string, bytes: ArrayBuffer}
 *   | {kind: "file", name: string, bytes: Blob, columns: string | null}
 *   | {kind: "raw", name: string, files: [string, ArrayBuffer][]}} SourceContent
 */

/** @typedef {{key: string, content: SourceContent}} Source  `key` tells equal sources. */

/**
 * @typedef {{
 *   separator: "comma" | "semicolon" | "tab", decimal_comma: boolean, header: boolean,
 *   variables: string[],
 * }} Reading
 * How a user's file becomes a table.
 */

/**
 * @typedef {{
 *   reading: Reading, task: number | null, labels: number[],
 *   split: {column: number, test: string} | null, features: number[],
 *   classes: [string, string] | null, drop_missing: boolean,
 * }} Mapping
 * Which column is what; columns count from 0.
 */

/** @typedef {{same: boolean, words: string}} Comparison What two links say of a result, held together. */

/**
 * @typedef {{
 *   name: string, kind: "number" | "text" | "empty", distinct: number | null,
 *   words: [string, number][], min: number | null, max: number | null, missing: number,
 *   first_missing: number | null, first_word: {line: number, text: string} | null,
 * }} Column
 */

/**
 * @typedef {{
 *   sha256: string, columns: string, limits: FileLimits,
 *   preview: {
 *     has_our_names: boolean, is_text: boolean, reading: Reading, choices: string[][],
 *     columns: Column[], rows: [number, string[]][], row_count: number, guess: Mapping,
 *   },
 * }} Inspected
 * A user's file as it was looked at; `columns` is the text of the guess.
 */

/**
 * @typedef {{
 *   columns: string | null, mapping: Mapping | null, description?: Description, dropped?: number,
 *   problem?: Problem, column?: number | null,
 * }} CheckedColumns
 * What a mapping makes of a file: a description, or a problem and the column that it is about.
 */

/** @typedef {{bytes: number, tasks: number, features: number, values: number}} FileLimits */

/**
 * @typedef {{type: "init", module: WebAssembly.Module, fresh: boolean, lock: string}
 *   | {type: "load", id: number, source: Source}
 *   | {type: "run", id: number, key: string, spec: Spec, brief: boolean}
 *   | {type: "file", id: number, name: RunFile, digest: string}
 *   | {type: "inspect", id: number, source: Source, reading: Reading | null}
 *   | {type: "check", id: number, source: Source, columns: Mapping | string}
 *   | {type: "example", id: number}} ToWorker
 * With `fresh` the worker compiles the engine itself. `file` requests a file of the last run, if that has this digest. A `brief` run answers with `measured` alone.
 */

/**
 * @typedef {{type: "ready"}
 *   | {type: "loaded", id: number, description: Description}
 *   | {type: "clean", id: number, model: Model, scene: Scene}
 *   | ({type: "progress", id: number} & Progress)
 *   | {type: "done", id: number, report: Report, report_json: string}
 *   | {type: "measured", id: number, measured: Measured}
 *   | {type: "file", id: number, csv: string}
 *   | {type: "inspected", id: number, inspected: Inspected}
 *   | {type: "checked", id: number, checked: CheckedColumns}
 *   | {type: "example", id: number, csv: string, limits: FileLimits}
 *   | {type: "error", id: number, problem: Problem, fatal: boolean}} FromWorker
 * After a `fatal` error the worker's engine is unusable.
 */

/**
 * @typedef {{
 *   spec: Spec, link: string, metric: "nmse" | "auc", clean: Model | null, scene: Scene | null,
 *   points: Progress[], start: number,
 * }} RunState
 * A run in progress, or a finished one; `start` by the page's clock, in milliseconds.
 */

/**
 * @typedef {{id: string, link: string, iteration: number | null, iterations: number, long: boolean}} InterruptedRun
 * A run that was in progress when its tab was left; a `long` one is not started again without asking.
 */

/**
 * @typedef {{
 *   id: string, tab: string, at: number, state: "running" | "done" | "cancelled", run: RunState,
 *   report: Report | null, json: string, confirmed?: boolean,
 * }} Kept
 * A result, or the beginning of one, as this browser keeps it; `at` in milliseconds since 1970.
 */

/**
 * @typedef {{
 *   report: Report, json: string, link: string, run: RunState, at?: string, kept?: Kept,
 * }} Result
 * A result with the link of its settings. A recalled one has its record, and `at`, the words for that.
 */

/**
 * @typedef {{
 *   state: "computed" | "confirming" | "confirmed" | "differs", onRequest?: boolean, problem?: string,
 *   runs?: {digest: string, metric: number}[], agrees?: number | null,
 * }} Confirmation
 * Whether a second run gave the same digest. `onRequest`: it starts when the user asks; `problem`: why
 * it failed; `runs`: the first, second and third run where they differ; `agrees`: the run that the
 * third one agrees with, null if with none.
 */

/**
 * @typedef {{
 *   text: string, kind: "" | "bad" | "good", about: string, view: "lab" | "all",
 *   action?: {text: string, run: () => void},
 * }} Notice
 */

/**
 * @typedef {{type: "changed"}
 *   | {type: "data", problem?: string, source?: Source}
 *   | {type: "notices"}
 *   | {type: "route"}
 *   | {type: "confirmation"}
 *   | {type: "status", text: string}
 *   | {type: "announce", text: string}
 *   | {type: "started", run: RunState}
 *   | {type: "progress", run: RunState, point: Progress}
 *   | {type: "done", run: RunState, report: Report, corrected?: boolean}
 *   | {type: "ended", how: "cancelled" | "failed", run: RunState | null, headline: string,
 *      text: string, problem: Problem | null}
 *   | {type: "empty", headline: string, text: string}} LabEvent
 * What changed: `changed`: the settings, or whether they are valid; `data`: a data set was loaded or
 * not (`problem` empty: no problem any more; `source`: other columns may help); `done`: there is a
 * result (`corrected`: it replaces a wrong one); `ended`: the run is over without a result.
 */

export {};
