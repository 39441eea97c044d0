import fs, { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { lockFile, type FileLock } from "./file-lock.ts";
import { makePrivateParent } from "./private-files.ts";
import { openSqlite, openSqliteToRead, tablesOf } from "./sqlite.ts";

/** "abiw": distinguishes our files from those of other applications (PRAGMA application_id). */
const APPLICATION_ID = 0x61626977;

const PARTS =
  "CREATE TABLE IF NOT EXISTS parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID";

/** The tables of one store. Several parts may share a file. */
export interface FilePart {
  readonly name: "graph" | "runs";
  /**
   * Each migration brings the tables from one version to the next. Never change a published one:
   * add another.
   */
  readonly migrations: readonly string[];
}

/** A file that can't be used. Nothing in it was changed. */
export class UnusableFileError extends Error {
  override readonly name = "UnusableFileError";
  /**
   * `foreign`: written by another application. `earlier`, `newer`: written by a version of this
   * package whose format this one can't read.
   */
  readonly reason: "foreign" | "earlier" | "newer";

  constructor(reason: UnusableFileError["reason"]) {
    super(`the file is ${reason}`);
    this.reason = reason;
  }
}

export interface TransactionOptions {
  /**
   * Whether the transaction is on disk when the call returns; default true. Otherwise, a power cut
   * or a crash of the operating system can lose it until the next flushed transaction.
   */
  readonly isFlushed?: boolean;
  /**
   * Set this if the work has at most one writing statement, which is atomic without BEGIN and
   * COMMIT; default false.
   */
  readonly isOneStatement?: boolean;
}

/**
 * The transaction was committed but could not be flushed: it is visible to everyone, but a power
 * cut can lose it.
 */
export class FlushError extends Error {
  override readonly name = "FlushError";
  /** What the transaction returned. */
  readonly result: unknown;

  constructor(result: unknown, cause: unknown) {
    super("the file could not be flushed", { cause });
    this.result = result;
  }
}

/** The files that this process owns, by path. */
const owned = new Map<string, SqliteFile>();

/**
 * A SQLite file with the tables of one or more stores. All methods except `flushInBackground` are
 * synchronous. They throw SQLite's errors.
 *
 * Stores in one process that own the same file share its connection and its write-ahead log. So an
 * unflushed commit of one store reaches the disk with the next flushed commit of any of them.
 *
 * SQLite flushes the log only for its own needs (`synchronous = NORMAL`); this class flushes what
 * must be on disk. A failed flush can therefore be repeated without repeating the transaction.
 */
export class SqliteFile {
  /** The real path of the file, whatever name it was opened by; or `":memory:"`. */
  readonly place: string;
  /** For statements that run once and need not stay prepared. */
  readonly database: DatabaseSync;
  readonly #lock: FileLock | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #parts = new Set<FilePart["name"]>();
  /**
   * False in memory and on the rare file systems that don't support a write-ahead log. There,
   * flushing is left to SQLite.
   */
  readonly #hasLog: boolean;
  /** File descriptor of the log, opened at its first flush. */
  #log: number | undefined;
  /**
   * The same for `flushInBackground`, whose flush may be in progress when the other descriptor is
   * closed.
   */
  #backgroundLog: number | undefined;
  #backgroundFlush: Promise<void> | undefined;
  #nextBackgroundFlush: Promise<void> | undefined;
  /**
   * Why flushing the log failed. Until the whole log has been copied into the file, no later flush
   * of it can be trusted.
   */
  #fault: unknown;

  private constructor(place: string, database: DatabaseSync, lock?: FileLock) {
    this.place = place;
    this.database = database;
    this.#hasLog = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"] === "wal";
    if (this.#hasLog) database.exec("PRAGMA synchronous = NORMAL");
    this.#lock = lock;
  }

  /**
   * Opens a file for this process alone. If this process already owns other parts of the file, they
   * share one connection. The lock file is `<path>.lock`. Missing files and tables are created;
   * `":memory:"` keeps nothing and is never shared.
   * @throws UnusableFileError
   * @throws IoError (`in_use`) if another process owns the file, this one already owns this part,
   *   or the lock file can't be used
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
   * Opens a file that another process may own, to read it or make a small write.
   * @throws UnusableFileError
   */
  static visit(path: string, part: FilePart): SqliteFile {
    const place = placeOf(path);
    return new SqliteFile(place, open(place, part)).#join(part);
  }

  /** Opens a file that is already open elsewhere, for reading. */
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

  /** Creates the tables of a part, or brings them to the latest version. */
  #migrate({ name, migrations }: FilePart): void {
    if (versionOf(this.database, name) === migrations.length) return;
    this.transaction(() => {
      this.database.exec(PARTS);
      // Another process may have migrated this part in the meantime.
      const version = versionOf(this.database, name);
      if (version > migrations.length) throw new UnusableFileError("newer");
      for (const migration of migrations.slice(version)) this.database.exec(migration);
      this.run("INSERT OR REPLACE INTO parts (name, version) VALUES (?, ?)", name, migrations.length);
      this.database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    });
  }

  /** Whether this part is open here. */
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

  /** Each SQL text is prepared once. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.database.prepare(sql)));
    return statement;
  }

  /**
   * Runs `work` in one transaction: it is committed when `work` returns, and rolled back when it
   * throws.
   * @throws FlushError if the transaction was committed but may not be on disk
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
      // SQLite has already rolled back, as it does when the disk is full. Its first error is the
      // one to report.
    }
  }

  /**
   * Flushes what was committed.
   *
   * This blocks the event loop on purpose. If runs are in the file, nearly all work waits for this
   * flush. Flushing in another thread would cost more than it gains: runs would go on during the
   * flush, and their writes would be spread over more and smaller commits.
   * @throws the system's error
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
    // A repeated flush of the log may succeed without having written anything. So copy the whole
    // log into the file instead.
    if (this.get("PRAGMA wal_checkpoint(TRUNCATE)")?.["busy"] !== 0) throw this.#fault;
    this.#fault = undefined;
  }

  #closeLog(): void {
    if (this.#log !== undefined) fs.closeSync(this.#log);
    this.#log = undefined;
  }

  /**
   * Like `flush`, but in another thread, for a graph whose runs are stored elsewhere: during the
   * flush, the process can handle answers from the runs' database. Calls made while a flush is in
   * progress share the next one.
   * @throws the system's error
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

  /** Closes one part. Closing the last one closes the file. */
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

/** Two names of the same file must lead to the same lock. */
function placeOf(path: string): string {
  if (path === ":memory:") return path;
  makePrivateParent(path);
  return existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
}

function open(place: string, part: FilePart): DatabaseSync {
  if (place !== ":memory:" && existsSync(place)) refuseUnusable(place, part);
  return openSqlite(place);
}

/** Checks the file before anything in it can change. */
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

/** The version of a part's tables; 0 if it has none. */
function versionOf(database: DatabaseSync, name: string): number {
  if (!tablesOf(database).includes("parts")) return 0;
  return Number(database.prepare("SELECT version FROM parts WHERE name = ?").get(name)?.["version"] ?? 0);
}
