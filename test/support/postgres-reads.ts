import postgres from "postgres";
import { expect, onTestFinished } from "vitest";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";

/** How many rows and index entries of the table of runs the work reads, if the table holds `runs` due runs of another workflow. */
export async function entriesRead(
  url: string,
  runs: number,
  work: (store: PostgresRunStore) => Promise<void>,
): Promise<number> {
  const store = await PostgresRunStore.open(url);
  await store.index("customer_id");
  const sql = postgres(url, { max: 1 });
  onTestFinished(() => sql.end());
  await sql`
    INSERT INTO abi_workflows.runs (id, workflow, key, fingerprint, input, status, priority, created_at, due_at, due_since)
    SELECT gen_random_uuid(), 'other', n, 'f', json_build_object('customer_id', 'C-' || n % 500), 'started', 0,
      moment - n * 1000, moment - 3600000, moment
    FROM generate_series(1, ${runs}::int) AS n, abi_workflows.now_ms() AS moment`;
  await sql`ANALYZE abi_workflows.runs`;
  const read = async (): Promise<number> => {
    const [row] = await sql<{ read: number }[]>`
      SELECT (sum(idx_tup_read) + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'runs'))::int AS read
      FROM pg_stat_user_indexes WHERE relname = 'runs'`;
    return row!.read;
  };
  const connections = async (): Promise<number> =>
    (
      await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
    ).count;
  await sql`SELECT pg_stat_force_next_flush()`;
  const before = await read();
  await work(store);
  await store.close();
  // A session's reads are counted when it ends, at the latest.
  await expect.poll(connections).toBe(0);
  return (await read()) - before;
}
