// A worker on a PostgreSQL database. Each of its runs calls a server with the worker's name, and ends when the server answers.
import { DurableEngine } from "../../src/engine/durable-engine.ts";

const [, , url, name, origin, concurrency] = process.argv;
const engine = await DurableEngine.connect(url!);
engine.register(
  "call",
  async (input, { step }) =>
    step("called", async () => (await fetch(`${origin}/${name}/${JSON.stringify(input)}`)).text()),
  { concurrency: Number(concurrency) },
);
engine.startWorker();
process.stdout.write("ready\n");
setInterval(() => {}, 60_000); // an idle worker doesn't keep its process alive
