import { join } from "node:path";
import { pino } from "pino";
import postgres from "postgres";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";
import { IoError } from "../../src/errors.ts";
import { feedback, startFeedback, values } from "../support/feedback.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

const HOUR = 3_600_000;

/** Only Date changes: timers continue, as when someone sets a machine's clock. */
function setClock(offsetMs: number): void {
  const now = Date.now() + offsetMs;
  vi.useFakeTimers({ toFake: ["Date"], now, shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
}

const submission = { key: "k", fingerprint: "f", input: null };

/**
 * An engine with a step that fails this many times, and a promise that resolves when its run waits
 * for the next attempt.
 */
async function openTroubled(place: string, failures: number) {
  const rescheduled = Promise.withResolvers<void>();
  const write = (line: string): void => void (line.includes("a run is rescheduled") && rescheduled.resolve());
  const retry = { attempts: 3, initialDelayMs: 300, maximumDelayMs: 300 };
  const options = { retry, logger: pino({ level: "info" }, { write }) };
  const engine = place.startsWith("postgres:")
    ? await DurableEngine.connect(place, options)
    : new DurableEngine({ ...options, path: place });
  onTestFinished(() => engine.close());
  let left = failures;
  engine.register("troubled", (_, { step }) =>
    step("only", () => {
      if (left-- > 0) throw new IoError("away");
      return "done";
    }),
  );
  engine.register("later", async () => "begun");
  return { engine, rescheduled: rescheduled.promise };
}

/**
 * The attempts at a step that always fails, in a run that is then submitted again; `meanwhile` is
 * called in the second attempt after that.
 */
async function attemptsMade(place: string, meanwhile: () => unknown): Promise<number[]> {
  const retry = { attempts: 3, initialDelayMs: 50, maximumDelayMs: 100 };
  const engine = place.startsWith("postgres:")
    ? await DurableEngine.connect(place, { retry })
    : new DurableEngine({ path: place, retry });
  onTestFinished(() => engine.close());
  const attempts: number[] = [];
  engine.onStep(({ phase, attempt }) => void (phase === "failed" && attempts.push(attempt)));
  engine.register("hopeless", (_, { step }) =>
    step("only", async () => {
      if (attempts.length === 4) await meanwhile();
      throw new IoError("away");
    }),
  );
  const { id } = await engine.start("hopeless", submission);
  expect(await engine.wait(id)).toMatchObject({ status: "failed" });
  await engine.retry(id);
  expect(await engine.wait(id)).toMatchObject({ status: "failed" });
  return attempts;
}

describe("when the clock jumps", () => {
  it("ahead and back, no customer gets more emails than the cap, and every run ends", async () => {
    let now = Date.parse("2026-05-05T12:00:00Z");
    const responseCap = { responses: 2, minutes: 60 };
    const { workflow, mails, ontologyStore } = await startFeedback({ responseCap, clock: () => new Date(now) });
    let count = 0;
    const answered = async (): Promise<boolean> => {
      const result = await workflow.run(feedback({ feedback_id: `F-${++count}` }));
      expect(result.success).toBe(true);
      return result.response_id !== undefined;
    };
    expect([await answered(), await answered(), await answered()]).toEqual([true, true, false]);
    now += 2 * HOUR;
    expect([await answered(), await answered(), await answered()]).toEqual([true, true, false]);
    // Times in the future count as just now: rather too few emails than too many.
    now -= 5 * HOUR;
    expect(await answered()).toBe(false);
    now += 5 * HOUR;
    expect(await answered()).toBe(false);
    now += 2 * HOUR;
    expect(await answered()).toBe(true);
    expect(mails.mails).toHaveLength(5);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toHaveLength(count);
  });

  it("an hour ahead while an email is being sent, no second worker sends the email", async () => {
    const { workflow, engine, mails } = await startFeedback();
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    mails.script("data", { after: answer });
    const arrived = mails.reached("data");
    const id = await workflow.startWorkflow(feedback());
    await arrived;
    setClock(HOUR);
    // Other runs make the engine poll for due runs.
    for (const feedback_id of ["F-2", "F-3"]) {
      expect(await workflow.run(feedback({ feedback_id }))).toMatchObject({ success: true });
    }
    resolve();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    const attempts = (await workflow.getWorkflowHistory(id)).filter(({ step }) => step === "response_sent");
    expect(attempts.map(({ status }) => status)).toEqual(["completed"]);
    expect(mails.mails).toHaveLength(3);
  });

  it("an hour back, a run that waits for its retry continues, and a delayed start stays delayed", async () => {
    const { engine, rescheduled } = await openTroubled(":memory:", 2);
    const availableAt = new Date(Date.now() + HOUR / 2);
    const { id: later } = await engine.start("later", { ...submission, availableAt });
    const { id } = await engine.start("troubled", submission);
    await rescheduled;
    setClock(-HOUR);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "done" });
    expect(await engine.get(later)).toMatchObject({ status: "started" });
  });

  it("an hour back after a run was submitted again, it is not retried more often", async () => {
    expect(await attemptsMade(":memory:", () => setClock(-HOUR))).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it("an hour back between two processes, runs that wait for a retry or were just submitted continue in the second", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const { engine: first, rescheduled } = await openTroubled(path, 1);
    const { id } = await first.start("troubled", submission);
    await rescheduled;
    await first.close();
    const starter = new DurableEngine({ path, worker: false });
    const { id: submitted } = await starter.start("later", submission);
    await starter.close();
    setClock(-HOUR);
    const { engine: second } = await openTroubled(path, 1);
    second.startWorker();
    expect(await second.wait(id)).toMatchObject({ status: "completed", output: "done" });
    expect(await second.wait(submitted)).toMatchObject({ status: "completed", output: "begun" });
  });
});

describe.skipIf(!serverUrl)("on a PostgreSQL server (skipped without TEST_DATABASE_URL)", () => {
  it("whose clock is an hour behind a worker's, a run does not wait longer for its retry", async () => {
    const { engine } = await openTroubled(await newDatabase(), 2);
    setClock(HOUR);
    const { id } = await engine.start("troubled", submission);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "done" });
  });

  it("whose clock is an hour behind a worker's, the due time of a retry uses the server's clock at once", async () => {
    const url = await newDatabase();
    const { engine } = await openTroubled(url, 2);
    await statement(
      url,
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'corrected afterwards'; END $$;
       CREATE TRIGGER refuse BEFORE UPDATE OF due_at ON abi_workflows.runs
       FOR EACH ROW WHEN (NEW.due_at > abi_workflows.now_ms() + 60000) EXECUTE FUNCTION refuse()`,
    );
    setClock(HOUR);
    const { id } = await engine.start("troubled", submission);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "done" });
  });

  it("whose clock was set back by an hour, waiting and submitted runs continue, delayed starts stay delayed, and no lease lasts longer than a new one", async () => {
    const url = await newDatabase();
    const { engine: first, rescheduled } = await openTroubled(url, 1);
    const { id } = await first.start("troubled", submission);
    await rescheduled;
    await first.close();
    const starter = await DurableEngine.connect(url, { worker: false });
    onTestFinished(() => starter.close());
    const { id: submitted } = await starter.start("later", submission);
    const availableAt = new Date(Date.now() + HOUR / 2);
    const { id: later } = await starter.start("later", { ...submission, key: "later", availableAt });
    const { id: held } = await starter.start("held", submission);
    const dead = await PostgresRunStore.open(url);
    await dead.claim({ most: 1, workflows: new Map([["held", 1]]), held: [] });
    await dead.close();
    // As a worker leaves them.
    await statement(
      url,
      `UPDATE abi_workflows.runs
       SET due_at = due_at + ${HOUR}, due_since = due_since + ${HOUR}, lease_ends_at = lease_ends_at + ${HOUR}`,
    );
    const { engine: second } = await openTroubled(url, 0);
    second.startWorker();
    expect(await second.wait(id)).toMatchObject({ status: "completed", output: "done" });
    expect(await second.wait(submitted)).toMatchObject({ status: "completed", output: "begun" });
    expect(await second.get(later)).toMatchObject({ status: "started" });
    const sql = postgres(url, { max: 1 });
    onTestFinished(() => sql.end());
    const lease = sql`SELECT lease_ends_at <= abi_workflows.now_ms() + 5000 AS short FROM abi_workflows.runs
      WHERE id = ${held.slice("workflow-".length)}`;
    expect(await lease).toEqual([{ short: true }]);
  });

  it("whose clock was set back by an hour after a run was submitted again, it is not retried more often", async () => {
    const url = await newDatabase();
    const ahead = () =>
      statement(
        url,
        `UPDATE abi_workflows.events SET time = time + ${HOUR};
         UPDATE abi_workflows.runs SET resumed_at = resumed_at + ${HOUR}`,
      );
    expect(await attemptsMade(url, ahead)).toEqual([1, 2, 3, 1, 2, 3]);
  });

  /** A store, and one that has started runs of these workflows. */
  async function withRuns(...workflows: readonly string[]) {
    const url = await newDatabase();
    const store = await PostgresRunStore.open(url);
    const starter = await DurableEngine.connect(url, { worker: false });
    const sql = postgres(url, { max: 1 });
    onTestFinished(async () => void (await Promise.all([store.close(), starter.close(), sql.end()])));
    const ids: string[] = [];
    for (const [key, workflow] of workflows.entries()) {
      ids.push((await starter.start(workflow, { ...submission, key: `${key}` })).id);
    }
    const claim = async (workflow: string) =>
      (await store.claim({ most: 1, workflows: new Map([[workflow, 1]]), held: [] })).runs;
    return { sql, ids, claim };
  }

  it("whose clock was set back while runs were submitted, due runs get no lease, and held ones don't become due", async () => {
    const { sql, ids, claim } = await withRuns("single", "single", "single");
    const [held] = await claim("single");
    await sql`UPDATE abi_workflows.runs
      SET due_at = due_at + ${HOUR}, due_since = due_since + ${HOUR}, lease_ends_at = lease_ends_at + ${HOUR}`;
    await sql`SELECT abi_workflows.follow_clock()`;
    const states =
      await sql`SELECT due_at <= abi_workflows.now_ms() AS is_due, due_since <= abi_workflows.now_ms() AS is_past,
      lease_ends_at IS NOT NULL AS is_held FROM abi_workflows.runs ORDER BY seq`;
    expect(`workflow-${held!.run.id}`).toBe(ids[0]);
    expect([...states]).toEqual([
      { is_due: null, is_past: null, is_held: true },
      { is_due: true, is_past: true, is_held: false },
      { is_due: true, is_past: true, is_held: false },
    ]);
  });

  it("whose clock was set back by an hour, a worker that has ended leaves its turn to others", async () => {
    const { sql, claim } = await withRuns("single");
    await sql`INSERT INTO abi_workflows.waiting_workers
      SELECT 'single', 'ended', moment - 60000, moment + ${HOUR} FROM abi_workflows.now_ms() AS moment`;
    expect(await claim("single")).toHaveLength(1);
    expect(await sql`SELECT worker FROM abi_workflows.waiting_workers`).toEqual([]);
  });

  it("whose clock was set back to before its start, leases still expire, but not while they could not be renewed", async () => {
    const { sql, ids, claim } = await withRuns("held");
    expect(await claim("held")).toHaveLength(1);
    await sql`UPDATE abi_workflows.runs SET lease_ends_at = 0`;
    const claimed = async (started: string) => {
      const [row] = await sql<{ runs: { id: string }[] | null }[]>`
        SELECT abi_workflows.claim('b', 1, '{"held": 1}', '{}', '{}', now() + ${started}::interval) -> 'runs' AS runs`;
      return row!.runs?.map(({ id }) => `workflow-${id}`);
    };
    expect(await claimed("-2 seconds")).toBeUndefined();
    expect(await claimed("1 hour")).toEqual(ids);
  });

  it("whose clock was set back by an hour, a worker that waits for a slot is not overtaken by later ones", async () => {
    const { sql, claim } = await withRuns("single", "single");
    expect(await claim("single")).toHaveLength(1);
    expect(await claim("single")).toEqual([]);
    await sql`UPDATE abi_workflows.waiting_workers SET since = since + ${HOUR}, asked_at = asked_at + ${HOUR}`;
    await claim("single");
    const standing = sql`SELECT since <= abi_workflows.now_ms() AND asked_at <= abi_workflows.now_ms() AS past
      FROM abi_workflows.waiting_workers`;
    expect(await standing).toEqual([{ past: true }]);
  });
});
