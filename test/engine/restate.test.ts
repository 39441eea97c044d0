import { afterAll, beforeAll, describe, expect } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";
import { canRunRestate, startRestate, type RestateServerProcess } from "../support/restate.ts";

describe.skipIf(!canRunRestate)("with a Restate server (skipped where npm has none)", () => {
  let server: RestateServerProcess;
  let tests = 0;
  beforeAll(async () => {
    server = await startRestate();
  });
  afterAll(() => server.destroy());

  workflowEngineContract(
    "DurableEngine on Restate",
    () => {
      const namespace = `test-${(tests += 1)}`;
      const url = `${server.url}/${namespace}`;
      const restate = { adminUrl: server.adminUrl, listen: "127.0.0.1:0" };
      const open = (options?: EngineOptions) => DurableEngine.connect(url, { concurrency: 4, restate, ...options });
      // Somebody must answer the calls of those who execute nothing. Of several addresses the server takes the latest.
      const answering = open().then(async (engine) => {
        engine.startWorker();
        const registered = async () => (await fetch(`${server.adminUrl}/services/${namespace}.runs`)).ok;
        await expect.poll(registered).toBe(true);
        return engine;
      });
      return {
        open: async (options) => {
          await answering;
          return open(options);
        },
        destroy: async () => (await answering).close(),
      };
    },
    {
      "takes up the highest priority first, and within it what has been due longest":
        "Restate hands runs to workers as they come; the priority counts among those that wait for a slot or a place",
    },
  );
});
