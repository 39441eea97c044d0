/**
 * OpenWorkflow. It polls for work and for results, at intervals that would dominate the
 * measurement. Here its worker polls as soon as there is work, and a result is known as soon as it
 * is recorded. So it is faster here than in normal use.
 */
import { join } from "node:path";
import { OpenWorkflow } from "openworkflow";
import type { Open } from "../contest/contestant.ts";

export const open: Open = async ({ folder, databaseUrl, clients, steps }) => {
  const backend = await connect(folder, databaseUrl);
  const ended = new Map<string, () => void>();
  const complete = backend.completeWorkflowRun.bind(backend);
  backend.completeWorkflowRun = async (parameters) => {
    const run = await complete(parameters);
    ended.get(parameters.workflowRunId)?.();
    ended.delete(parameters.workflowRunId);
    return run;
  };
  const client = new OpenWorkflow({ backend });
  const workflow = client.defineWorkflow({ name: "bench" }, async ({ input, step }) => {
    const { n } = input as { n: number };
    for (const [name, work] of steps) await step.run({ name }, () => work(n));
    return null;
  });
  const worker = client.newWorker({ concurrency: clients });

  let ticking: Promise<void> | undefined;
  let isDue = false;
  let isClosing = false;
  const claimAll = async (): Promise<void> => {
    while (isDue && !isClosing) {
      isDue = false;
      if ((await worker.tick()) > 0) isDue = true;
    }
    ticking = undefined;
  };
  const tick = (): void => {
    isDue = true;
    ticking ??= claimAll();
  };
  return {
    run: async (n) => {
      const { workflowRun } = await workflow.run({ n });
      await new Promise<void>((resolve) => {
        ended.set(workflowRun.id, resolve);
        tick();
      });
      // The slot of an ended run is free only after a turn of the event loop.
      setImmediate(tick);
    },
    close: async () => {
      isClosing = true;
      await ticking;
      await worker.stop();
      await backend.stop();
    },
  };
};

async function connect(folder: string, databaseUrl: string | undefined) {
  if (databaseUrl === undefined) {
    const { BackendSqlite } = await import("openworkflow/sqlite");
    return BackendSqlite.connect(join(folder, "openworkflow.sqlite"));
  }
  const { BackendPostgres } = await import("openworkflow/postgres");
  return BackendPostgres.connect(databaseUrl);
}
