import type { DatabaseSync } from "node:sqlite";
import { ValidationError } from "../../errors.ts";
import { openSqlite, tablesOf } from "../../sqlite.ts";

const VERSION = 1;

/** A quad is one N-Triples line of one store. Lines are kept in the form in which Oxigraph writes them, so that equal ones are equal. */
const SCHEMA = `
  CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE quads (
    store INTEGER NOT NULL REFERENCES stores (id),
    triple TEXT NOT NULL,
    PRIMARY KEY (store, triple)
  ) WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** The SQLite file that holds the truth. All methods are synchronous and throw SQLite's errors. */
export class QuadFile {
  readonly #database: DatabaseSync;
  readonly #statements;

  /** @throws ValidationError where the file was written by a newer version of this package, or by another application */
  constructor(path: string) {
    this.#database = openSqlite(path);
    try {
      this.#prepareSchema();
      this.#statements = {
        names: this.#database.prepare("SELECT name FROM stores ORDER BY name"),
        find: this.#database.prepare("SELECT id FROM stores WHERE name = ?"),
        create: this.#database.prepare("INSERT INTO stores (name) VALUES (?) RETURNING id"),
        drop: this.#database.prepare("DELETE FROM stores WHERE id = ?"),
        insert: this.#database.prepare("INSERT OR IGNORE INTO quads (store, triple) VALUES (?, ?)"),
        remove: this.#database.prepare("DELETE FROM quads WHERE store = ? AND triple = ?"),
        read: this.#database.prepare("SELECT triple FROM quads WHERE store = ?"),
      };
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  #prepareSchema(): void {
    const tables = tablesOf(this.#database);
    const isOurs = ["stores", "quads"].every((name) => tables.includes(name));
    if (!isOurs && tables.length > 0) {
      throw new ValidationError(
        "The knowledge graph's file holds the data of another application. Choose another file, or another data directory.",
        { code: "store_unreadable" },
      );
    }
    const version = Number(this.#database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (isOurs && version === VERSION) return;
    if (version > VERSION) {
      throw new ValidationError(
        "The knowledge graph's file was written by a newer version of this package. Update the package.",
        {
          code: "store_too_new",
        },
      );
    }
    this.transaction(() => this.#database.exec(SCHEMA));
  }

  storeNames(): string[] {
    return this.#statements.names.all().map((row) => String(row["name"]));
  }

  findStore(name: string): number | undefined {
    const row = this.#statements.find.get(name);
    return row ? Number(row["id"]) : undefined;
  }

  /** The store's number; it is made if need be. */
  ensureStore(name: string): number {
    return this.findStore(name) ?? Number(this.#statements.create.get(name)?.["id"]);
  }

  /** The store must be empty. */
  dropStore(id: number): void {
    this.#statements.drop.run(id);
  }

  /** False where it was there already. */
  insert(store: number, triple: string): boolean {
    return this.#statements.insert.run(store, triple).changes > 0;
  }

  /** False where it was not there. */
  remove(store: number, triple: string): boolean {
    return this.#statements.remove.run(store, triple).changes > 0;
  }

  *triples(store: number): Iterable<string> {
    for (const row of this.#statements.read.iterate(store)) yield String(row["triple"]);
  }

  /** Runs `work` in one transaction: when it returns, all is on disk; when it throws, nothing happened. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full; what it said first is what went wrong.
    }
  }

  close(): void {
    this.#database.close();
  }
}
