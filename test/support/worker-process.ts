// A worker on a PostgreSQL database: announces each step that it begins; steps named "hold" never end.
import { DurableEngine } from "../../src/engine/durable-engine.ts";

const [, , url, name] = process.argv;
const engine = await DurableEngine.connect(url!, { concurrency: 4 });
engine.register("shared", async (input, { step }) => {
  const { hold } = input as { hold: boolean };
  await step("first", () => process.stdout.write(`${name} first\n`));
  await step("second", async () => {
    process.stdout.write(`${name} second\n`);
    if (hold && name === "victim") await new Promise(() => {});
  });
  return name ?? null;
});
engine.startWorker();
process.stdout.write("ready\n");
process.on("SIGTERM", () => void engine.close());
// The loop of an idle worker lets its process end; this one is to stay.
const stay = setInterval(() => {}, 60_000);
process.on("SIGTERM", () => clearInterval(stay));
