/** The package: runs of PATOM Lab in a worker. */

import type { Draft, Progress, Report } from "./pkg/engine.js";

export type { Model, Progress, Report, Spec, Trace, Warning } from "./pkg/engine.js";

/** Bytes of a file. */
export type Bytes = Uint8Array | ArrayBuffer;

/** A file of your own: a table, or any other format that PATOM Lab reads. */
export interface OwnFile {
  /** With its ending, which says what it is. */
  name: string;
  bytes: Bytes;
  /** What its columns are, where their names do not say it, such as `task:1;label:9;x:2-8`. */
  columns?: string;
}

export interface Options {
  /** The bundle of the published data set that the specification names, or a file of your own. */
  data?: Bytes | OwnFile;
  /** Called with every iteration, from 0 (the random start). What it throws ends the run. */
  onIteration?: (point: Progress) => void;
  /** Ends the run at once; the promise is rejected with its reason. */
  signal?: AbortSignal;
  /** Also give the points of the run. */
  points?: boolean;
}

export interface Result {
  /** 16 hexadecimal digits over the bits of all numeric results. */
  digest: string;
  /** The fragment of the share link of the specification, without `#`. */
  link: string;
  /** Numbers that are not defined are NaN; matrices are row-major. */
  report: Report;
  /** The text of `report.json`, as the command line writes it. */
  json: string;
  /** The text of `points.csv`, if it was asked for. */
  points?: string;
}

/** Input that is invalid, or a computation that broke down. */
export class PatomError extends Error {
  constructor(problem: { code: string; field: string | null; message: string });
  /** `field`, `line`, `offset`, `data`, `numerical`, or `panic` for an error of the engine itself. */
  code: string;
  /** The field of the specification, where the error belongs to one. */
  field: string | null;
}

/** Trains, attacks, trains again: a share link, its fragment, or fields of a specification. */
export function run(spec: string | Draft, options?: Options): Promise<Result>;
