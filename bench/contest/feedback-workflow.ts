/**
 * Our unchanged customer feedback workflow: with validation, policies, provenance, deduplication
 * and everything else.
 */
import { join } from "node:path";
import { openApplication, readSettings } from "../../src/index.ts";
import type { Contestant, Setting } from "./contestant.ts";
import { feedback, writeCustomers } from "../support/feedback.ts";

export async function open({ folder, databaseUrl, clients }: Setting): Promise<Contestant> {
  const settings = readSettings(
    {
      dataDirectory: join(folder, "data"),
      customerSource: writeCustomers(folder),
      maxParallelRequests: clients,
      responseCap: 1_000_000,
      logLevel: "silent",
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
    },
    {},
  );
  const application = await openApplication(settings);
  const { workflow, customerDataPipeline } = application;
  await customerDataPipeline.loadAll();
  return {
    run: async (n) => {
      const { success, error } = await workflow.run(feedback(n));
      if (!success) throw new Error(error);
    },
    close: () => application.close(),
  };
}
