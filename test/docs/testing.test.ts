import { describe, expect, it } from "vitest";
import { serverUrl } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";
import { createProject, filesOf, runNode } from "./documents.ts";

async function runTests(env: Record<string, string> = {}) {
  const cwd = createProject(filesOf("docs/testing.md"));
  const { code, stdout } = await runNode(["--test", "--test-reporter=tap"], { cwd, env });
  return { code, stdout, failed: [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name) };
}

describe("the tests of the testing page", () => {
  it("pass, including the kills and every check of the tool", async () => {
    const { code, stdout, failed } = await runTests();
    expect({ code, failed }).toEqual({ code: 0, failed: [] });
    expect(stdout).toMatch(/^# payments +40 +[45]\d +0 +0 +0 +0 +\d+$/m);
    expect(stdout).toMatch(/^# +142 +1[34]\d +\d +\d+ +\d+ +\d+ +0 +0 +0 +0 +0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBe(11);
  });

  it.skipIf(serverUrl === undefined)("pass with two workers on PostgreSQL", async () => {
    const { code, failed } = await runTests({ DATABASE_URL: await newDatabase() });
    expect({ code, failed }).toEqual({ code: 0, failed: [] });
  });
});
