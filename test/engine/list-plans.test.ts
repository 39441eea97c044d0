import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RunQuery } from "../../src/engine/run-store.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { blocksRead } from "../support/postgres-reads.ts";
import { serverUrl } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

const workflow = "customer-feedback";
const customer = { customer_id: "C-7" };
const BY_CUSTOMER = "runs_input_customer_id (<expr>=?";
const BY_TIME = "SCAN runs USING INDEX runs_created";
const BY_STATUS = "runs_status (status=?";
const BY_WORKFLOW = "runs_workflow (workflow=?";
const BY_BOTH = "runs_workflow_status (workflow=? AND status=?";

/**
 * An empty store of runs, and a function that returns the query plans of what is done with it.
 * Without statistics, SQLite always chooses the same plan.
 */
async function planner(): Promise<{ store: SqliteRunStore; plans: () => string[] }> {
  const path = join(temporaryFolder(), "runs.sqlite");
  const store = new SqliteRunStore(path);
  onTestFinished(() => store.close());
  await store.index("customer_id");
  const prepared = vi.spyOn(DatabaseSync.prototype, "prepare");
  const plans = (): string[] => {
    const texts = prepared.mock.calls.splice(0).map(([sql]) => sql);
    using database = new DatabaseSync(path);
    const rows = texts.flatMap((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    prepared.mockClear();
    return rows.map(({ detail }) => String(detail));
  };
  return { store, plans };
}

describe("on SQLite", () => {
  it.each<[Omit<RunQuery, "limit">, string]>([
    [{}, BY_TIME],
    [{ startedSince: 1, after: "run" }, "runs_created (created_at>? AND created_at<?)"],
    [{ workflow }, `${BY_WORKFLOW})`],
    [{ workflow, startedSince: 1, startedBefore: 2 }, `${BY_WORKFLOW} AND created_at>? AND created_at<?)`],
    [{ workflow, after: "run" }, `${BY_WORKFLOW} AND created_at<?)`],
    [{ input: customer }, `${BY_CUSTOMER})`],
    [{ workflow, status: "failed", input: customer }, `${BY_CUSTOMER})`],
    [{ workflow, input: customer, after: "run" }, `${BY_CUSTOMER} AND created_at<?)`],
    [{ status: "completed" }, `${BY_STATUS})`],
    [{ workflow, status: "completed" }, `${BY_BOTH})`],
    [{ workflow, status: "started", after: "run" }, `${BY_BOTH} AND created_at<?)`],
    [{ status: "waiting_for_approval" }, `${BY_STATUS})`],
    [{ status: "waiting_for_approval", order: "oldest", after: "run" }, `${BY_STATUS} AND created_at>?)`],
    [{ workflow, order: "oldest", after: "run" }, `${BY_WORKFLOW} AND created_at>?)`],
    [{ status: "processing" }, `${BY_STATUS})`],
  ])("the list %j is read by index, and reading stops when it is long enough", async (filter, index) => {
    const { store, plans } = await planner();
    await store.find({ ...filter, limit: 10 });
    const planned = plans();
    expect(planned[0]).toContain(index);
    expect(planned.filter((plan) => plan.startsWith("SCAN") && plan !== BY_TIME)).toEqual([]);
    // "Last term": only runs of the same millisecond are sorted.
    expect(planned).not.toContain("USE TEMP B-TREE FOR ORDER BY");
  });

  it("due runs are found by index, and no other run is read", async () => {
    const { store, plans } = await planner();
    const run = { id: "run", workflow, key: "k", fingerprint: "f", inputJson: "null", priority: 0 };
    const later = { ...run, id: "later", key: "later", availableAt: Date.now() + 60_000 };
    await store.write({ accepts: [run, later], runs: [] });
    plans();
    await store.claim({ most: 5, workflows: new Map([[workflow, 5]]), held: [] });
    const due = "SEARCH runs USING COVERING INDEX runs_due (workflow=? AND priority";
    expect(plans()).toEqual([`${due}<?)`, "SEARCH runs USING INTEGER PRIMARY KEY (rowid=?)"]);
  });

  it("runs are counted in an index", async () => {
    const { store, plans } = await planner();
    await store.counts();
    expect(plans()[0]).toBe("SCAN runs USING COVERING INDEX runs_workflow_status");
  });
});

const LISTS: Omit<RunQuery, "limit">[] = [
  { workflow: "other" },
  { workflow: "none" },
  { workflow: "other", after: "" },
  { workflow: "other", input: customer },
  { workflow: "other", status: "failed", input: customer, after: "" },
  { input: { customer_id: "nobody" } },
  { status: "completed" },
  { workflow: "other", status: "completed" },
  { workflow: "other", status: "waiting_for_approval" },
  { status: "waiting_for_approval", order: "oldest" },
  { workflow: "other", order: "oldest" },
];

it.skipIf(!serverUrl)("on PostgreSQL, lists read few runs of many (skipped without TEST_DATABASE_URL)", async () => {
  const times = 10; // Often enough for PostgreSQL to choose a generic plan.
  const read = await blocksRead(await newDatabase(), 20_000, async (store) => {
    const [last] = await store.find({ limit: 1 });
    for (let n = 0; n < times; n++) {
      for (const list of LISTS) {
        await store.find({ ...list, ...(list.after === undefined ? {} : { after: last!.run.id }), limit: 10 });
      }
    }
  });
  expect(read).toBeLessThan(times * LISTS.length * 40);
});
