import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunFilter } from "../../src/engine/engine.ts";
import { claimRun } from "../../src/engine/open-workflow/sqlite-claim.ts";
import { openSqliteDatabase } from "../../src/engine/open-workflow/sqlite-database.ts";
import { SqliteQueries } from "../../src/engine/open-workflow/sqlite-queries.ts";
import { temporaryFolder } from "../support/folder.ts";
import { entriesRead } from "../support/postgres-reads.ts";
import { serverUrl } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

const workflow = "customer-feedback";
const customer = { customer_id: "C-7" };
const BY_CUSTOMER = "workflow_runs_customer (namespace_id=? AND <expr>=?";
const BY_TIME = "workflow_runs_created_at_desc_idx (namespace_id=?";
const BY_STATUS = "workflow_runs_status_created_at_desc_idx (namespace_id=? AND status=?";
const BY_WORKFLOW_AND_STATUS =
  "workflow_runs_workflow_name_status_created_at_desc_idx (namespace_id=? AND workflow_name=? AND status=?";

/** An empty database of runs, once opened by a version that lacked indexes, and how SQLite goes about what is done with it. It keeps no statistics: the plan is always this. */
async function planner(): Promise<{ database: DatabaseSync; plans: string[] }> {
  const path = join(temporaryFolder(), "runs.sqlite");
  await openSqliteDatabase(path, true).close();
  const older = new DatabaseSync(path);
  older.exec("DROP INDEX workflow_runs_customer; DROP INDEX workflow_runs_due");
  older.close();
  await openSqliteDatabase(path, true).close();
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  const prepare = database.prepare.bind(database);
  const plans: string[] = [];
  database.prepare = (sql) => {
    plans.push(
      ...prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    );
    return prepare(sql);
  };
  return { database, plans };
}

describe("on SQLite", () => {
  it.each<[RunFilter, string, sorted?: boolean]>([
    [{}, BY_TIME],
    [{ workflow }, BY_TIME],
    [
      { workflow, startedSince: new Date(), startedBefore: new Date() },
      `${BY_TIME} AND created_at>? AND created_at<?)`,
    ],
    [{ workflow, after: "run" }, `${BY_TIME} AND created_at<?)`],
    [{ input: customer }, BY_CUSTOMER],
    [{ workflow, status: "failed", input: customer }, BY_CUSTOMER],
    [{ workflow, input: customer, after: "run" }, `${BY_CUSTOMER} AND created_at<?)`],
    [{ status: "completed" }, BY_STATUS],
    [{ workflow, status: "completed" }, BY_WORKFLOW_AND_STATUS],
    [{ workflow, status: "started", after: "run" }, `${BY_WORKFLOW_AND_STATUS} AND created_at<?)`],
    [{ workflow, status: "waiting_for_approval" }, BY_WORKFLOW_AND_STATUS],
    [{ status: "processing" }, BY_STATUS, true],
    [{ workflow, status: "processing" }, BY_WORKFLOW_AND_STATUS, true],
  ])("the list %j reads by index and stops when it has enough", async (filter, index, sorted = false) => {
    const { database, plans } = await planner();
    await new SqliteQueries(database).runIds({ ...filter, limit: 10 });
    expect(plans[0]).toContain(`SEARCH workflow_runs USING INDEX ${index}`);
    expect(plans.filter((plan) => plan.startsWith("SCAN"))).toEqual([]);
    // "Last term": only runs of the same millisecond are sorted.
    expect(plans.includes("USE TEMP B-TREE FOR ORDER BY")).toBe(sorted);
  });

  it("a claim looks into the index of due times, and reads no other run", async () => {
    const { database, plans } = await planner();
    claimRun(database, { workerId: "a", leaseDurationMs: 30_000 }, new Map([[workflow, 5]]), new Map([["b", "run"]]));
    const due = "USING INDEX workflow_runs_due (namespace_id=? AND workflow_name=? AND status=? AND available_at<?)";
    expect(plans).toContain(`SEARCH workflow_runs ${due}`);
    expect(plans.filter((plan) => /^SCAN (?!(?:workflow|stage|execution) VIRTUAL)/.test(plan))).toEqual([]);
  });
});

const LISTS: RunFilter[] = [
  { workflow: "other" },
  { workflow: "other", after: "" },
  { workflow: "other", input: customer },
  { workflow: "other", status: "failed", input: customer, after: "" },
  { input: { customer_id: "nobody" } },
  { workflow: "other", status: "completed" },
  { workflow: "other", status: "waiting_for_approval" },
];

it.skipIf(!serverUrl)("on PostgreSQL, lists read few runs of many (skipped without TEST_DATABASE_URL)", async () => {
  const runs = 20_000;
  const times = 10; // Often enough for a plan that knows no values.
  const read = await entriesRead(await newDatabase(), runs, async ({ queries }) => {
    const [last = ""] = await queries.runIds({ limit: 1 });
    for (let n = 0; n < times; n++) {
      for (const list of LISTS) {
        await queries.runIds({ ...list, ...(list.after === undefined ? {} : { after: last }), limit: 10 });
      }
    }
  });
  expect(read).toBeLessThan(times * LISTS.length * 100);
});
