import { onTestFinished } from "vitest";
import { createDatabase, serverUrl } from "./postgres.ts";

if (serverUrl === undefined) process.stderr.write("Skipped: no PostgreSQL server (TEST_DATABASE_URL names none).\n");

/**
 * The URL of a new database that is dropped after the test.
 * @param options of `CREATE DATABASE`
 */
export async function newDatabase(options = ""): Promise<string> {
  const { url, drop } = await createDatabase(serverUrl, options);
  onTestFinished(drop);
  return url;
}
