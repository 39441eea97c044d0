import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { ValidationError } from "../../errors.ts";
import { openSqlite, tablesOf } from "../../sqlite.ts";
import { hashOf } from "./hash.ts";

const VERSION = 2;

/**
 * A term is kept once, as N-Triples in Oxigraph's form, so that equal ones are equal; a quad is four numbers. Found by hash, since an
 * index of the texts would keep every text twice. Two orders answer all look-ups by subject or object. Those by predicate alone read
 * the whole store: an order for them would cost every write a page for each of its predicates.
 */
const SCHEMA = `
  CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, quads INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE terms (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, term TEXT NOT NULL);
  CREATE INDEX terms_by_hash ON terms (hash);
  CREATE TABLE quads (
    store INTEGER NOT NULL, subject INTEGER NOT NULL, predicate INTEGER NOT NULL, object INTEGER NOT NULL,
    PRIMARY KEY (store, subject, predicate, object)
  ) WITHOUT ROWID;
  CREATE INDEX quads_by_object ON quads (store, object, predicate, subject);
  PRAGMA user_version = ${VERSION};
`;

/** Terms as N-Triples in canonical form. */
export interface Triple {
  readonly subject: string;
  readonly predicate: string;
  readonly object: string;
}

export type TriplePattern = { readonly [Part in keyof Triple]?: string | undefined };

/** Ids of IRIs that are kept in memory: the few that come again and again are among them. */
const KEPT_IDS = 10_000;

/** Subjects of a piece of a graph that is read as text, counted by the highest id: one term in ten or so is a subject. */
const IDS_PER_PIECE = 20_000;

/** The SQLite file that holds the truth. All methods are synchronous and throw SQLite's errors. */
export class QuadFile {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #ids = new Map<string, number>();

  /** @throws ValidationError where the file was written by another version of this package, or by another application */
  constructor(path: string) {
    this.#database = openSqlite(path);
    try {
      this.#prepareSchema();
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
    if (isOurs) {
      throw new ValidationError(
        "The knowledge graph's file was written by an earlier build of this package, in a format that this one does not read. " +
          "Read it with that build, or choose another data directory.",
        { code: "store_too_old" },
      );
    }
    this.transaction(() => this.#database.exec(SCHEMA));
  }

  storeNames(): string[] {
    return this.#all("SELECT name FROM stores ORDER BY name").map((row) => String(row["name"]));
  }

  findStore(name: string): number | undefined {
    const row = this.#get("SELECT id FROM stores WHERE name = ?", name);
    return row ? Number(row["id"]) : undefined;
  }

  /** The store's number; it is made if need be. */
  ensureStore(name: string): number {
    return this.findStore(name) ?? Number(this.#get("INSERT INTO stores (name) VALUES (?) RETURNING id", name)?.["id"]);
  }

  dropStore(id: number): void {
    this.clear(id);
    this.#run("DELETE FROM stores WHERE id = ?", id);
  }

  /** Removes all quads of a store, and the literals that nothing holds any more. */
  clear(store: number): void {
    this.#run("DELETE FROM quads WHERE store = ?", store);
    this.#run("UPDATE stores SET quads = 0 WHERE id = ?", store);
    const isHeld = "EXISTS (SELECT 1 FROM stores JOIN quads ON store = stores.id AND object = terms.id)";
    this.#run(this.size() === 0 ? "DELETE FROM terms" : `DELETE FROM terms WHERE term LIKE '"%' AND NOT ${isHeld}`);
    this.#ids.clear();
  }

  /** Quads of all stores. */
  size(): number {
    return Number(this.#get("SELECT total(quads) AS size FROM stores")?.["size"]);
  }

  /** The triples that were not there already. */
  insert(store: number, triples: Iterable<Triple>): Triple[] {
    const inserted: Triple[] = [];
    for (const triple of triples) {
      const changes = this.#run(
        "INSERT OR IGNORE INTO quads (store, subject, predicate, object) VALUES (?, ?, ?, ?)",
        store,
        this.#ensureTerm(triple.subject),
        this.#ensureTerm(triple.predicate),
        this.#ensureTerm(triple.object),
      );
      if (changes > 0) inserted.push(triple);
    }
    this.#count(store, inserted.length);
    return inserted;
  }

  /** Removes everything that matches one of the patterns. Terms stay: see `forgetUnused`. */
  remove(store: number, patterns: Iterable<TriplePattern>): Triple[] {
    const removed: Triple[] = [];
    for (const pattern of patterns) {
      for (const triple of this.match(store, pattern)) {
        const { subject, predicate, object } = triple;
        this.#run(
          "DELETE FROM quads WHERE store = ? AND subject = ? AND predicate = ? AND object = ?",
          store,
          this.#ensureTerm(subject),
          this.#ensureTerm(predicate),
          this.#ensureTerm(object),
        );
        removed.push(triple);
      }
    }
    this.#count(store, -removed.length);
    return removed;
  }

  /** Forgets those of these terms that are literals and that nothing holds any more. */
  forgetUnused(terms: Iterable<string>): void {
    for (const term of new Set(terms)) if (term.startsWith('"')) this.#forgetUnused(term);
  }

  #count(store: number, more: number): void {
    if (more !== 0) this.#run("UPDATE stores SET quads = quads + ? WHERE id = ?", more, store);
  }

  has(store: number, pattern: TriplePattern): boolean {
    return this.#rows(store, pattern, 1).length > 0;
  }

  /** @throws DamagedFileError where a term is missing */
  match(store: number, { subject, predicate, object }: TriplePattern): Triple[] {
    const terms = new Map<number, string>();
    return this.#rows(store, { subject, predicate, object }).map((row) => ({
      subject: subject ?? this.#term(row.subject, terms),
      predicate: predicate ?? this.#term(row.predicate, terms),
      object: object ?? this.#term(row.object, terms),
    }));
  }

  #rows(store: number, pattern: TriplePattern, most = -1): Record<keyof Triple, number>[] {
    const values = [store];
    let conditions = "";
    for (const part of ["subject", "predicate", "object"] as const) {
      const term = pattern[part];
      if (term === undefined) continue;
      const id = this.#findTerm(term);
      if (id === undefined) return [];
      conditions += ` AND ${part} = ?`;
      values.push(id);
    }
    const sql = `SELECT subject, predicate, object FROM quads WHERE store = ?${conditions} LIMIT ?`;
    return this.#prepare(sql).all(...values, most) as Record<keyof Triple, number>[];
  }

  /** All triples of a store as N-Triples, in pieces of some ten thousand lines. */
  *text(store: number): Iterable<string> {
    const last = Number(this.#get("SELECT max(subject) AS last FROM quads WHERE store = ?", store)?.["last"] ?? 0);
    for (let from = 0; from <= last; from += IDS_PER_PIECE) {
      const row = this.#get(
        `SELECT group_concat(s.term || ' ' || p.term || ' ' || o.term || ' .', char(10)) AS text, count(*) AS quads, count(s.term || p.term || o.term) AS whole
         FROM quads
           LEFT JOIN terms s ON s.id = subject LEFT JOIN terms p ON p.id = predicate LEFT JOIN terms o ON o.id = object
         WHERE store = ? AND subject BETWEEN ? AND ?`,
        store,
        from,
        from + IDS_PER_PIECE - 1,
      );
      if (row?.["quads"] !== row?.["whole"]) throw new DamagedFileError();
      if (row?.["text"] !== null) yield String(row?.["text"]);
    }
  }

  /** Runs `work` in one transaction: when it returns, all is on disk; when it throws, nothing happened. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack("ROLLBACK");
      throw error;
    }
  }

  /** Runs a part of a transaction: when it throws, nothing of the part happened. */
  part<T>(work: () => T): T {
    this.#database.exec("SAVEPOINT part");
    try {
      const result = work();
      this.#database.exec("RELEASE part");
      return result;
    } catch (error) {
      this.#rollBack("ROLLBACK TO part; RELEASE part");
      throw error;
    }
  }

  #rollBack(statement: string): void {
    this.#ids.clear();
    try {
      this.#database.exec(statement);
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full; what it said first is what went wrong.
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #findTerm(term: string): number | undefined {
    const known = this.#ids.get(term);
    if (known !== undefined) return known;
    const row = this.#get("SELECT id FROM terms WHERE hash = ? AND term = ?", hashOf(term), term);
    if (!row) return undefined;
    return this.#keep(term, Number(row["id"]));
  }

  #ensureTerm(term: string): number {
    const known = this.#findTerm(term);
    if (known !== undefined) return known;
    const row = this.#get("INSERT INTO terms (hash, term) VALUES (?, ?) RETURNING id", hashOf(term), term);
    return this.#keep(term, Number(row?.["id"]));
  }

  #keep(term: string, id: number): number {
    if (!term.startsWith("<")) return id;
    if (this.#ids.size >= KEPT_IDS) this.#ids.clear();
    this.#ids.set(term, id);
    return id;
  }

  #term(id: number, known: Map<number, string>): string {
    let term = known.get(id);
    if (term === undefined) {
      const row = this.#get("SELECT term FROM terms WHERE id = ?", id);
      if (!row) throw new DamagedFileError();
      known.set(id, (term = String(row["term"])));
    }
    return term;
  }

  #forgetUnused(literal: string): void {
    const id = this.#findTerm(literal);
    if (id === undefined) return;
    const isUsed = this.#get(
      "SELECT 1 FROM stores WHERE EXISTS (SELECT 1 FROM quads WHERE store = stores.id AND object = ?)",
      id,
    );
    if (!isUsed) this.#run("DELETE FROM terms WHERE id = ?", id);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#prepare(sql).get(...values);
  }

  #all(sql: string): Record<string, unknown>[] {
    return this.#prepare(sql).all();
  }

  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }
}

/** A quad whose term is not there: SQLite has noticed nothing, but the file is not what was written. */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
  constructor() {
    super("a quad without one of its terms");
  }
}
