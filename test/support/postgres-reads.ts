import postgres from "postgres";
import { expect, onTestFinished } from "vitest";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";

interface Circumstances {
  /** How many completed runs the tables held when they were last analyzed; default none. */
  readonly history?: number;
  /** What the store does before the due runs are inserted, so that its sessions have plans. */
  readonly before?: (store: PostgresRunStore) => Promise<void>;
}

/**
 * How many blocks of tables and indexes the work reads, if the database holds `due` due runs of another workflow, each with a
 * decision.
 */
export async function blocksRead(
  url: string,
  due: number,
  work: (store: PostgresRunStore) => Promise<void>,
  { history = 0, before }: Circumstances = {},
): Promise<number> {
  const store = await PostgresRunStore.open(url);
  await store.index("customer_id");
  const sql = postgres(url, { max: 1 });
  onTestFinished(() => sql.end());
  if (history > 0) {
    await sql`
      WITH run AS (
        INSERT INTO abi_workflows.runs (id, workflow, key, fingerprint, input, status, priority, created_at, ended_at)
        SELECT gen_random_uuid(), 'mine', 'old-' || n, 'f', '{}', 'completed', 0, n, n FROM generate_series(1, ${history}::int) AS n
        RETURNING seq
      )
      INSERT INTO abi_workflows.events (run, type, time) SELECT seq, 'completed', 1 FROM run`;
    await sql`VACUUM ANALYZE abi_workflows.runs, abi_workflows.events`;
  }
  await before?.(store);
  await sql`
    WITH run AS (
      INSERT INTO abi_workflows.runs (id, workflow, key, fingerprint, input, status, priority, created_at, due_at, due_since)
      SELECT gen_random_uuid(), 'other', n, 'f', json_build_object('customer_id', 'C-' || n % 500), 'started', 0,
        moment - n * 1000, moment - 3600000, moment
      FROM generate_series(1, ${due}::int) AS n, abi_workflows.now_ms() AS moment
      RETURNING seq, created_at
    )
    INSERT INTO abi_workflows.events (run, type, time, name, value) SELECT seq, 'decided', created_at, 'reply', 'true' FROM run`;
  // Statistics would make sessions plan their statements anew.
  if (!before) await sql`ANALYZE abi_workflows.runs`;
  const read = async (): Promise<number> => {
    const [row] = await sql<{ read: number }[]>`
      SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0))::int AS read FROM pg_statio_user_tables`;
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
