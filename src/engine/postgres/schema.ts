import { ValidationError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { PostgresConnections } from "./connections.ts";
import { MIGRATIONS } from "./migrations.ts";

/** For the locks that creating tables takes: while it waits for one, all writers wait behind it. */
const LOCK_TIMEOUT = "10s";

const IS_THERE = "SELECT to_regclass('abi_workflows.migrations') IS NOT NULL AS is_there";

async function versionOf(query: PostgresConnections["query"]): Promise<number> {
  const [table] = await query<{ is_there: boolean }>(IS_THERE);
  if (!table!.is_there) return 0;
  const [row] = await query<{ version: number }>(
    "SELECT coalesce(max(version), 0) AS version FROM abi_workflows.migrations",
  );
  return row!.version;
}

/**
 * Creates missing tables, one process at a time. Where none is missing it takes no lock: it would wait for all writers, and everybody
 * else would wait behind it.
 * @throws ValidationError (`engine_unreadable`) if a newer version has created them
 */
export async function migrate(connections: PostgresConnections, logger: Logger): Promise<void> {
  if ((await known(connections.query)) === MIGRATIONS.length) return;
  const session = await connections.openSession();
  const query: PostgresConnections["query"] = async (text) => (await session.query<never>(text)).rows;
  try {
    await query(`BEGIN; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}';
      SELECT pg_advisory_xact_lock(hashtextextended('abi-workflows/migrations', 0))`);
    // Another process may have done it in the meantime.
    const version = await known(query);
    if (version === MIGRATIONS.length) return;
    if (version === 0) {
      if (await hasOlderRuns(query)) {
        logger.warn(
          "the schema openworkflow has runs of an earlier build, which are not carried over: submit those again that had not ended",
        );
      }
      // IF NOT EXISTS would require the right to create one even where it exists.
      const [schema] = await query<{ is_there: boolean }>(
        "SELECT to_regnamespace('abi_workflows') IS NOT NULL AS is_there",
      );
      if (!schema!.is_there) await query("CREATE SCHEMA abi_workflows");
      await query(
        "CREATE TABLE abi_workflows.migrations (version integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now())",
      );
    }
    for (let next = version; next < MIGRATIONS.length; next++) {
      await query(`${MIGRATIONS[next]!}; INSERT INTO abi_workflows.migrations VALUES (${next + 1})`);
    }
    await query("COMMIT");
  } finally {
    await session.end();
  }
}

async function known(query: PostgresConnections["query"]): Promise<number> {
  const version = await versionOf(query);
  if (version <= MIGRATIONS.length) return version;
  throw new ValidationError(
    "The runs in the PostgreSQL database were written by a newer version of abi-workflows. Use that version.",
    {
      code: "engine_unreadable",
    },
  );
}

async function hasOlderRuns(query: PostgresConnections["query"]): Promise<boolean> {
  const [older] = await query<{ readable: boolean | null }>(
    `SELECT has_table_privilege(oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE') AS readable
     FROM pg_class WHERE relname = 'workflow_runs' AND relnamespace = to_regnamespace('openworkflow')`,
  );
  if (!older?.readable) return false;
  const [run] = await query("SELECT FROM openworkflow.workflow_runs LIMIT 1");
  return run !== undefined;
}
