import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { onTestFinished } from "vitest";

/** The server for tests; without one they are skipped, and say so. */
export const TEST_DATABASE_URL = process.env["TEST_DATABASE_URL"];
if (TEST_DATABASE_URL === undefined) {
  process.stderr.write("Skipped: no PostgreSQL server (TEST_DATABASE_URL names none).\n");
}

/** A database for each test: what one leaves must not be another's work. */
export function ownDatabase(): { url: string; created: Promise<void>; drop: () => Promise<void> } {
  const name = `abi_${randomUUID().replaceAll("-", "")}`;
  const own = new URL(TEST_DATABASE_URL!);
  own.pathname = `/${name}`;
  return {
    url: own.href,
    created: statement(TEST_DATABASE_URL!, `CREATE DATABASE ${name}`),
    drop: () => statement(TEST_DATABASE_URL!, `DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** The URL of a new database that is gone after the test. */
export async function newDatabase(): Promise<string> {
  const database = ownDatabase();
  await database.created;
  onTestFinished(database.drop);
  return database.url;
}

/** Runs one statement on a connection of its own. */
export async function statement(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}
