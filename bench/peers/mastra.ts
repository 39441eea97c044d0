/**
 * Mastra, with its default engine and its LibSQL store. That store sets `synchronous = NORMAL`;
 * here it stays FULL.
 */
import { join } from "node:path";
import { createClient, type Client } from "@libsql/client";
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { LibSQLStore } from "@mastra/libsql";
import { z } from "zod";
import type { Open } from "../contest/contestant.ts";

export const open: Open = async ({ folder, steps }) => {
  const client = alwaysFull(createClient({ url: `file:${join(folder, "mastra.sqlite")}` }));
  const storage = new LibSQLStore({ id: "bench", client: client as never });
  await storage.init();
  for (const sql of ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"]) await client.execute(sql);
  const nothing = z.any();
  let workflow = createWorkflow({ id: "bench", inputSchema: nothing, outputSchema: nothing }) as any;
  for (const [id, work] of steps) {
    const execute = ({ getInitData }: any) => work(getInitData().n);
    workflow = workflow.then(createStep({ id, inputSchema: nothing, outputSchema: nothing, execute }));
  }
  const mastra = new Mastra({ storage, logger: false, workflows: { bench: workflow.commit() } });
  const registered = mastra.getWorkflow("bench");
  return {
    run: async (n) => {
      const run = await registered.createRun({ runId: String(n) });
      const { status } = await run.start({ inputData: { n } });
      if (status !== "success") throw new Error(status);
    },
    close: async () => client.close(),
  };
};

function alwaysFull(client: Client): Client {
  const execute = client.execute.bind(client) as (statement: unknown, ...rest: unknown[]) => Promise<never>;
  client.execute = (statement: unknown, ...rest: unknown[]) =>
    execute(/synchronous\s*=\s*NORMAL/i.test(String(statement)) ? "PRAGMA synchronous = FULL" : statement, ...rest);
  return client;
}
