/** DBOS Transact. Workflows are started directly, without a queue, which is the fastest way. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Open } from "../contest/contestant.ts";

export const open: Open = async ({ databaseUrl, steps }) => {
  const quiet = { info() {}, debug() {}, warn() {}, error: (entry: unknown) => console.error(entry) };
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: databaseUrl!, logger: quiet, runAdminServer: false });
  const workflow = DBOS.registerWorkflow(
    async (n: number) => {
      for (const [name, work] of steps) await DBOS.runStep(() => work(n), { name });
    },
    { name: "bench" },
  );
  await DBOS.launch();
  return {
    run: async (n) => {
      const handle = await DBOS.startWorkflow(workflow, { workflowID: String(n) })(n);
      await handle.getResult();
    },
    close: () => DBOS.shutdown(),
  };
};
