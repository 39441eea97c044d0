// A process to kill: one run that waits for a person. Argument: a database URL, or the file of the runs.
import { DurableEngine } from "../../src/engine/durable-engine.ts";

const place = process.argv[2]!;
const engine = place.startsWith("postgres:") ? await DurableEngine.connect(place) : new DurableEngine({ path: place });
engine.register("mail", async (_, { step, decision }) => {
  await step("drafted", () => null);
  return (await decision("draft-1")).value;
});
const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
const { status } = await engine.wait(id);
process.stdout.write(`${status} ${id}\n`);
setInterval(() => {}, 60_000);
