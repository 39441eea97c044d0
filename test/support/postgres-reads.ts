import postgres from "postgres";
import { expect, onTestFinished } from "vitest";
import type { EngineDatabase } from "../../src/engine/open-workflow/engine-database.ts";
import { connectPostgres } from "../../src/engine/open-workflow/postgres-database.ts";

/** How many rows and index entries of the runs are read by work with a database that holds `runs` of another workflow, all due. */
export async function entriesRead(
  url: string,
  runs: number,
  work: (database: EngineDatabase) => Promise<void>,
): Promise<number> {
  const database = await connectPostgres(url);
  const sql = postgres(url, { max: 1 });
  onTestFinished(() => sql.end());
  await sql`
    INSERT INTO openworkflow.workflow_runs (namespace_id, id, workflow_name, status, config, input, attempts, available_at,
      created_at, updated_at)
    SELECT 'default', gen_random_uuid(), 'other', 'pending', '{}',
      jsonb_build_object('input', jsonb_build_object('customer_id', 'C-' || n % 500)), 0, now() - interval '1 hour',
      now() - n * interval '1 second', now()
    FROM generate_series(1, ${runs}::int) AS n`;
  await sql`ANALYZE openworkflow.workflow_runs`;
  const read = async (): Promise<number> => {
    const [row] = await sql<{ read: number }[]>`
      SELECT (sum(idx_tup_read) + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'workflow_runs'))::int AS read
      FROM pg_stat_user_indexes WHERE relname = 'workflow_runs'`;
    return row!.read;
  };
  const connections = async (): Promise<number> =>
    (
      await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
    ).count;
  await sql`SELECT pg_stat_force_next_flush()`;
  const before = await read();
  await work(database);
  await database.close();
  // What a session has read is counted at the latest when it has ended.
  await expect.poll(connections).toBe(0);
  return (await read()) - before;
}
