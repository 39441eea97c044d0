import { randomUUID } from "node:crypto";
import postgres from "postgres";

/** URL of a PostgreSQL server for tests; undefined if TEST_DATABASE_URL is not set. */
export const serverUrl = process.env["TEST_DATABASE_URL"];

/** A new database on that server. */
export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/**
 * Creates a database for one test, so that no test finds another's work. Drop it at the end.
 * @param options of `CREATE DATABASE`
 */
export async function createDatabase(server = serverUrl!, options = ""): Promise<TestDatabase> {
  const name = `abi_${randomUUID().replaceAll("-", "")}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await statement(server, `CREATE DATABASE ${name} ${options}`);
  return { url: url.href, drop: () => statement(server, `DROP DATABASE ${name} WITH (FORCE)`) };
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
