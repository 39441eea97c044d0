import fs from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { onTestFinished, vi } from "vitest";

/** What is done to SQLite files from now on, in order: commits, flushes of their logs, and checkpoints instead of flushes. */
export interface WatchedCommits {
  /** What was done since the last call. */
  readonly taken: () => string[];
  /** Makes the next commit fail, as on a full disk. */
  readonly failNext: () => void;
  /** Makes the next flush fail, and the checkpoint that is tried instead; `times`: so many pairs in turn, default 1. */
  readonly failNextFlush: (times?: number) => void;
}

/** The system's error when a disk fails. */
export const flushError = (): Error =>
  Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO", errno: -5, syscall: "fdatasync" });

export function watchCommits(): WatchedCommits {
  let seen: string[] = [];
  let isFailing = false;
  let failingFlushes = 0;
  let isInTransaction = false;
  // oxlint-disable-next-line typescript/unbound-method -- called with its statement below
  const { run, get } = StatementSync.prototype;
  // oxlint-disable-next-line typescript/unbound-method -- called with its database below
  const { exec } = DatabaseSync.prototype;
  const { fdatasync, fdatasyncSync } = fs;
  const spies = [
    vi.spyOn(StatementSync.prototype, "run").mockImplementation(function (this: StatementSync, ...values) {
      const [verb] = this.sourceSQL.trimStart().split(/\s/);
      // Outside a transaction, a statement that writes also commits.
      const isCommit = verb === "COMMIT" || (!isInTransaction && /^(?:INSERT|UPDATE|DELETE)$/.test(verb!));
      if (verb === "BEGIN") isInTransaction = true;
      if (isCommit) {
        isInTransaction = false;
        if (isFailing) {
          isFailing = false;
          seen.push("failure");
          throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
        }
        seen.push("commit");
      }
      return Reflect.apply(run, this, values);
    }),
    vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
      if (sql === "ROLLBACK") isInTransaction = false;
      Reflect.apply(exec, this, [sql]);
    }),
    vi.spyOn(fs, "fdatasyncSync").mockImplementation((file) => {
      if (failingFlushes > 0) throw flushError();
      seen.push("flush");
      fdatasyncSync(file);
    }),
    vi.spyOn(fs, "fdatasync").mockImplementation((file, done) => {
      if (failingFlushes > 0) return done(flushError());
      seen.push("flush");
      fdatasync(file, done);
    }),
    vi.spyOn(StatementSync.prototype, "get").mockImplementation(function (this: StatementSync, ...values) {
      if (!this.sourceSQL.includes("wal_checkpoint")) return Reflect.apply(get, this, values);
      if (failingFlushes > 0) {
        failingFlushes -= 1;
        return { busy: 1 };
      }
      seen.push("checkpoint");
      return Reflect.apply(get, this, values);
    }),
  ];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  return {
    taken: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    failNext: () => (isFailing = true),
    failNextFlush: (times = 1) => (failingFlushes = times),
  };
}
