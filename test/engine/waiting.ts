import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import type { Run } from "../../src/engine/engine.ts";
import type { RunStore } from "../../src/engine/run-store.ts";
import { hasKind, troubledStore } from "../support/troubled-store.ts";

/**
 * Kills a process whose run waits for a person, and makes the decision in this process. Returns the
 * run at its end, and the steps that this process executed.
 */
export async function decideAfterKill(
  place: string,
  open: () => Promise<DurableEngine> | DurableEngine,
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
  engine.startWorker();
  expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
  await engine.decide(id, "draft-1", "approved");
  return { run: await engine.wait(id), steps };
}

/**
 * Does something with a run after its last check for a decision and before it is parked. Returns
 * the run at its end.
 */
export async function meanwhile(
  store: RunStore,
  something: (engine: DurableEngine, id: string) => Promise<unknown>,
): Promise<Run> {
  const workflow = `mail-${randomUUID()}`;
  let done = false;
  const write: RunStore["write"] = async (batch) => {
    if (hasKind(batch, "park") && !done) {
      done = true;
      const [run] = await engine.list({ workflow });
      await something(engine, run!.id);
    }
    return store.write(batch);
  };
  const engine = new DurableEngine({ store: troubledStore(store, { write }) });
  engine.register(workflow, async (_, { decision }) => (await decision("draft-1")).value);
  try {
    const { id } = await engine.start(workflow, { key: "k", fingerprint: "f", input: null });
    return await engine.wait(id);
  } finally {
    expect(done).toBe(true);
    await engine.close();
  }
}
