import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { attemptsOf } from "../../src/engine/attempts.ts";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";
import type { Batch, EventRecord, Hold, RunWrite, WriteOutcome } from "../../src/engine/run-store.ts";
import { toWireError, UnexpectedError } from "../../src/errors.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { newDatabase } from "../support/test-database.ts";

const time = Date.now();
const error = toWireError(new UnexpectedError(undefined));
const begin: RunWrite = { kind: "begin", step: "first", listed: true, time, isFlushed: false };
const complete: RunWrite = { kind: "complete", step: "first", listed: true, time, outputJson: "null", isFlushed: true };
const fail: RunWrite = { kind: "fail", step: "first", listed: true, time, error, isFinal: false };
const end: RunWrite = { kind: "end", time, outputJson: undefined };
const next: RunWrite = { kind: "begin", step: "next", listed: false, time, isFlushed: false };
const park: RunWrite = { kind: "park", subject: "draft" };
const reschedule: RunWrite = { kind: "reschedule", delayMs: 60_000 };

const NOT_CLAIMED = `UPDATE abi_workflows.runs
  SET status = 'started', epoch = 0, due_at = created_at, due_since = created_at, lease_ends_at = NULL`;

const newRun = () => {
  const id = randomUUID();
  return { id, workflow: "echo", key: id, fingerprint: "f", inputJson: "null", priority: 0 };
};

/** A store that can lose its database's answers, and another one that doesn't. */
async function openBoth() {
  const direct = new URL(await newDatabase());
  const proxy = await startTcpProxy(Number(direct.port || 5432));
  const through = new URL(direct);
  through.port = String(proxy.port);
  const store = await PostgresRunStore.open(through.href);
  const other = await PostgresRunStore.open(direct.href);
  onTestFinished(async () => void (await Promise.all([store.close(), other.close()])));
  const writtenButUnanswered = async (batch: Batch, isWritten: () => Promise<boolean>): Promise<void> => {
    proxy.loseAnswers();
    const lost = store.write(batch);
    lost.catch(() => {});
    await expect.poll(isWritten).toBe(true);
    proxy.cut();
    await expect(lost).rejects.toThrow("Connection terminated");
    proxy.mend();
  };
  const claimedRun = async (): Promise<{ id: string; hold: Hold }> => {
    const run = newRun();
    await other.write({ accepts: [run], runs: [] });
    const { runs } = await store.claim({ most: 1, workflows: new Map([["echo", null]]), held: [] });
    expect(runs.map((claimed) => claimed.run.id)).toEqual([run.id]);
    return { id: run.id, hold: runs[0]!.hold };
  };
  return { url: direct.href, store, other, writtenButUnanswered, claimedRun };
}

const names = (events: readonly EventRecord[]): string[] =>
  events.map(({ type, name }) => (name === null ? type : `${type} ${name}`));

describe.skipIf(!serverUrl)("a write whose answer was lost (skipped without TEST_DATABASE_URL)", () => {
  it.each<[string, RunWrite[], RunWrite[], WriteOutcome[], string[]]>([
    ["a step that begins", [begin], [], ["done"], ["step_started first"]],
    [
      "a step that begins, and what came after it",
      [begin],
      [complete, next],
      ["done", "done", "done"],
      ["step_started first", "step_completed first", "step_started next"],
    ],
    ["a result", [begin, complete], [], ["done", "done"], ["step_started first", "step_completed first"]],
    [
      "a failure, and the wait for the next try",
      [begin, fail, reschedule],
      [],
      ["done", "done", "done"],
      ["step_started first", "step_failed first"],
    ],
    [
      "an end",
      [begin, complete, end],
      [],
      ["done", "done", "done"],
      ["step_started first", "step_completed first", "completed"],
    ],
    ["a failed end", [{ kind: "end", time, error }], [], ["done"], ["failed"]],
    ["a wait for a person", [park], [], ["done"], ["waiting draft"]],
    ["what comes behind an end", [end, complete], [], ["done", "lost"], ["completed"]],
  ])("is stored once: %s", async (_, first, later, outcomes, events) => {
    const { store, other, writtenButUnanswered, claimedRun } = await openBoth();
    const { id, hold } = await claimedRun();
    const releases = first.some(({ kind }) => kind === "end" || kind === "park" || kind === "reschedule");
    await writtenButUnanswered({ accepts: [], runs: [{ hold, writes: first }] }, async () => {
      const seen = await other.byId(id);
      return seen!.events.length > 0 && (!releases || seen!.run.status !== "processing" || seen!.run.dueAt !== null);
    });
    const again = { accepts: [], runs: [{ hold, writes: [...first, ...later] }] };
    expect((await store.write(again)).runs).toEqual([outcomes]);
    expect(names((await other.byId(id))!.events)).toEqual(events);
    expect((await other.byId(id))!.events.map(({ n }) => n)).toEqual(events.map((_, index) => index + 1));
  });

  it("begins no step of a cancelled run, and cancels the run once", async () => {
    const { store, other, writtenButUnanswered, claimedRun } = await openBoth();
    const { id, hold } = await claimedRun();
    expect(await other.cancel(id)).toBe("requested");
    expect((await store.write({ accepts: [], runs: [{ hold, writes: [begin] }] })).runs).toEqual([["cancelled"]]);
    const batch = { accepts: [], runs: [{ hold, writes: [reschedule] }] };
    await writtenButUnanswered(batch, async () => (await other.byId(id))!.run.status === "cancelled");
    expect((await store.write(batch)).runs).toEqual([["cancelled"]]);
    expect(names((await other.byId(id))!.events)).toEqual(["cancelled"]);
  });

  it("creates an accepted run once, and tells its caller that it was created", async () => {
    const { store, other, writtenButUnanswered } = await openBoth();
    const run = newRun();
    await writtenButUnanswered({ accepts: [run], runs: [] }, async () => (await other.byId(run.id)) !== undefined);
    expect((await store.write({ accepts: [run], runs: [] })).accepts).toEqual([{ id: run.id, outcome: "created" }]);
  });

  it("is lost if another process has claimed the run since; that process's work counts", async () => {
    const { store, other, writtenButUnanswered, claimedRun } = await openBoth();
    const { id, hold } = await claimedRun();
    const batch = { accepts: [], runs: [{ hold, writes: [begin, { ...reschedule, delayMs: 0 }] }] };
    await writtenButUnanswered(batch, async () => (await other.byId(id))!.run.dueAt !== null);
    const { runs } = await other.claim({ most: 1, workflows: new Map([["echo", null]]), held: [] });
    await other.write({ accepts: [], runs: [{ hold: runs[0]!.hold, writes: [begin, complete, end] }] });
    expect((await store.write(batch)).runs).toEqual([["lost", "lost"]]);
    expect(names((await other.byId(id))!.events)).toEqual([
      "step_started first",
      "step_started first",
      "step_completed first",
      "completed",
    ]);
  });

  it("takes effect for each run separately, in whatever order the runs come", async () => {
    const { store, other, claimedRun } = await openBoth();
    const [one, two, three] = [await claimedRun(), await claimedRun(), await claimedRun()];
    const stale = { ...two.hold, epoch: two.hold.epoch - 1 };
    const page = (hold: Hold, ...writes: RunWrite[]) => ({ hold, writes });
    const runs = [page(three.hold, begin), page(stale, begin, end), page(one.hold, begin, complete, end)];
    expect((await store.write({ accepts: [], runs })).runs).toEqual([
      ["done"],
      ["lost", "lost"],
      ["done", "done", "done"],
    ]);
    expect((await other.byId(two.id))!.events).toEqual([]);
    expect((await other.byId(one.id))!.run.status).toBe("completed");
  });

  it("restores, with the next write, a claim that a crash of the server lost", async () => {
    const { url, store, other, claimedRun } = await openBoth();
    const { id, hold } = await claimedRun();
    await store.write({ accepts: [], runs: [{ hold, writes: [begin] }] });
    await statement(url, `DELETE FROM abi_workflows.events; ${NOT_CLAIMED}`);
    // The process that executes a run does not claim it a second time.
    const request = { most: 1, workflows: new Map([["echo", null]]), held: [hold] };
    expect((await store.claim(request)).runs).toEqual([]);
    expect((await store.write({ accepts: [], runs: [{ hold, writes: [complete, next] }] })).runs).toEqual([
      ["done", "done"],
    ]);
    expect((await other.claim({ ...request, held: [] })).runs).toEqual([]);
    const { events } = (await other.byId(id))!;
    expect(names(events)).toEqual(["step_started first", "step_completed first", "step_started next"]);
    expect(attemptsOf(events).map(({ step, status }) => `${step} ${status}`)).toEqual([
      "first completed",
      "next running",
    ]);
  });

  it("restores, with the next write, the results that a crash of the server lost", async () => {
    const { url, store, other, claimedRun } = await openBoth();
    const { id, hold } = await claimedRun();
    const page = (...writes: RunWrite[]): Batch => ({ accepts: [], runs: [{ hold, writes }] });
    await store.write(page(begin, { ...complete, outputJson: '"one"' }, { ...begin, step: "second" }));
    await store.write(page({ ...complete, step: "second", outputJson: '"two"', isFlushed: false }, next));
    // The first page was flushed, because a result in it had to be.
    await statement(url, `DELETE FROM abi_workflows.events WHERE n > 3; ${NOT_CLAIMED}`);
    const send: RunWrite = { ...begin, step: "send", isFlushed: true };
    const rest = page({ ...complete, step: "next", listed: false }, send);
    expect((await store.write(rest)).runs).toEqual([["done", "done"]]);
    expect((await store.write(page({ ...complete, step: "send" }, end))).runs).toEqual([["done", "done"]]);
    const { run, events } = (await other.byId(id))!;
    expect(run.status).toBe("completed");
    expect(names(events)).toEqual([
      "step_started first",
      "step_completed first",
      "step_started second",
      "step_completed second",
      "step_started next",
      "step_completed next",
      "step_started send",
      "step_completed send",
      "completed",
    ]);
  });

  it("is lost if a crash of the server lost the claim and another process was faster", async () => {
    const { url, store, other, claimedRun } = await openBoth();
    const { id, hold } = await claimedRun();
    await statement(url, NOT_CLAIMED);
    const { runs } = await other.claim({ most: 1, workflows: new Map([["echo", null]]), held: [] });
    expect(runs).toHaveLength(1);
    expect((await store.write({ accepts: [], runs: [{ hold, writes: [begin, complete] }] })).runs).toEqual([
      ["lost", "lost"],
    ]);
    expect((await other.byId(id))!.events).toEqual([]);
  });
});
