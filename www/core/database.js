/** The results that this browser keeps: a table of records, in IndexedDB. No looks. */

/** @import { Kept } from "../engine/types.js" */

/**
 * @typedef {{name: string, table: string, make: (database: IDBDatabase) => void}} Base
 * A database with one table, and how that is made.
 */

/** @type {Base} */
const BASE = {
  name: "patom-lab",
  table: "results",
  make: (database) => {
    const table = database.createObjectStore("results", { keyPath: "id" });
    table.createIndex("at", "at");
    table.createIndex("link", "run.link");
  },
};
/** Milliseconds that the browser gets to answer. */
const PATIENCE = 4000;
/** How many results are kept. */
export const MOST = 10;

/** A name that no other record has. */
export const unique = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

/**
 * One transaction, on a connection of its own: nothing stays open that could hold up another tab.
 * @template T
 * @param {Base} base
 * @param {IDBTransactionMode} mode
 * @param {(table: IDBObjectStore) => IDBRequest<T>} what
 * @returns {Promise<T>}
 */
export function transact(base, mode, what) {
  return new Promise((resolve, reject) => {
    let late = false;
    setTimeout(() => {
      late = true;
      reject(new Error("the browser's storage does not answer"));
    }, PATIENCE);
    const opening = indexedDB.open(base.name, 1);
    opening.onupgradeneeded = () => base.make(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      database.onversionchange = () => database.close();
      if (late) return database.close();
      try {
        const transaction = database.transaction(base.table, mode);
        const request = what(transaction.objectStore(base.table));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error);
      } catch (problem) {
        reject(problem);
      } finally {
        // Takes effect when the transaction is over.
        database.close();
      }
    };
  });
}

/**
 * Keeps a record: in place of an older one of the same link, and of the oldest ones if there are
 * too many. All in one transaction, so that two tabs lose nothing to each other.
 * @param {Kept} record
 */
export const put = (record) =>
  transact(BASE, "readwrite", (table) => {
    const request = table.put(record);
    const over = (/** @type {Kept} */ { id, state }) => id !== record.id && state !== "running";
    if (record.state !== "running") {
      table.index("link").openCursor(record.run.link).onsuccess = (event) => {
        const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (event.target).result;
        if (!cursor) return;
        if (over(cursor.value)) cursor.delete();
        cursor.continue();
      };
    }
    let seen = 0;
    table.index("at").openCursor(null, "prev").onsuccess = (event) => {
      const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (event.target).result;
      if (!cursor) return;
      if (++seen > MOST) cursor.delete();
      cursor.continue();
    };
    return request;
  });

/** @param {string} id */
export const remove = (id) => transact(BASE, "readwrite", (table) => table.delete(id));

export const clear = () => transact(BASE, "readwrite", (table) => table.clear());

/** The newest first. @returns {Promise<Kept[]>} */
export const all = async () =>
  (await transact(BASE, "readonly", (table) => table.getAll())).sort((a, b) => b.at - a.at);
