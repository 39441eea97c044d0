// An author's script for the crash kit: forty orders, each charged once by posting it to a URL.
// Arguments: folder, URL, and how careful it is. If several workers share the orders, each keeps
// its own runs; "lopsided" gives all orders to the last one.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
// Not the whole package, because it is loaded at every start.
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { CrashPoints } from "../../testing/crash/crash-points.ts";

type Care = "careful" | "careless" | "forgetful" | "broken" | "lopsided";
const [folder, url, care] = process.argv.slice(2) as [string, string, Care];
const points = new CrashPoints(process.argv);
if (care === "broken" && points.worker === points.workers - 1) throw new Error("out of order");
const gateway = points.around(
  "payments",
  { charge: (order: string, key: string) => fetch(url, { method: "POST", body: JSON.stringify({ order, key }) }) },
  ["charge"],
);
const engine = new DurableEngine({
  store: points.runStore(join(folder, `runs-${points.worker}.sqlite`)),
  concurrency: 2,
});
engine.register("orders", async (order, { step }) => {
  const id = order as string;
  await step("checked", () => null);
  return step("charged", async () => {
    const { status } = await gateway.charge(id, care === "careless" ? crypto.randomUUID() : `key-${id}`);
    return status;
  });
});
engine.startWorker();
const finished = async (order: string): Promise<void> => {
  const run = await engine.find("orders", order);
  if (run) await engine.wait(run.id);
};
/** Processes without work report that and end; the one with all the orders waits for them. */
async function othersAreDone(): Promise<void> {
  const file = join(folder, "pid");
  if (orders.length === 0) return writeFileSync(file, String(process.pid));
  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (!existsSync(file) || isAlive(Number(readFileSync(file, "utf8")))) await setTimeout(10);
}
const orders = Array.from({ length: 40 }, (_, n) => `order-${n}`).filter(
  (_, n) => (care === "lopsided" ? points.workers - 1 : n % points.workers) === points.worker,
);
if (care === "lopsided") await othersAreDone();
for (const order of orders.slice(0, points.acknowledged)) await finished(order);
for (const order of orders.slice(points.acknowledged)) {
  // Acknowledges before the work is durable: the fault that a crash test must find.
  if (care === "forgetful") points.acknowledge();
  await engine.start("orders", { key: order, fingerprint: "f", input: order });
  if (care !== "forgetful") points.acknowledge();
  await finished(order);
}
await engine.close();
