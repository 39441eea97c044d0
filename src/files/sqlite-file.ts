import fs, { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { lockFile, type FileLock } from "./file-lock.ts";
import { makePrivateParent } from "./private-files.ts";
import { openSqlite, openSqliteToRead, tablesOf } from "./sqlite.ts";

/** "abiw": tells our files from those of other applications (PRAGMA application_id). */
const APPLICATION_ID = 0x61626977;

const PARTS =
  "CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID";

/** What one store keeps in a file. Several may share a file. */
export interface FilePart {
  readonly name: "graph" | "runs";
  /** What each version of its tables adds to the one before. Never change one that was published: add another. */
  readonly migrations: readonly string[];
}

/** A file that can't be used. Nothing in it has been changed. */
export class UnusableFileError extends Error {
  override readonly name = "UnusableFileError";
  /** `foreign`: another application's. `earlier`, `newer`: of a version of this package that this one can't read. */
  readonly reason: "foreign" | "earlier" | "newer";

  constructor(reason: UnusableFileError["reason"]) {
    super(`the file is ${reason}`);
    this.reason = reason;
  }
}

export interface TransactionOptions {
  /**
   * Whether it must be on disk when it returns; default true. Otherwise a power cut can take it until the next transaction that is
   * flushed; nothing but a power cut can.
   */
  readonly isFlushed?: boolean;
  /** The work is at most one statement that writes, which needs no BEGIN and COMMIT to be all or nothing; default false. */
  readonly isOneStatement?: boolean;
}

/** A transaction was committed, but could not be flushed: everybody sees it, and a power cut can take it. */
export class FlushError extends Error {
  override readonly name = "FlushError";
  /** What the transaction returned. */
  readonly result: unknown;

  constructor(result: unknown, cause: unknown) {
    super("the file could not be flushed", { cause });
    this.result = result;
  }
}

/** The files that this process owns, by where they are. */
const owned = new Map<string, SqliteFile>();

/**
 * A SQLite file with the tables of one store or of several. All methods are synchronous and throw SQLite's errors.
 *
 * Stores of one process that own the same file share its connection and its write-ahead log. What one of them commits without a
 * flush is therefore on disk as soon as any of them commits with one.
 *
 * SQLite flushes the log only for its own needs (`synchronous = NORMAL`); what has to be on disk is flushed here. So a flush that failed
 * can be repeated without repeating the transaction.
 */
export class SqliteFile {
  /** Where the file is, whatever it was called; or `":memory:"`. */
  readonly place: string;
  /** For what is run once, and is not to be kept prepared. */
  readonly database: DatabaseSync;
  readonly #lock: FileLock | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #parts = new Set<FilePart["name"]>();
  /** False in memory, and on the rare file system without a write-ahead log. There SQLite flushes. */
  readonly #hasLog: boolean;
  /** File descriptor of the log, open since its first flush. */
  #log: number | undefined;
  /** The same for `flushInBackground`, whose flush may be in progress when the other is closed. */
  #backgroundLog: number | undefined;
  #backgroundFlush: Promise<void> | undefined;
  #nextBackgroundFlush: Promise<void> | undefined;
  /** Why the log could not be flushed. Until all of it is in the file, no flush of the log can be believed. */
  #fault: unknown;

  private constructor(place: string, database: DatabaseSync, lock?: FileLock) {
    this.place = place;
    this.database = database;
    this.#hasLog = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"] === "wal";
    if (this.#hasLog) database.exec("PRAGMA synchronous = NORMAL");
    this.#lock = lock;
  }

  /**
   * Opens a file for this process alone, or joins what owns other parts of it here. Beside it lies `<path>.lock`. What is missing is
   * made; `":memory:"` keeps nothing and is shared with nobody.
   * @throws UnusableFileError, IoError (`in_use`) where another process owns the file, or this one owns this part already
   */
  static own(path: string, part: FilePart): SqliteFile {
    const place = placeOf(path);
    const joined = owned.get(place);
    if (joined && !joined.#parts.has(part.name)) return joined.#join(part);
    const lock = lockFile(place);
    try {
      const file = new SqliteFile(place, open(place, part), lock).#join(part);
      if (place !== ":memory:") owned.set(place, file);
      return file;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Opens a file that another process may own: to look, or to write a little.
   * @throws UnusableFileError
   */
  static visit(path: string, part: FilePart): SqliteFile {
    const place = placeOf(path);
    return new SqliteFile(place, open(place, part)).#join(part);
  }

  /** Opens a file that somebody has open already, to read it. */
  static read(place: string): SqliteFile {
    return new SqliteFile(place, openSqliteToRead(place));
  }

  #join(part: FilePart): this {
    try {
      this.#migrate(part);
      this.#parts.add(part.name);
      return this;
    } catch (error) {
      if (this.#parts.size === 0) this.database.close();
      throw error;
    }
  }

  /** Makes the tables that are missing. */
  #migrate({ name, migrations }: FilePart): void {
    if (versionOf(this.database, name) === migrations.length) return;
    this.transaction(() => {
      this.database.exec(PARTS);
      // Another process may have done it meanwhile.
      const version = versionOf(this.database, name);
      if (version > migrations.length) throw new UnusableFileError("newer");
      for (const migration of migrations.slice(version)) this.database.exec(migration);
      this.run("INSERT OR REPLACE INTO parts (name, version) VALUES (?, ?)", name, migrations.length);
      this.database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    });
  }

  /** Whether this part shares the file. */
  shares(name: FilePart["name"]): boolean {
    return this.#parts.has(name);
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.prepare(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.prepare(sql).all(...values);
  }

  /** Prepared once for each text. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.database.prepare(sql)));
    return statement;
  }

  /**
   * Runs `work` in one transaction: when it returns, all is done; when it throws, nothing happened, except for `FlushError`.
   * @throws FlushError where it was committed, but may not be on disk
   */
  transaction<Result>(
    work: () => Result,
    { isFlushed = true, isOneStatement = false }: TransactionOptions = {},
  ): Result {
    const result = isOneStatement ? work() : this.#commit(work);
    if (!isFlushed) return result;
    try {
      this.flush();
    } catch (cause) {
      throw new FlushError(result, cause);
    }
    return result;
  }

  #commit<Result>(work: () => Result): Result {
    this.run("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.run("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full; what it said first is what went wrong.
    }
  }

  /**
   * Flushes what was committed. Throws the system's error.
   *
   * It blocks the event loop on purpose. Where runs are in the file, nearly all work waits for this flush; in another thread it
   * would cost more than it gains, and what goes on meanwhile would make smaller commits and more of them.
   */
  flush(): void {
    if (!this.#hasLog) return;
    if (this.#fault === undefined) {
      try {
        this.#log ??= fs.openSync(`${this.place}-wal`, "r+");
        return fs.fdatasyncSync(this.#log);
      } catch (error) {
        this.#fault = error;
        this.#closeLog();
      }
    }
    // A second flush of the log may succeed without having written anything: flush all of it into the file instead.
    if (this.get("PRAGMA wal_checkpoint(TRUNCATE)")?.["busy"] !== 0) throw this.#fault;
    this.#fault = undefined;
  }

  #closeLog(): void {
    if (this.#log !== undefined) fs.closeSync(this.#log);
    this.#log = undefined;
  }

  /**
   * The same in another thread, for a graph whose runs are elsewhere: while it is flushed, other runs hear from their database.
   * Calls made while a flush is in progress share the next one. Rejects with the system's error.
   */
  flushInBackground(): Promise<void> {
    if (!this.#hasLog) return Promise.resolve();
    if (this.#backgroundFlush === undefined) return this.#startBackgroundFlush();
    return (this.#nextBackgroundFlush ??= this.#backgroundFlush.then(
      () => this.#startBackgroundFlush(),
      () => this.#startBackgroundFlush(),
    ));
  }

  #startBackgroundFlush(): Promise<void> {
    this.#nextBackgroundFlush = undefined;
    return (this.#backgroundFlush = this.#flushLog().finally(() => (this.#backgroundFlush = undefined)));
  }

  async #flushLog(): Promise<void> {
    if (this.#fault === undefined) {
      try {
        this.#backgroundLog ??= fs.openSync(`${this.place}-wal`, "r+");
        const log = this.#backgroundLog;
        await new Promise<void>((resolve, reject) => fs.fdatasync(log, (error) => (error ? reject(error) : resolve())));
        return;
      } catch (error) {
        this.#fault = error;
        this.#closeBackgroundLog();
      }
    }
    this.flush();
  }

  #closeBackgroundLog(): void {
    if (this.#backgroundLog !== undefined) fs.closeSync(this.#backgroundLog);
    this.#backgroundLog = undefined;
  }

  /** Lets go of one part; the file is closed with the last one. */
  leave(name: FilePart["name"]): void {
    this.#parts.delete(name);
    if (this.#parts.size > 0) return;
    this.#closeLog();
    this.#closeBackgroundLog();
    if (owned.get(this.place) === this) owned.delete(this.place);
    this.#statements.clear();
    this.database.close();
    this.#lock?.release();
  }
}

/** Two names of one file must lead to one lock. */
function placeOf(path: string): string {
  if (path === ":memory:") return path;
  makePrivateParent(path);
  return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
}

function open(place: string, part: FilePart): DatabaseSync {
  if (place !== ":memory:" && existsSync(place)) refuseUnusable(place, part);
  return openSqlite(place);
}

/** Before anything in it can change. */
function refuseUnusable(place: string, { name, migrations }: FilePart): void {
  const database = openSqliteToRead(place);
  try {
    const tables = tablesOf(database);
    const isOurs = pragma(database, "application_id") === APPLICATION_ID;
    if (tables.length > 0 && !isOurs) throw new UnusableFileError("foreign");
    if (isOurs && !tables.includes("parts")) throw new UnusableFileError("earlier");
    if (versionOf(database, name) > migrations.length) throw new UnusableFileError("newer");
  } finally {
    database.close();
  }
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0]);

/** Of a part's tables; 0 where there are none. */
function versionOf(database: DatabaseSync, name: string): number {
  if (!tablesOf(database).includes("parts")) return 0;
  return Number(database.prepare("SELECT version FROM parts WHERE name = ?").get(name)?.["version"] ?? 0);
}
