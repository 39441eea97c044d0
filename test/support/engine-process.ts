// A process to kill: one run of three steps; the second and third hang unless a file lets them pass.
import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { DurableEngine } from "../../src/engine/durable-engine.ts";

const folder = process.argv[2]!;
const engine = new DurableEngine({ path: join(folder, "runs.sqlite") });

const perform = async (name: string): Promise<void> => {
  appendFileSync(join(folder, "calls"), `${name}\n`);
  process.stdout.write(`${name}\n`);
  if (name !== "first" && !existsSync(join(folder, `let-${name}-pass`))) await new Promise(() => {});
};

engine.register("three", async (_, { step }) => {
  for (const name of ["first", "second", "third"]) await step(name, () => perform(name));
  return null;
});
const { id } = await engine.start("three", { key: "k", fingerprint: "f", input: null });
const run = await engine.wait(id);
process.stdout.write(`${run.status}\n`);
await engine.close();
