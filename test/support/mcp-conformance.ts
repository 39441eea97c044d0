/** The tools that MCP's conformance suite calls by name, here as workflows. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { WorkflowEngine } from "../../src/engine/engine.ts";
import { ValidationError } from "../../src/errors.ts";
import { direct, durable, type Operation } from "../../src/framework/operation.ts";
import { Workflow } from "../../src/framework/workflow.ts";

class OneOperationWorkflow extends Workflow {
  readonly name: string;
  readonly operations: readonly Operation[];

  constructor(engine: WorkflowEngine, name: string, operation: Operation) {
    super({ engine });
    this.name = name;
    this.operations = [operation];
  }
}

/** Random by default, so every call is a run of its own. */
const id = z.string().default(() => randomUUID());

const slowCompute = durable("slow_compute", {
  description: "Take so many seconds.",
  input: z.object({ id, seconds: z.number().default(1), label: z.string().optional() }),
  output: z.object({ seconds: z.number() }),
  key: "id",
  run: async ({ seconds }, { step }) => {
    for (let tenth = 0; tenth < seconds * 10; tenth++) await step(`tenth_${tenth}`, () => setTimeout(100));
    return { seconds };
  },
});

const failingJob = durable("failing_job", {
  description: "Fail.",
  input: z.object({ id }),
  output: z.object({}),
  key: "id",
  run: ({ id: key }, { step }) =>
    step("fails", () => {
      throw new ValidationError(`The job ${key} fails, as it should.`);
    }),
});

export const greet = direct("greet", {
  description: "Greet somebody.",
  input: z.object({ name: z.string() }),
  output: z.object({ greeting: z.string() }),
  run: ({ name }) => ({ greeting: `Hello, ${name}!` }),
});

export const conformanceWorkflows = (engine: WorkflowEngine): Workflow[] => [
  new OneOperationWorkflow(engine, "slow-compute", slowCompute),
  new OneOperationWorkflow(engine, "failing-job", failingJob),
];

const SUITE = join(
  fileURLToPath(new URL("../..", import.meta.url)),
  "node_modules/@modelcontextprotocol/conformance/dist/index.js",
);

interface Check {
  id: string;
  status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  errorMessage?: string;
}

/** Runs one scenario against a server and returns its checks with their outcomes. */
export async function conformance(
  url: URL,
  scenario: string,
  args: readonly string[],
  folder: string,
): Promise<Check[]> {
  await new Promise<void>((resolve) => {
    // The suite exits with 1 if a check fails. Ignore that: the list of checks says which.
    execFile(
      process.execPath,
      [SUITE, "server", "--url", url.href, "--scenario", scenario, "-o", folder, ...args],
      { timeout: 60_000 },
      () => resolve(),
    );
  });
  const [file] = globSync(join(folder, "**/checks.json"));
  if (file === undefined) throw new Error(`the scenario ${scenario} has not been run`);
  return JSON.parse(readFileSync(file, "utf8")) as Check[];
}
