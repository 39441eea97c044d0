import type { FilePart } from "../../files/sqlite-file.ts";

export const RUNS: FilePart = {
  name: "runs",
  migrations: [
    `
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused after a run was forgotten: it may still be executing
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    input TEXT NOT NULL, -- JSON
    status TEXT NOT NULL, -- as RunStatus
    priority INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER, -- NULL: it is being executed, waits for a person, or has ended
    due_since INTEGER, -- when due_at was written, for clocks that are set back
    is_held INTEGER NOT NULL DEFAULT 0, -- a process executes it
    epoch INTEGER NOT NULL DEFAULT 0, -- how often it was claimed
    resumed_at INTEGER,
    retry_until INTEGER, -- end of the retry budget of the step to try again; NULL: none
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    waiting_for TEXT, -- the subject of a decision
    output TEXT, -- JSON; partial while it waits for a person
    error TEXT, -- JSON
    ended_at INTEGER,
    UNIQUE (workflow, key)
  ) STRICT;
  CREATE INDEX runs_due ON runs (workflow, priority DESC, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX runs_status ON runs (status, created_at);
  CREATE INDEX runs_created ON runs (created_at);
  CREATE INDEX runs_workflow ON runs (workflow, created_at);
  CREATE INDEX runs_workflow_status ON runs (workflow, status, created_at);
  CREATE TABLE events ( -- written once, never changed
    run INTEGER NOT NULL,
    n INTEGER NOT NULL,
    type TEXT NOT NULL, -- as EventType
    time INTEGER NOT NULL,
    name TEXT, -- of the step, or the subject of the decision
    is_listed INTEGER,
    value TEXT, -- JSON
    error TEXT, -- JSON
    is_final INTEGER,
    retry_until INTEGER,
    PRIMARY KEY (run, n)
  ) STRICT, WITHOUT ROWID;`,
  ],
};
