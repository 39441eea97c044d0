import type { SQLInputValue } from "node:sqlite";
import { SqliteFile, type FilePart } from "../../files/sqlite-file.ts";
import { hashOf } from "./hash.ts";

/**
 * A term is stored once, as N-Triples in Oxigraph's form, so that equal terms have equal text; a
 * quad is four numbers. Terms are found by hash, because an index of the texts would store every
 * text twice. Two orders of the quads answer all look-ups by subject or object. Look-ups by
 * predicate alone read the whole store: an order for them would make every write touch one more
 * page for each of its predicates.
 */
const GRAPH: FilePart = {
  name: "graph",
  migrations: [
    `
  CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, quads INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE terms (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, term TEXT NOT NULL);
  CREATE INDEX terms_by_hash ON terms (hash);
  CREATE TABLE quads (
    store INTEGER NOT NULL, subject INTEGER NOT NULL, predicate INTEGER NOT NULL, object INTEGER NOT NULL,
    PRIMARY KEY (store, subject, predicate, object)
  ) WITHOUT ROWID;
  CREATE INDEX quads_by_object ON quads (store, object, predicate, subject);`,
  ],
};

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

const DELETE = "DELETE FROM quads WHERE store = ? AND subject = ? AND predicate = ? AND object = ?";

const PARTS = ["subject", "predicate", "object"] as const;

/** Rows per statement. Few different sizes mean few statements to keep prepared. */
const BLOCKS = [1, 4, 8, 16, 32] as const;

const list = (length: number): string => `(${Array<string>(length).fill("?").join(", ")})`;

/** The text of a statement for each block size. */
const inBlocks = (text: (size: number) => string): ReadonlyMap<number, string> =>
  new Map(BLOCKS.map((size) => [size, text(size)]));

const rows = (columns: number, size: number): string => Array<string>(size).fill(list(columns)).join(", ");

const INSERT = inBlocks(
  (size) => `INSERT OR IGNORE INTO quads (store, subject, predicate, object) VALUES ${rows(4, size)}`,
);
const ADD_TERMS = inBlocks((size) => `INSERT OR IGNORE INTO terms (id, hash, term) VALUES ${rows(3, size)}`);
const FIND_TERMS = inBlocks((size) => `SELECT id, term FROM terms WHERE hash IN ${list(size)}`);

/** How to search for a pattern with the parts in `given`. */
interface Search {
  readonly given: readonly (keyof Triple)[];
  /** The columns of the result, with the texts of the parts that are not given. */
  readonly columns: string;
  readonly joins: string;
  readonly find: string;
  readonly has: string;
}

function searchBy(given: readonly (keyof Triple)[]): Search {
  const open = PARTS.filter((part) => !given.includes(part));
  const ids = PARTS.map((part) => `quads.${part} AS ${part}Id`);
  const columns = [...ids, ...open.map((part) => `${part}s.term AS ${part}`)].join(", ");
  const joins = open.map((part) => ` LEFT JOIN terms ${part}s ON ${part}s.id = quads.${part}`).join("");
  const where = ["quads.store = ?", ...given.map((part) => `quads.${part} = ?`)].join(" AND ");
  return {
    given,
    columns,
    joins,
    find: `SELECT ${columns} FROM quads${joins} WHERE ${where}`,
    has: `SELECT 1 FROM quads WHERE ${where} LIMIT 1`,
  };
}

/** Indexed by which parts are given, as bits. */
const SEARCHES = Array.from({ length: 2 ** PARTS.length }, (_, bits) =>
  searchBy(PARTS.filter((_, at) => (bits & (1 << at)) !== 0)),
);

const searchFor = ({ subject, predicate, object }: TriplePattern): Search =>
  SEARCHES[(subject === undefined ? 0 : 1) | (predicate === undefined ? 0 : 2) | (object === undefined ? 0 : 4)]!;

/**
 * How many ids of terms are cached at most: enough for the few terms that occur again and again.
 */
const KEPT_IDS = 10_000;
/** Longer terms are not cached. In characters. */
const MAX_KEPT_LENGTH = 100;

/**
 * How many ids of terms one piece spans when a graph is read as text, by subject; about one term in
 * ten is a subject.
 */
const IDS_PER_PIECE = 20_000;

/**
 * The graph's part of a SQLite file, which is the source of truth. All methods except `flush` are
 * synchronous and throw SQLite's errors.
 */
export class QuadFile {
  readonly #file: SqliteFile;
  /** Ids of recently used terms, and of stores. */
  readonly #ids = new Map<string, number>();
  readonly #stores = new Map<string, number>();
  #size: number | undefined;
  /** The highest id of a term. */
  #lastTerm: number | undefined;

  private constructor(file: SqliteFile) {
    this.#file = file;
  }

  /** @throws as `SqliteFile.own` */
  static own(path: string): QuadFile {
    return new QuadFile(SqliteFile.own(path, GRAPH));
  }

  /** Opens a file that this process owns, with another connection. */
  static read(place: string): QuadFile {
    return new QuadFile(SqliteFile.read(place));
  }

  /** The real path of the file, whatever name it was opened by; or `":memory:"`. */
  get place(): string {
    return this.#file.place;
  }

  storeNames(): string[] {
    return this.#file.all("SELECT name FROM stores ORDER BY name").map((row) => String(row["name"]));
  }

  findStore(name: string): number | undefined {
    let id = this.#stores.get(name);
    if (id === undefined) {
      id = idOf(this.#file.get("SELECT id FROM stores WHERE name = ?", name));
      if (id !== undefined) this.#stores.set(name, id);
    }
    return id;
  }

  /** Returns the store's id, and creates the store if needed. */
  ensureStore(name: string): number {
    const known = this.findStore(name);
    if (known !== undefined) return known;
    this.#file.run("INSERT INTO stores (name) VALUES (?)", name);
    return this.findStore(name) ?? Number.NaN;
  }

  dropStore(id: number): void {
    this.clear(id);
    this.#file.run("DELETE FROM stores WHERE id = ?", id);
    this.#stores.clear();
  }

  /**
   * Removes all quads of a store, and the literals that are no longer used. If no quads are left in
   * any store, all terms are removed.
   */
  clear(store: number): void {
    this.#file.run("DELETE FROM quads WHERE store = ?", store);
    this.#file.run("UPDATE stores SET quads = 0 WHERE id = ?", store);
    this.#size = undefined;
    const isHeld = "EXISTS (SELECT 1 FROM stores JOIN quads ON store = stores.id AND object = terms.id)";
    this.#file.run(
      this.size() === 0 ? "DELETE FROM terms" : `DELETE FROM terms WHERE term LIKE '"%' AND NOT ${isHeld}`,
    );
    this.#ids.clear();
  }

  /** The number of quads in all stores. */
  size(): number {
    return (this.#size ??= Number(this.#file.get("SELECT total(quads) AS size FROM stores")?.["size"]));
  }

  /**
   * Removes everything that matches one of the patterns, and adds the triples. A triple that would
   * be removed and added again stays. Literals that are no longer used are deleted.
   * @returns what has really changed; insertions only on request, because finding them costs one
   *   statement for each triple
   */
  change(
    store: number,
    remove: readonly TriplePattern[],
    insert: readonly Triple[],
    { isInsertedWanted }: { isInsertedWanted: boolean },
  ): TripleChange {
    const found = this.#rows(store, remove);
    const lines = new Set(found.length === 0 ? [] : insert.map(lineOf));
    const removed = found.filter((triple) => !lines.has(lineOf(triple)));
    for (const { subjectId, predicateId, objectId } of removed) {
      this.#file.run(DELETE, store, subjectId, predicateId, objectId);
    }
    const ids = this.#ensureTerms(insert.flatMap(({ subject, predicate, object }) => [subject, predicate, object]));
    const row = ({ subject, predicate, object }: Triple): number[] => [
      store,
      ids.get(subject)!,
      ids.get(predicate)!,
      ids.get(object)!,
    ];
    const inserted = isInsertedWanted ? insert.filter((triple) => this.#runRows(INSERT, [row(triple)]) > 0) : [];
    const count = isInsertedWanted ? inserted.length : this.#runRows(INSERT, insert.map(row));
    this.#count(store, count - removed.length);
    for (const { object, objectId } of removed) if (object.startsWith('"')) this.#forgetUnused(object, objectId);
    return { removed, inserted };
  }

  #count(store: number, more: number): void {
    if (more === 0) return;
    this.#file.run("UPDATE stores SET quads = quads + ? WHERE id = ?", more, store);
    if (this.#size !== undefined) this.#size += more;
  }

  has(store: number, pattern: TriplePattern): boolean {
    const search = searchFor(pattern);
    const values = this.#valuesOf(search, store, pattern);
    return values !== undefined && this.#file.get(search.has, ...values) !== undefined;
  }

  /**
   * The triples that match one of the patterns, each once.
   * @throws DamagedFileError if a term is missing
   */
  match(store: number, patterns: readonly TriplePattern[]): Triple[] {
    return this.#rows(store, patterns);
  }

  #rows(store: number, patterns: readonly TriplePattern[]): Found[] {
    if (patterns.length <= 1) return patterns.flatMap((pattern) => this.#find(store, pattern));
    const bySubject = patterns.filter(isSubjectPattern);
    const others = patterns.filter((pattern) => !isSubjectPattern(pattern));
    const found = [
      ...pieces(bySubject).flatMap((piece) => this.#findBySubject(store, piece)),
      ...others.flatMap((pattern) => this.#find(store, pattern)),
    ];
    return [...new Map(found.map((row) => [lineOf(row), row])).values()];
  }

  #find(store: number, pattern: TriplePattern): Found[] {
    const search = searchFor(pattern);
    const values = this.#valuesOf(search, store, pattern);
    return values ? this.#file.all(search.find, ...values).map((row) => toFound(row, pattern)) : [];
  }

  /**
   * Uses one statement for all patterns. Unless they all ask for the same predicate, it reads
   * everything about each subject, which isn't much.
   */
  #findBySubject(store: number, patterns: readonly SubjectPattern[]): Found[] {
    const predicates = new Set(patterns.map(({ predicate }) => predicate));
    const predicate = predicates.size === 1 ? patterns[0]?.predicate : undefined;
    const ids = this.#findTerms([...patterns.map(({ subject }) => subject), ...(predicate ? [predicate] : [])]);
    const subjects = patterns.flatMap(({ subject }) => ids.get(subject) ?? []);
    const { columns, joins } = searchFor({ predicate });
    const only = predicate === undefined ? "" : " AND quads.predicate = ?";
    const rows = this.#file
      .prepare(
        `SELECT ${columns} FROM json_each(?) AS wanted CROSS JOIN quads ON quads.store = ? AND quads.subject = wanted.value${only}${joins}`,
      )
      .all(JSON.stringify([...new Set(subjects)]), store, ...(predicate ? [ids.get(predicate) ?? null] : []));
    const found = rows.map((row) => toFound(row, { predicate }));
    const wanted = Map.groupBy(patterns, ({ subject }) => subject);
    return found.filter((triple) =>
      wanted.get(triple.subject)?.some((one) => one.predicate === undefined || one.predicate === triple.predicate),
    );
  }

  /** The parameters of the statement; undefined if a term of the pattern is not in the file. */
  #valuesOf({ given }: Search, store: number, pattern: TriplePattern): number[] | undefined {
    const values = [store];
    for (const part of given) {
      const term = pattern[part]!;
      const id = this.#ids.get(term) ?? this.#findTerms([term]).get(term);
      if (id === undefined) return undefined;
      values.push(id);
    }
    return values;
  }

  /**
   * All triples of a store as N-Triples, in pieces of some ten thousand lines; none if there is no
   * such store.
   */
  *text(name: string): Iterable<string> {
    const store = this.findStore(name);
    if (store === undefined) return;
    const last = Number(this.#file.get("SELECT max(subject) AS last FROM quads WHERE store = ?", store)?.["last"] ?? 0);
    for (let from = 0; from <= last; from += IDS_PER_PIECE) {
      const row = this.#file.get(
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

  /** Whether the runs that this process executes are in the same file. */
  get isWithRuns(): boolean {
    return this.#file.shares("runs");
  }

  /** Commits without a flush. See `SqliteFile`. */
  transaction(work: () => void): void {
    try {
      this.#file.transaction(work, { isFlushed: false });
    } catch (error) {
      // The cached ids may be wrong.
      this.#ids.clear();
      this.#stores.clear();
      this.#size = undefined;
      this.#lastTerm = undefined;
      throw error;
    }
  }

  /** Resolves when what was committed is on disk. */
  async flush(): Promise<void> {
    if (this.isWithRuns) this.#file.flush();
    else await this.#file.flushInBackground();
  }

  close(): void {
    this.#file.leave("graph");
  }

  /** The ids of those terms that are in the file. */
  #findTerms(terms: readonly string[]): Map<string, number> {
    const ids = new Map<string, number>();
    const unknown = new Set<string>();
    for (const term of terms) {
      const known = this.#ids.get(term);
      if (known === undefined) unknown.add(term);
      else ids.set(term, known);
    }
    for (const hashes of blocks(Array.from(unknown, hashOf))) {
      for (const row of this.#file.all(FIND_TERMS.get(hashes.length)!, ...hashes)) {
        const [term, id] = [String(row["term"]), Number(row["id"])];
        if (unknown.has(term)) ids.set(term, this.#keep(term, id));
      }
    }
    return ids;
  }

  #ensureTerms(terms: readonly string[]): Map<string, number> {
    const ids = this.#findTerms(terms);
    const missing = [...new Set(terms.filter((term) => !ids.has(term)))];
    if (missing.length === 0) return ids;
    this.#lastTerm ??= Number(this.#file.get("SELECT max(id) AS last FROM terms")?.["last"] ?? 0);
    const first = this.#lastTerm + 1;
    this.#runRows(
      ADD_TERMS,
      missing.map((term, index) => [first + index, hashOf(term), term]),
    );
    this.#lastTerm += missing.length;
    for (const [index, term] of missing.entries()) ids.set(term, this.#keep(term, first + index));
    return ids;
  }

  /** Inserts rows with as few statements as possible, and returns how many are new. */
  #runRows(insert: ReadonlyMap<number, string>, rows: readonly (readonly SQLInputValue[])[]): number {
    let changes = 0;
    for (const block of blocks(rows)) changes += this.#file.run(insert.get(block.length)!, ...block.flat());
    return changes;
  }

  #keep(term: string, id: number): number {
    if (term.length > MAX_KEPT_LENGTH) return id;
    if (this.#ids.size >= KEPT_IDS) this.#ids.clear();
    this.#ids.set(term, id);
    return id;
  }

  #forgetUnused(literal: string, id: number): void {
    const isUsed = this.#file.get(
      "SELECT 1 FROM stores WHERE EXISTS (SELECT 1 FROM quads WHERE store = stores.id AND object = ?)",
      id,
    );
    if (isUsed) return;
    this.#file.run("DELETE FROM terms WHERE id = ?", id);
    this.#ids.delete(literal);
  }
}

/** The triple as one line of N-Triples, without its line end. */
export const lineOf = ({ subject, predicate, object }: Triple): string => `${subject} ${predicate} ${object} .`;

/** A pattern with a subject and any object. */
type SubjectPattern = TriplePattern & { readonly subject: string };

const isSubjectPattern = (pattern: TriplePattern): pattern is SubjectPattern =>
  pattern.subject !== undefined && pattern.object === undefined;

/** How many patterns one statement takes. */
const PIECE = 10_000;

const pieces = <Item>(items: readonly Item[]): (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / PIECE) }, (_, index) =>
    items.slice(index * PIECE, (index + 1) * PIECE),
  );

/**
 * The items in blocks of the sizes in `BLOCKS`. The last block is padded with its last item, which
 * is harmless: finding or inserting an item twice has no further effect.
 */
function blocks<Item>(items: readonly Item[]): (readonly Item[])[] {
  const filled: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; from += MAX_BLOCK) {
    const block = items.slice(from, from + MAX_BLOCK);
    const size = BLOCKS.find((blockSize) => blockSize >= block.length)!;
    while (block.length < size) block.push(block[block.length - 1]!);
    filled.push(block);
  }
  return filled;
}

const MAX_BLOCK = Math.max(...BLOCKS);

const idOf = (row: Record<string, unknown> | undefined): number | undefined => (row ? Number(row["id"]) : undefined);

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

/**
 * A quad whose term is missing: SQLite did not notice anything, but the file's content is not what
 * was written.
 */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";
  constructor() {
    super("a quad without one of its terms");
  }
}
