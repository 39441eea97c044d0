// A worker on a database that several workers share. It announces each step that it begins. If the input says `hold`, the
// second step of the worker "victim" never ends. Arguments: where the runs are stored, the worker's name, and its index.
import { openEngineAt } from "./engine-at.ts";

const [, , location, name, which] = process.argv;
const engine = await openEngineAt(location!, { concurrency: 4, which: Number(which ?? 0) });
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
// The loop of an idle worker doesn't keep its process alive; this process is to stay.
const stay = setInterval(() => {}, 60_000);
process.on("SIGTERM", () => clearInterval(stay));
