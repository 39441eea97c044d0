import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Run } from "../../src/engine/engine.ts";
import type { EngineDatabase } from "../../src/engine/open-workflow/engine-database.ts";
import { OpenWorkflowEngine } from "../../src/engine/open-workflow/open-workflow-engine.ts";

/**
 * Kills a process whose run waits for a person, and decides on it in this one. Gives the run at its end, and the steps that this
 * process executed.
 */
export async function decideAfterKill(
  place: string,
  open: () => Promise<OpenWorkflowEngine> | OpenWorkflowEngine,
): Promise<{ run: Run; steps: string[] }> {
  const victim = spawn(process.execPath, [join(import.meta.dirname, "../support/waiting-process.ts"), place], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void victim.kill("SIGKILL"));
  const [said] = (await once(victim.stdout, "data")) as [Buffer];
  const [status, id = ""] = said.toString().trim().split(" ");
  expect(status).toBe("waiting_for_approval");
  victim.kill("SIGKILL");
  await once(victim, "exit");

  const engine = await open();
  onTestFinished(() => engine.close());
  const steps: string[] = [];
  engine.register("mail", async (_, { step, decision }) => {
    await step("drafted", () => void steps.push("drafted"));
    const { value } = await decision("draft-1");
    await step("sent", () => void steps.push("sent"));
    return value;
  });
  engine.resume();
  expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
  await engine.decide(id, "draft-1", "approved");
  return { run: await engine.wait(id), steps };
}

/** Does something with a run after its last look for a decision and before it is parked. Gives the run at its end. */
export async function meanwhile(
  database: EngineDatabase,
  something: (engine: OpenWorkflowEngine, id: string) => Promise<unknown>,
): Promise<Run> {
  const { queries } = database;
  const park = queries.park.bind(queries);
  const engine = new OpenWorkflowEngine({ database });
  const workflow = `mail-${randomUUID()}`;
  let done = false;
  queries.park = async (...args) => {
    const [run] = await engine.list({ workflow });
    if (run && !done) await something(engine, run.id);
    done = true;
    return park(...args);
  };
  engine.register(workflow, async (_, { decision }) => (await decision("draft-1")).value);
  try {
    const { id } = await engine.start(workflow, { key: "k", fingerprint: "f", input: null });
    return await engine.wait(id);
  } finally {
    await engine.close();
  }
}
