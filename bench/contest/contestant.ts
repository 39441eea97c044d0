/** What a contestant receives, and what it must do. Each has a module that exports an `Open`. */

/**
 * A durable step: a name, and the work for the n-th run, whose result (JSON) the contestant must
 * store.
 */
export type Step = readonly [name: string, work: (n: number) => Promise<unknown>];

export interface Setting {
  /** An empty folder for a SQLite file and other data. */
  readonly folder: string;
  /** Where the contestant should store its runs in PostgreSQL; absent for SQLite. */
  readonly databaseUrl?: string;
  /** How many runs execute at the same time. */
  readonly clients: number;
  /** The steps of every run, one after the other, each recorded before the next begins. */
  readonly steps: readonly Step[];
}

export interface Contestant {
  /** Executes the n-th run, and resolves when its end is recorded. */
  run(n: number): Promise<void>;
  close(): Promise<void>;
}

export type Open = (setting: Setting) => Promise<Contestant>;
