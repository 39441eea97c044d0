import { afterAll, beforeAll, describe } from "vitest";
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

  workflowEngineContract("DurableEngine on Restate", () => {
    const url = `${server.url}/test-${(tests += 1)}`;
    const open = (options?: EngineOptions) =>
      DurableEngine.connect(url, {
        concurrency: 4,
        restate: { adminUrl: server.adminUrl, listen: "127.0.0.1:0" },
        ...options,
      });
    return { open, destroy: () => {} };
  });
});
