import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import postgres from "postgres";
import { OpenWorkflowEngine } from "../../src/engine/open-workflow/open-workflow-engine.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";

const url = process.env["TEST_DATABASE_URL"];

describe.skipIf(!url)("with a PostgreSQL server (TEST_DATABASE_URL names none: skipped)", () => {
  workflowEngineContract("OpenWorkflowEngine on PostgreSQL", () => {
    // A database for each test: what one leaves must not be another's work.
    const name = `abi_${randomUUID().replaceAll("-", "")}`;
    const own = new URL(url!);
    own.pathname = `/${name}`;
    const admin = async (statement: string): Promise<void> => {
      const sql = postgres(url!, { max: 1, onnotice: () => {} });
      try {
        await sql.unsafe(statement);
      } finally {
        await sql.end();
      }
    };
    const created = admin(`CREATE DATABASE ${name}`);
    return {
      open: async (options) => {
        await created;
        return OpenWorkflowEngine.connect(own.href, { concurrency: 4, ...options });
      },
      destroy: () => admin(`DROP DATABASE ${name} WITH (FORCE)`),
    };
  });
});

describe("connecting to PostgreSQL", () => {
  it("says so where nobody answers, without the password", async () => {
    const connecting = OpenWorkflowEngine.connect("postgres://me:hunter2@127.0.0.1:1/none");
    await expect(connecting).rejects.toMatchObject({ type: "io_error", code: "engine_unavailable" });
    await expect(connecting).rejects.toThrow(/^(?!.*hunter2).*PostgreSQL/);
  });

  it("refuses what is no such URL", async () => {
    await expect(OpenWorkflowEngine.connect("mysql://x")).rejects.toMatchObject({ code: "invalid_configuration" });
  });
});
