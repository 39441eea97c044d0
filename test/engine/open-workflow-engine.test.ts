import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { OpenWorkflowEngine } from "../../src/engine/open-workflow/open-workflow-engine.ts";
import { openSqlite } from "../../src/engine/open-workflow/sqlite-database.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";
import { temporaryFolder } from "../support/folder.ts";

workflowEngineContract("OpenWorkflowEngine on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "abi-engine-"));
  return {
    open: (options) => new OpenWorkflowEngine({ path: join(folder, "runs.sqlite"), concurrency: 4, ...options }),
    destroy: () => rmSync(folder, { recursive: true, force: true }),
  };
});

describe("OpenWorkflowEngine", () => {
  it("works in memory", async () => {
    const engine = new OpenWorkflowEngine({ path: ":memory:" });
    engine.register("echo", async (input) => input);
    const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    expect((await engine.wait(id)).output).toBe("hi");
    await engine.close();
  });

  it("refuses a second worker on the same file; a reader is welcome", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new OpenWorkflowEngine({ path });
    engine.register("echo", async (input) => input);
    const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    await engine.wait(id);
    expect(() => new OpenWorkflowEngine({ path })).toThrow(/already open in this process/);
    const reader = new OpenWorkflowEngine({ path, worker: false });
    expect((await reader.get(id))?.status).toBe("completed");
    await reader.close();
    await engine.close();
    await new OpenWorkflowEngine({ path }).close();
  });

  it("says so when the file is no database", () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    writeFileSync(path, "this is not a database, whatever its name says. ".repeat(50));
    expect(() => new OpenWorkflowEngine({ path })).toThrow(/cannot be opened/);
  });

  it("goes on after kill -9 from the step that was at work, at once, repeating no completed step", async () => {
    const folder = temporaryFolder();
    const child = (): ReturnType<typeof spawn> =>
      spawn(process.execPath, [join(import.meta.dirname, "../support/engine-process.ts"), folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    const said = async (process: ReturnType<typeof spawn>, word: string): Promise<void> => {
      for await (const chunk of process.stdout!) if (String(chunk).includes(word)) return;
      throw new Error(`the process ended without saying ${word}`);
    };
    writeFileSync(join(folder, "calls"), "");

    for (const at of ["second", "third"]) {
      const victim = child();
      await said(victim, at);
      victim.kill("SIGKILL");
      await once(victim, "exit");
      writeFileSync(join(folder, `let-${at}-pass`), "");
    }
    const last = child();
    await said(last, "completed");
    await once(last, "exit");
    expect(calls()).toEqual(["first", "second", "second", "third", "third"]);
  });

  it("gives up a step that kills its process every time, and says so", async () => {
    const folder = temporaryFolder();
    const attempt = () =>
      spawnSync(process.execPath, [join(import.meta.dirname, "../support/dying-process.ts"), folder], {
        encoding: "utf8",
      });
    for (const _ of [1, 2, 3]) expect(attempt()).toMatchObject({ signal: "SIGKILL", stdout: "" });
    const last = attempt();
    expect(last.status).toBe(0);
    expect(JSON.parse(last.stdout)).toMatchObject({
      status: "failed",
      error: {
        error: expect.stringMatching(/^The step die ended its process 3 times/),
        error_code: "step_died",
        retriable: false,
      },
    });
  });

  it("goes on by itself after the database was out of order in the middle of a run", async () => {
    const database = openSqlite(":memory:", true);
    const { backend } = database;
    let healthy = false;
    let effects = 0;
    const createStepAttempt: typeof backend.createStepAttempt = async (params) => {
      if (!healthy && params.stepName === "second") throw new Error("SQLITE_FULL: database or disk is full");
      return backend.createStepAttempt(params);
    };
    const troubled = Object.assign(Object.create(backend) as typeof backend, { createStepAttempt });
    const engine = new OpenWorkflowEngine({ path: { ...database, backend: troubled } });
    engine.register("two", async (_, { step }) => {
      await step("first", () => ++effects);
      return step("second", () => ++effects);
    });
    const { id } = await engine.start("two", { key: "k", fingerprint: "f", input: null });
    const waiting = engine.wait(id);
    await expect.poll(async () => (await engine.get(id))?.stepsCompleted).toEqual(["first"]);
    healthy = true;
    expect(await waiting).toMatchObject({ status: "completed", output: 2 });
    await engine.close();
  });
});
