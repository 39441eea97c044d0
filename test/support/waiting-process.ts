// A process to kill: one run that waits for a person. Argument: where the runs are stored.
import { openEngineAt } from "./engine-at.ts";

const engine = await openEngineAt(process.argv[2]!);
engine.register("mail", async (_, { step, decision }) => {
  await step("drafted", () => null);
  return (await decision("draft-1")).value;
});
const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
const { status } = await engine.wait(id);
process.stdout.write(`${status} ${id}\n`);
setInterval(() => {}, 60_000);
