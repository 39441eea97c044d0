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

export interface TripleChange {
  readonly removed: readonly Triple[];
  readonly inserted: readonly Triple[];
}

const INSERT = "INSERT OR IGNORE INTO quads (store, subject, predicate, object) VALUES (?, ?, ?, ?)";
const DELETE = "DELETE FROM quads WHERE store = ? AND subject = ? AND predicate = ? AND object = ?";
const IDS = "quads.subject AS subjectId, quads.predicate AS predicateId, quads.object AS objectId";

const PARTS = ["subject", "predicate", "object"] as const;

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

  /**
   * Removes everything that matches one of the patterns, and the literals that nothing holds any more; then adds the triples. What would
   * be removed and added again stays.
   * @returns what has really changed
   */
  change(store: number, remove: readonly TriplePattern[], insert: readonly Triple[]): TripleChange {
    const coming = new Map(remove.length > 0 ? insert.map((triple) => [lineOf(triple), triple]) : []);
    const removed: Triple[] = [];
    const literals = new Set<number>();
    for (const found of this.#rows(store, together(remove))) {
      if (coming.delete(lineOf(found))) continue;
      const { subjectId, predicateId, objectId } = found;
      this.#run(DELETE, store, subjectId, predicateId, objectId);
      removed.push(found);
      if (found.object.startsWith('"')) literals.add(objectId);
    }
    const inserted = this.#insert(store, remove.length > 0 ? coming.values() : insert);
    this.#count(store, inserted.length - removed.length);
    for (const id of literals) this.#forgetUnused(id);
    return { removed, inserted };
  }

  #insert(store: number, triples: Iterable<Triple>): Triple[] {
    const inserted: Triple[] = [];
    for (const triple of triples) {
      const { subject, predicate, object } = triple;
      const ids = [this.#ensureTerm(subject), this.#ensureTerm(predicate), this.#ensureTerm(object)];
      if (this.#run(INSERT, store, ...ids) > 0) inserted.push(triple);
    }
    return inserted;
  }

  #count(store: number, more: number): void {
    if (more !== 0) this.#run("UPDATE stores SET quads = quads + ? WHERE id = ?", more, store);
  }

  has(store: number, pattern: TriplePattern): boolean {
    const { where, values } = this.#search(store, pattern);
    return values !== undefined && this.#get(`SELECT 1 FROM quads WHERE ${where} LIMIT 1`, ...values) !== undefined;
  }

  /** @throws DamagedFileError where a term is missing */
  match(store: number, patterns: readonly TriplePattern[]): Triple[] {
    return this.#rows(store, together(patterns));
  }

  /** What matches one of the patterns, each once. */
  #rows(store: number, searches: readonly Search[]): Found[] {
    const found = searches.flatMap((search) => this.#find(store, search));
    if (searches.length <= 1) return found;
    return [...new Map(found.map((row) => [lineOf(row), row])).values()];
  }

  #find(store: number, { pattern, predicates }: Search): Found[] {
    const { where, values } = this.#search(store, pattern);
    if (values === undefined) return [];
    const unknown = PARTS.filter((part) => pattern[part] === undefined);
    const columns = unknown.map((part) => `, ${part}s.term AS ${part}`).join("");
    const joins = unknown.map((part) => ` LEFT JOIN terms ${part}s ON ${part}s.id = quads.${part}`).join("");
    const rows = this.#prepare(`SELECT ${IDS}${columns} FROM quads${joins} WHERE ${where}`).all(...values);
    const found = rows.map((row) => toFound(row, pattern));
    return predicates ? found.filter(({ predicate }) => predicates.has(predicate)) : found;
  }

  /** Without values where a term of the pattern is in no quad. */
  #search(store: number, pattern: TriplePattern): { where: string; values?: number[] } {
    const values = [store];
    let where = "store = ?";
    for (const part of PARTS) {
      const term = pattern[part];
      if (term === undefined) continue;
      const id = this.#findTerm(term);
      if (id === undefined) return { where };
      where += ` AND ${part} = ?`;
      values.push(id);
    }
    return { where, values };
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
      if (typeof row?.["text"] === "string") yield row["text"];
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
    const sql = "INSERT INTO terms (hash, term) VALUES (?, ?)";
    return this.#keep(term, Number(this.#prepare(sql).run(hashOf(term), term).lastInsertRowid));
  }

  #keep(term: string, id: number): number {
    if (!term.startsWith("<")) return id;
    if (this.#ids.size >= KEPT_IDS) this.#ids.clear();
    this.#ids.set(term, id);
    return id;
  }

  #forgetUnused(literal: number): void {
    const isUsed = this.#get(
      "SELECT 1 FROM stores WHERE EXISTS (SELECT 1 FROM quads WHERE store = stores.id AND object = ?)",
      literal,
    );
    if (!isUsed) this.#run("DELETE FROM terms WHERE id = ?", literal);
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

/** As one line of N-Triples, without its end. */
export const lineOf = ({ subject, predicate, object }: Triple): string => `${subject} ${predicate} ${object} .`;

/** Patterns that are looked up together. */
interface Search {
  readonly pattern: TriplePattern;
  /** Of what matches the pattern, only what has one of these. */
  readonly predicates?: Set<string>;
}

/** Patterns that differ in their predicate alone are one search: a subject has few. */
function together(patterns: readonly TriplePattern[]): Search[] {
  if (patterns.length <= 1) return patterns.map((pattern) => ({ pattern }));
  const bySubject = Map.groupBy(patterns, ({ subject, predicate, object }) =>
    subject !== undefined && predicate !== undefined && object === undefined ? subject : undefined,
  );
  return [...bySubject].flatMap(([subject, some]): Search[] =>
    subject === undefined || some.length === 1
      ? some.map((pattern) => ({ pattern }))
      : [{ pattern: { subject }, predicates: new Set(some.flatMap(({ predicate }) => predicate ?? [])) }],
  );
}

interface Found extends Triple {
  readonly subjectId: number;
  readonly predicateId: number;
  readonly objectId: number;
}

function toFound(row: Record<string, unknown>, { subject, predicate, object }: TriplePattern): Found {
  return {
    subject: subject ?? termOf(row["subject"]),
    predicate: predicate ?? termOf(row["predicate"]),
    object: object ?? termOf(row["object"]),
    subjectId: Number(row["subjectId"]),
    predicateId: Number(row["predicateId"]),
    objectId: Number(row["objectId"]),
  };
}

function termOf(value: unknown): string {
  if (typeof value === "string") return value;
  throw new DamagedFileError();
}

/** A quad whose term is not there: SQLite has noticed nothing, but the file is not what was written. */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
  constructor() {
    super("a quad without one of its terms");
  }
}
