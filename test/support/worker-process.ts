// A worker on a database that several share: announces each step that it begins; steps named "hold" never end.
// Arguments: where the runs are, the worker's name, and which of the workers it is.
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
// The loop of an idle worker lets its process end; this one is to stay.
const stay = setInterval(() => {}, 60_000);
process.on("SIGTERM", () => clearInterval(stay));
