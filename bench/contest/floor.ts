/**
 * The floor: the least that it costs to make steps durable, written by hand for SQLite. It only
 * writes the rows with which a run could continue after a crash. It has no leases, retries or
 * cancellation, and no second process can share the work.
 */
import { join } from "node:path";
import { openSqlite } from "../../src/files/sqlite.ts";
import type { Contestant, Setting } from "./contestant.ts";

/** Performs a write and resolves once it is on disk. */
type Commit = (write: () => void) => Promise<void>;

/** One transaction, and one flush, for each write. */
const single: Commit = async (write) => write();

/** One transaction for all writes of one turn of the event loop. */
function grouped(begin: () => void, commit: () => void): Commit {
  let waiting: { write: () => void; resolve: () => void }[] = [];
  const flush = (): void => {
    const group = waiting;
    waiting = [];
    begin();
    for (const { write } of group) write();
    commit();
    for (const { resolve } of group) resolve();
  };
  return (write) =>
    new Promise((resolve) => {
      if (waiting.push({ write, resolve }) === 1) setImmediate(flush);
    });
}

function openFloor({ folder, steps }: Setting, isGrouped: boolean): Contestant {
  const database = openSqlite(join(folder, "floor.sqlite"));
  database.exec(`
    CREATE TABLE runs (id INTEGER PRIMARY KEY, input TEXT, status TEXT);
    CREATE TABLE steps (run INTEGER, name TEXT, output TEXT, PRIMARY KEY (run, name)) WITHOUT ROWID`);
  const start = database.prepare("INSERT INTO runs VALUES (?, ?, 'started')");
  const record = database.prepare("INSERT INTO steps VALUES (?, ?, ?)");
  const end = database.prepare("UPDATE runs SET status = 'completed' WHERE id = ?");
  const commit = isGrouped
    ? grouped(
        () => database.exec("BEGIN IMMEDIATE"),
        () => database.exec("COMMIT"),
      )
    : single;
  return {
    run: async (n) => {
      await commit(() => start.run(n, JSON.stringify({ n })));
      for (const [name, work] of steps) {
        const output = JSON.stringify(await work(n));
        await commit(() => record.run(n, name, output));
      }
      await commit(() => end.run(n));
    },
    close: async () => database.close(),
  };
}

export const openSingle = async (setting: Setting): Promise<Contestant> => openFloor(setting, false);
export const openGrouped = async (setting: Setting): Promise<Contestant> => openFloor(setting, true);
