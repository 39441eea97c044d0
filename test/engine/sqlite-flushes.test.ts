import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { expect, it, onTestFinished, vi } from "vitest";
import type { RunStore, RunWrite } from "../../src/engine/run-store.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import { temporaryFolder } from "../support/folder.ts";

/** What `PRAGMA synchronous` says at each commit of a store, each time since the last time. */
function watchCommits(): () => string[] {
  const exec = vi.spyOn(DatabaseSync.prototype, "exec").mock;
  const run = vi.spyOn(StatementSync.prototype, "run").mock;
  let told = 0;
  return () => {
    const settings = exec.calls.map(([sql], at) => ({ at: exec.invocationCallOrder[at]!, sql }));
    const commits = run.contexts.flatMap((statement, at) =>
      (statement as StatementSync).sourceSQL === "COMMIT" ? [{ at: run.invocationCallOrder[at]!, sql: "COMMIT" }] : [],
    );
    let synchronous = "";
    const all = [...settings, ...commits]
      .toSorted((one, other) => one.at - other.at)
      .flatMap(({ sql }) => {
        synchronous = /PRAGMA synchronous = (\w+)/.exec(sql)?.[1] ?? synchronous;
        return sql === "COMMIT" ? [synchronous] : [];
      });
    const fresh = all.slice(told);
    told = all.length;
    return fresh;
  };
}

it("flushes whatever is promised, and nothing that merely begins", async () => {
  const commits = watchCommits();
  const store: RunStore = new SqliteRunStore(join(temporaryFolder(), "runs.sqlite"));
  onTestFinished(() => store.close());
  commits();
  const run = { id: "run", workflow: "w", key: "k", fingerprint: "f", inputJson: "null", priority: 0 };
  await store.write({ accepts: [run], runs: [] });
  expect(commits()).toEqual(["FULL"]);
  const takeUp = async () => {
    const { runs } = await store.takeUp({ most: 1, workflows: new Map([["w", null]]), held: [] });
    expect(commits()).toEqual(["NORMAL"]);
    return runs[0]!.hold;
  };
  const step = { step: "s", listed: true, time: 1 };
  const begin: RunWrite = { kind: "begin", ...step };
  const ends: RunWrite[][] = [
    [begin, { kind: "complete", ...step, outputJson: "1" }],
    [
      {
        kind: "fail",
        ...step,
        error: { error: "e", error_code: "c", error_type: "io_error", retriable: true },
        isFinal: false,
      },
    ],
    [{ kind: "reschedule", delayMs: 0 }],
    [{ kind: "park", subject: "s" }],
    [{ kind: "end", time: 1, outputJson: undefined }],
  ];
  let hold = await takeUp();
  await store.write({ accepts: [], runs: [{ hold, writes: [begin] }] });
  expect(commits()).toEqual(["NORMAL"]);
  for (const writes of ends) {
    const [outcome] = (await store.write({ accepts: [], runs: [{ hold, writes }] })).runs;
    expect(outcome).not.toContain("lost");
    expect([writes.at(-1)!.kind, ...commits()]).toEqual([writes.at(-1)!.kind, "FULL"]);
    if (writes[0]!.kind === "reschedule") hold = await takeUp();
    if (writes[0]!.kind !== "park") continue;
    await store.decide("run", "s", { valueJson: "1", time: 1 }, { take: true });
    expect(commits()).toEqual(["FULL"]);
    hold = await takeUp();
  }
  await store.forget("run");
  expect(commits()).toEqual(["FULL"]);
});
