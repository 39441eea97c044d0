/** Our engine alone, with the same steps as the peers. */
import { join } from "node:path";
import { DurableEngine, type Json } from "../../src/index.ts";
import type { Contestant, Setting } from "./contestant.ts";

export async function open({ folder, databaseUrl, clients, steps }: Setting): Promise<Contestant> {
  const options = { concurrency: clients };
  const engine =
    databaseUrl === undefined
      ? new DurableEngine({ ...options, path: join(folder, "runs.sqlite") })
      : await DurableEngine.connect(databaseUrl, options);
  engine.register("bench", async (input, { step }) => {
    const { n } = input as { n: number };
    for (const [name, work] of steps) await step(name, () => work(n) as Promise<Json>);
    return null;
  });
  return {
    run: async (n) => {
      const { id } = await engine.start("bench", { key: String(n), fingerprint: String(n), input: { n } });
      const { status, error } = await engine.wait(id);
      if (status !== "completed") throw new Error(error?.error ?? status);
    },
    close: () => engine.close(),
  };
}
