/** Tables of records in IndexedDB, and the table of kept results. No elements. */

/** @import { Kept } from "../engine/types.js" */

/**
 * @typedef {{name: string, table: string, make: (database: IDBDatabase) => void}} Base
 * A database with one table, and how to create it.
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
/** Milliseconds after which a transaction fails. */
const TIME_LIMIT = 4000;
/** Kept results, at most. */
export const CAPACITY = 10;

/** A unique name for a record. */
export const unique = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

/**
 * One transaction on its own connection, so that no open connection blocks another tab.
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
      reject(new Error("the browser's storage does not respond"));
    }, TIME_LIMIT);
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
 * Keeps a record: it replaces an older one of the same link, and the oldest beyond the capacity. One
 * transaction, so that two tabs do not overwrite each other.
 * @param {Kept} record
 */
export const put = (record) =>
  transact(BASE, "readwrite", (table) => {
    const request = table.put(record);
    const isReplaced = (/** @type {Kept} */ { id, state }) => id !== record.id && state !== "running";
    if (record.state !== "running") {
      table.index("link").openCursor(record.run.link).onsuccess = (event) => {
        const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (event.target).result;
        if (!cursor) return;
        if (isReplaced(cursor.value)) cursor.delete();
        cursor.continue();
      };
    }
    let seen = 0;
    table.index("at").openCursor(null, "prev").onsuccess = (event) => {
      const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (event.target).result;
      if (!cursor) return;
      if (++seen > CAPACITY) cursor.delete();
      cursor.continue();
    };
    return request;
  });

/** @param {string} id */
export const remove = (id) => transact(BASE, "readwrite", (table) => table.delete(id));

export const clear = () => transact(BASE, "readwrite", (table) => table.clear());

/** All kept records, newest first. @returns {Promise<Kept[]>} */
export const all = async () =>
  (await transact(BASE, "readonly", (table) => table.getAll())).sort((a, b) => b.at - a.at);
