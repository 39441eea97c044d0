/** What a contestant is given, and what it must be able to do. Each is a module that exports `open`. */

/** A durable step: a name, and the work for the n-th run. What it returns is JSON that the contestant must store. */
export type Step = readonly [name: string, work: (n: number) => Promise<unknown>];

export interface Setting {
  /** Empty; for a SQLite file and whatever else is kept. */
  readonly folder: string;
  /** Where the contestant is to keep its runs in PostgreSQL; absent where it is SQLite. */
  readonly databaseUrl?: string;
  /** So many runs are at work at the same time. */
  readonly clients: number;
  /** Of every run, one after the other, each recorded before the next begins. */
  readonly steps: readonly Step[];
}

export interface Contestant {
  /** Makes the n-th run, and resolves when its end is recorded. */
  run(n: number): Promise<void>;
  close(): Promise<void>;
}

export type Open = (setting: Setting) => Promise<Contestant>;
