// A process whose only step kills it, as a crash in native code would. Arguments: its folder, and
// "eager" to make the step eager.
import { join } from "node:path";
import { DurableEngine } from "../../src/engine/durable-engine.ts";

const engine = new DurableEngine({
  path: join(process.argv[2]!, "runs.sqlite"),
  retry: { attempts: 3, initialDelayMs: 1, maximumDelayMs: 1 },
});
const eager = process.argv[3] === "eager";
engine.register("deadly", async (_, { step }) => step("die", () => process.kill(process.pid, "SIGKILL"), { eager }));
const { id } = await engine.start("deadly", { key: "k", fingerprint: "f", input: null });
const { status, error } = await engine.wait(id);
const history = (await engine.history(id)).map((attempt) => attempt.status);
process.stdout.write(JSON.stringify({ status, error, history }));
await engine.close();
