import postgres from "postgres";
import { expect, onTestFinished } from "vitest";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";

/**
 * How many rows and index entries the work reads, if the database holds `runs` due runs of another workflow, each with a decision.
 * @param before what the store does before they are inserted
 */
export async function entriesRead(
  url: string,
  runs: number,
  work: (store: PostgresRunStore) => Promise<void>,
  before?: (store: PostgresRunStore) => Promise<void>,
): Promise<number> {
  const store = await PostgresRunStore.open(url);
  await store.index("customer_id");
  await before?.(store);
  const sql = postgres(url, { max: 1 });
  onTestFinished(() => sql.end());
  await sql`
    WITH run AS (
      INSERT INTO abi_workflows.runs (id, workflow, key, fingerprint, input, status, priority, created_at, due_at, due_since)
      SELECT gen_random_uuid(), 'other', n, 'f', json_build_object('customer_id', 'C-' || n % 500), 'started', 0,
        moment - n * 1000, moment - 3600000, moment
      FROM generate_series(1, ${runs}::int) AS n, abi_workflows.now_ms() AS moment
      RETURNING seq, created_at
    )
    INSERT INTO abi_workflows.events (run, type, time, name, value) SELECT seq, 'decided', created_at, 'reply', 'true' FROM run`;
  // Statistics would make sessions plan their statements anew.
  if (!before) await sql`ANALYZE abi_workflows.runs`;
  const read = async (): Promise<number> => {
    const [row] = await sql<{ read: number }[]>`
      SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes) + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables))::int AS read`;
    return row!.read;
  };
  const connections = async (): Promise<number> =>
    (
      await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
    ).count;
  await sql`SELECT pg_stat_force_next_flush()`;
  const atFirst = await read();
  await work(store);
  await store.close();
  // A session's reads are counted when it ends, at the latest.
  await expect.poll(connections).toBe(0);
  return (await read()) - atFirst;
}
