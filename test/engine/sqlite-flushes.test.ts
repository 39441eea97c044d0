import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { RunStore, RunWrite } from "../../src/engine/run-store.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { FLUSH_RETRY } from "../../src/retry-policies.ts";
import { watchCommits } from "../support/sqlite-commits.ts";

const NEW_RUN = { id: "run", workflow: "w", key: "k", fingerprint: "f", inputJson: "null", priority: 0 };

it("flushes everything that it promises, and nothing that only begins work", async () => {
  const { taken } = watchCommits();
  const store: RunStore = new SqliteRunStore(join(temporaryFolder(), "runs.sqlite"));
  onTestFinished(() => store.close());
  taken();
  await store.write({ accepts: [NEW_RUN], runs: [] });
  expect(taken()).toEqual(["commit", "flush"]);
  const claim = async () => {
    const { runs } = await store.claim({ most: 1, workflows: new Map([["w", null]]), held: [] });
    expect(taken()).toEqual(["commit"]);
    return runs[0]!.hold;
  };
  const step = { step: "s", listed: true, time: 1 };
  const begin: RunWrite = { kind: "begin", ...step, isFlushed: false };
  const ends: RunWrite[][] = [
    [begin, { kind: "complete", ...step, outputJson: "1", isFlushed: true }],
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
  let hold = await claim();
  await store.write({ accepts: [], runs: [{ hold, writes: [begin] }] });
  expect(taken()).toEqual(["commit"]);
  const complete: RunWrite = { kind: "complete", ...step, outputJson: "1", isFlushed: false };
  await store.write({ accepts: [], runs: [{ hold, writes: [complete, { ...begin, step: "next" }] }] });
  expect(taken()).toEqual(["commit"]);
  await store.write({ accepts: [], runs: [{ hold, writes: [{ ...begin, step: "after it", isFlushed: true }] }] });
  expect(taken()).toEqual(["commit", "flush"]);
  for (const writes of ends) {
    const [outcome] = (await store.write({ accepts: [], runs: [{ hold, writes }] })).runs;
    expect(outcome).not.toContain("lost");
    expect([writes.at(-1)!.kind, ...taken()]).toEqual([writes.at(-1)!.kind, "commit", "flush"]);
    if (writes[0]!.kind === "reschedule") hold = await claim();
    if (writes[0]!.kind !== "park") continue;
    await store.decide("run", "s", { valueJson: "1", time: 1 }, { take: true });
    expect(taken()).toEqual(["commit", "flush"]);
    hold = await claim();
  }
  await store.forget("run");
  expect(taken()).toEqual(["commit", "flush"]);
});

it("trusts no flush of the log after one has failed until the whole log is in the file", async () => {
  const { taken, failNextFlush } = watchCommits();
  const store: RunStore = new SqliteRunStore(join(temporaryFolder(), "runs.sqlite"));
  onTestFinished(() => store.close());
  taken();
  failNextFlush();
  await store.write({ accepts: [NEW_RUN], runs: [] });
  expect(taken()).toEqual(["commit", "checkpoint"]);
  await store.forget("run");
  expect(taken()).toEqual(["commit", "flush"]);
});

it("writes a batch only once whose flush has failed for so long that the engine repeats it", async () => {
  const { failNextFlush } = watchCommits();
  const store: RunStore = new SqliteRunStore(join(temporaryFolder(), "runs.sqlite"));
  onTestFinished(() => store.close());
  await store.write({ accepts: [NEW_RUN], runs: [] });
  const { runs } = await store.claim({ most: 1, workflows: new Map([["w", null]]), held: [] });
  const { hold } = runs[0]!;
  const step = { step: "s", listed: true, time: 1 };
  const writes: RunWrite[] = [
    { kind: "begin", ...step, isFlushed: false },
    { kind: "complete", ...step, outputJson: "1", isFlushed: true },
  ];
  const end: RunWrite = { kind: "end", time: 1, outputJson: undefined };
  const written = (...of: RunWrite[]) => store.write({ accepts: [], runs: [{ hold, writes: of }] });
  for (const batch of [writes, [...writes, end]]) {
    failNextFlush(FLUSH_RETRY.attempts + 1);
    await expect(written(...batch)).rejects.toThrow("EIO");
  }
  expect((await written(...writes, end)).runs).toEqual([["done", "done", "done"]]);
  const { run, events } = (await store.byId("run"))!;
  expect(run.status).toBe("completed");
  expect(events.map(({ type }) => type)).toEqual(["step_started", "step_completed", "completed"]);
});

it("writes a page of any length", async () => {
  const store: RunStore = new SqliteRunStore(":memory:");
  onTestFinished(() => store.close());
  await store.write({ accepts: [NEW_RUN], runs: [] });
  const { runs } = await store.claim({ most: 1, workflows: new Map([["w", null]]), held: [] });
  const { hold } = runs[0]!;
  const names = Array.from({ length: 50 }, (_, n) => `s${n}`);
  const writes = names.map((step): RunWrite => ({ kind: "begin", step, listed: true, time: 1, isFlushed: false }));
  const page = { accepts: [], runs: [{ hold, writes }] };
  expect((await store.write(page)).runs).toEqual([writes.map(() => "done")]);
  expect((await store.byId("run"))!.events.map(({ name }) => name)).toEqual(names);
  const stale = { accepts: [], runs: [{ hold: { ...hold, epoch: hold.epoch - 1 }, writes }] };
  expect((await store.write(stale)).runs).toEqual([writes.map(() => "lost")]);
});
