/**
 * The types of the page: its messages to and from the workers, and its state. What crosses the boundary to
 * Rust is generated from Rust (`cargo xtask build`) and only exported again.
 */

import type {
  Description,
  Dialect,
  Mapping,
  Measured,
  MetricName,
  Model,
  Problem,
  Progress,
  Report,
  Scene,
  Spec,
} from "../pkg/engine.js";
import type { Opened } from "../core/store.js";
import type { CheckedColumns, ExampleFile, Found, Inspected, JobResult, Retrained, RiskJob, Tuned } from "../pkg/extras.js";

export type * from "../pkg/engine.js";
export type {
  CheckedColumns,
  DefenceJob,
  DefenceStudy,
  FigureMethod,
  Found,
  Inspected,
  JobResult,
  Planned,
  Rankings,
  Retrained,
  RiskJob,
  Spoken,
  Tuned,
} from "../pkg/extras.js";

export type SourceContent =
  | { kind: "synthetic"; spec: Spec }
  | { kind: "bundle"; name: string; bytes: ArrayBuffer }
  | { kind: "file"; name: string; bytes: Blob; columns: string | null }
  | { kind: "raw"; name: string; files: [string, ArrayBuffer][] };

/** Equal sources have the same key. */
export type Source = { key: string; content: SourceContent };

/** A file of a run: its report as JSON, or a table as CSV. */
export type RunFile = "report" | "points" | "poisoned" | "trace" | "correlations";

/**
 * With `fresh` the worker compiles the engine itself. `file` requests a file of the last run, if that has
 * this digest. A `brief` run answers with `measured` alone. `hand` moves one point (its number in the picture,
 * its place) of the run of a specification, of which a worker has one; null: all points go back.
 */
export type ToWorker =
  | { type: "init"; module: WebAssembly.Module; fresh: boolean; lock: string }
  | { type: "load"; id: number; source: Source }
  | { type: "run"; id: number; key: string; spec: Spec; brief: boolean }
  | { type: "file"; id: number; name: RunFile; digest: string }
  | { type: "inspect"; id: number; source: Source; reading: Dialect | null }
  | { type: "check"; id: number; source: Source; columns: Mapping | string }
  | { type: "tune"; id: number; source: Source; spec: Spec }
  | ({ type: "risk"; id: number; key: string } & RiskJob)
  | { type: "hand"; id: number; source: Source; spec: Spec; move: [number, number, number] | null }
  | { type: "defend"; id: number; source: Source; spec: Spec; job: number }
  | { type: "example"; id: number };

/** After a `fatal` error the worker's engine is unusable. */
export type FromWorker =
  | { type: "ready" }
  | { type: "loaded"; id: number; description: Description }
  | { type: "clean"; id: number; model: Model; scene: Scene }
  | { type: "progress"; id: number; points: Progress[] }
  | { type: "done"; id: number; report: Report }
  | { type: "measured"; id: number; measured: Measured }
  | { type: "file"; id: number; text: string }
  | { type: "inspected"; id: number; inspected: Inspected }
  | { type: "checked"; id: number; checked: CheckedColumns }
  | { type: "tuning"; id: number; done: number; total: number }
  | { type: "tuned"; id: number; tuned: Tuned }
  | { type: "risk"; id: number; found: Found }
  | { type: "hand"; id: number; retrained: Retrained }
  | { type: "defended"; id: number; result: JobResult }
  | ({ type: "example"; id: number } & ExampleFile)
  | { type: "error"; id: number; problem: Problem; fatal: boolean };

/**
 * A run in progress, or a finished one; `start` by the page's clock, in milliseconds; `live`: started because
 * the settings changed.
 */
export type RunState = {
  spec: Spec;
  link: string;
  metric: MetricName;
  clean: Model | null;
  scene: Scene | null;
  points: Progress[];
  start: number;
  live?: boolean;
};

/** A run that was in progress when its tab was left; a `long` one is not started again without asking. */
export type InterruptedRun = {
  id: string;
  link: string;
  iteration: number | null;
  iterations: number;
  long: boolean;
};

/** A result, or the beginning of one, as this browser keeps it; `at` in milliseconds since 1970. */
export type Kept = {
  id: string;
  tab: string;
  at: number;
  state: "running" | "done" | "cancelled";
  run: RunState;
  report: Report | null;
  /** The report as JSON: in records of older versions. */
  json?: string;
  confirmed?: boolean;
};

/** A result with the link of its settings. A recalled one has its record, and `at`, the words for that. */
export type Result = {
  report: Report;
  link: string;
  run: RunState;
  at?: string;
  kept?: Kept;
};

/**
 * Whether a second run gave the same digest. `onRequest`: it starts when the user asks; `problem`: why it
 * failed; `runs`: the first, second and third run where they differ; `agrees`: the run that the third one
 * agrees with, null if with none.
 */
export type Confirmation = {
  state: "computed" | "confirming" | "confirmed" | "differs";
  onRequest?: boolean;
  problem?: string;
  runs?: { digest: string; metric: number }[];
  agrees?: number | null;
};

export type Notice = {
  text: string;
  kind: "" | "bad" | "good";
  about: string;
  view: "lab" | "all";
  action?: { text: string; run: () => void };
};

/**
 * What changed: `changed`: the settings, or whether they are valid; `data`: a data set was loaded or not
 * (`problem` empty: no problem any more; `source`: other columns may help); `opened`: a file was read; `done`: there is a result
 * (`corrected`: it replaces a wrong one); `ended`: the run is over without a result.
 */
export type LabEvent =
  | { type: "changed" }
  | { type: "data"; problem?: string; source?: Source }
  | { type: "opened"; opened: Opened }
  | { type: "notices" }
  | { type: "route" }
  | { type: "confirmation" }
  | { type: "status"; text: string }
  | { type: "announce"; text: string }
  | { type: "started"; run: RunState }
  | { type: "progress"; run: RunState }
  | { type: "done"; run: RunState; report: Report; corrected?: boolean }
  | {
      type: "ended";
      how: "cancelled" | "failed";
      run: RunState | null;
      headline: string;
      text: string;
      problem: Problem | null;
    }
  | { type: "empty"; headline: string; text: string };
