/**
 * What a worker does with the extras; loaded when it is first asked for. It imports nothing of the worker:
 * WebKit does not find a worker's own script among the modules. Not here: runs (`worker`).
 */

/** @import { FromWorker, Source, ToWorker } from "./types.js" */
/** @typedef {import("./extras.js").Extras} Extras */
/** @typedef {import("../pkg/extras.js").Data} Data */

/**
 * What a worker lends: the data that it holds, and panics as messages.
 * @typedef {{
 *   emit: (message: FromWorker) => void,
 *   guarded: <T>(library: Extras, work: () => T) => T,
 *   load: (source: Source, extras: Extras) => Promise<unknown>,
 *   loadExtras: () => Promise<Extras>,
 *   loadHeld: (key: string, extras: Extras) => Promise<unknown>,
 *   read: (source: Source, extras: Extras) => Promise<unknown>,
 * }} Lent
 */

/** Keeps what the jobs of a risk map share. @type {InstanceType<Extras["RiskRunner"]> | null} */
let riskRunner = null;
/** The data of these jobs. */
let riskKey = "";
/** The file that is looked at, and the key of its source. @type {{key: string, file: InstanceType<Extras["OwnFile"]>} | null} */
let looked = null;
/** The run whose points are moved by hand. @type {import("../pkg/extras.js").ByHand | null} */
let hand = null;

/** @param {ToWorker} message @param {Lent} lent @returns {Promise<FromWorker>} */
export async function answer(message, lent) {
  const extras = await lent.loadExtras();
  switch (message.type) {
    case "inspect": {
      const { id, source, reading } = message;
      const { name, bytes } = fileOf(source);
      return { type: "inspected", id, inspected: lookAt(extras, source).inspect(name, bytes, reading) };
    }
    case "check": {
      const { id, source, columns } = message;
      const { name, bytes } = fileOf(source);
      return { type: "checked", id, checked: lookAt(extras, source).check(name, bytes, columns) };
    }
    case "tune": {
      const { id, source, spec } = message;
      const data = /** @type {Data} */ (await lent.read(source, extras));
      try {
        const tuned = extras.tune(data, spec, (/** @type {number} */ done, /** @type {number} */ total) =>
          lent.emit({ type: "tuning", id, done, total }),
        );
        return { type: "tuned", id, tuned };
      } finally {
        data.free();
      }
    }
    case "risk": {
      const { id, key, spec, work, attacker } = message;
      const data = /** @type {Data} */ (await lent.loadHeld(key, extras));
      if (riskKey !== key) riskRunner?.free();
      if (riskKey !== key || !riskRunner) riskRunner = new extras.RiskRunner();
      riskKey = key;
      const runner = riskRunner;
      return { type: "risk", id, found: lent.guarded(extras, () => runner.run(data, spec, work, attacker)) };
    }
    case "hand": {
      const { id, source, spec, move } = message;
      const data = /** @type {Data} */ (await lent.load(source, extras));
      const retrained = lent.guarded(extras, () => {
        hand ??= new extras.ByHand(data, spec);
        return move ? hand.move_to(...move) : hand.restore();
      });
      return { type: "hand", id, retrained };
    }
    case "defend": {
      const { id, source, spec, job } = message;
      const data = /** @type {Data} */ (await lent.load(source, extras));
      return {
        type: "defended",
        id,
        result: lent.guarded(extras, () => extras.defence_job(data, spec, job)),
      };
    }
    case "example":
      return { type: "example", id: message.id, ...extras.example_file() };
    default:
      throw new Error(`no work of the extras: ${message.type}`);
  }
}

/** The key of a file, however its columns are read. @param {Source} source */
const fileKey = ({ key }) => key.split("\n")[0] ?? "";

/** What is remembered of a file while the user maps its columns. @param {Extras} extras @param {Source} source */
function lookAt(extras, source) {
  const key = fileKey(source);
  if (looked?.key !== key) {
    looked?.file.free();
    looked = { key, file: new extras.OwnFile() };
  }
  return looked.file;
}

/** What the last look made of a file, if it was by the same columns. @param {Source} source @param {string | null} columns */
function seen(source, columns) {
  if (looked?.key !== fileKey(source)) return undefined;
  const read = looked.file.take(columns ?? undefined);
  looked.file.free();
  looked = null;
  return read;
}

/**
 * The points in a source, and what goes with those of a user's file.
 * @param {Extras} extras
 * @param {Source} source not synthetic
 * @returns {{payload: Uint8Array, notes?: import("../pkg/extras.js").FileNotes}}
 */
export function points(extras, source) {
  const { content } = source;
  switch (content.kind) {
    case "synthetic":
      throw new Error("synthetic data have no file");
    case "bundle":
      return { payload: extras.read_bundle(content.name, new Uint8Array(content.bytes)) };
    case "file":
      return (
        seen(source, content.columns) ??
        extras.read_file(content.name, bytesOf(content.bytes), content.columns ?? undefined)
      );
    case "raw": {
      /** @type {[string, Uint8Array][]} */
      const files = content.files.map(([name, bytes]) => [name, new Uint8Array(bytes)]);
      return { payload: extras.read_raw_files(content.name, files) };
    }
  }
}

/** A user's file. @param {Source} source @returns {{name: string, bytes: Uint8Array}} */
function fileOf({ content }) {
  if (content.kind !== "file") {
    throw { code: "data", field: "dataset", message: `${content.kind} data have no columns to map` };
  }
  return { name: content.name, bytes: bytesOf(content.bytes) };
}

/** @param {Blob} blob */
function bytesOf(blob) {
  // Only workers have it, so the types of a page do not know it.
  const { FileReaderSync } = /** @type {any} */ (self);
  return new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob));
}
