import { onTestFinished } from "vitest";
import { createDatabase, serverUrl } from "./postgres.ts";

if (serverUrl === undefined) process.stderr.write("Skipped: no PostgreSQL server (TEST_DATABASE_URL names none).\n");

/** The URL of a new database that is gone after the test. */
export async function newDatabase(): Promise<string> {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  return url;
}
