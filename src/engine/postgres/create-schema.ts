import { ValidationError } from "../../errors.ts";
import type { PostgresConnections } from "./connections.ts";
import { FUNCTIONS, TABLES } from "./schema.ts";

/**
 * Raise this with every change of the schema. A published version needs a migration to the next.
 */
const VERSION = 3;

/**
 * How long to wait for each lock that creating tables takes. Meanwhile, all writers wait behind it.
 */
const LOCK_TIMEOUT = "10s";

type Query = PostgresConnections["query"];

/**
 * Creates the schema, its tables and functions if they are missing, one process at a time. If they
 * exist, it takes no lock, because the lock would have to wait for all writers, and everyone else
 * would wait behind it.
 * @throws ValidationError (`engine_unreadable`) if another version created the tables
 */
export async function createSchema(connections: PostgresConnections): Promise<void> {
  if (await hasTables(connections.query)) return;
  const session = await connections.openSession();
  const query: Query = async (text) => (await session.query<never>(text)).rows;
  try {
    await query(`BEGIN; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}';
      SELECT pg_advisory_xact_lock(hashtextextended('abi-workflows/migrations', 0))`);
    // Another process may have done it in the meantime.
    if (await hasTables(query)) return;
    // IF NOT EXISTS would require the right to create a schema even if this one exists.
    const [schema] = await query<{ is_there: boolean }>(
      "SELECT to_regnamespace('abi_workflows') IS NOT NULL AS is_there",
    );
    if (!schema!.is_there) await query("CREATE SCHEMA abi_workflows");
    await query(`${TABLES} ${FUNCTIONS} INSERT INTO abi_workflows.migrations VALUES (${VERSION}); COMMIT`);
  } finally {
    await session.end();
  }
}

/** @throws ValidationError (`engine_unreadable`) */
async function hasTables(query: Query): Promise<boolean> {
  const [table] = await query<{ is_there: boolean }>(
    "SELECT to_regclass('abi_workflows.migrations') IS NOT NULL AS is_there",
  );
  if (!table!.is_there) return false;
  const [row] = await query<{ version: number }>("SELECT max(version) AS version FROM abi_workflows.migrations");
  const { version } = row!;
  if (version === VERSION) return true;
  const writer = version > VERSION ? "a newer version" : "an earlier build";
  throw new ValidationError(
    `The runs in the PostgreSQL database were written by ${writer} of abi-workflows. Use that one, or drop the schema ` +
      "abi_workflows with all its runs.",
    { code: "engine_unreadable" },
  );
}
