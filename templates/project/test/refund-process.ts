// The process that kill.test.ts kills. It requests the refunds whose ids are its arguments, and
// ends when they are done.
import { join } from "node:path";
import { DurableEngine, OxigraphOntologyStore } from "abi-workflows";
import { CrashPoints } from "abi-workflows/testing";
import { Payments } from "../src/payments.ts";
import { RefundWorkflow } from "../src/refund-workflow.ts";

const [folder = "", ...refundIds] = process.argv.slice(2).filter((arg) => !arg.startsWith("--"));
const points = new CrashPoints(process.argv);
const engine = new DurableEngine({
  path: join(folder, "data.sqlite"),
  concurrency: 2,
  // After this many attempts in which the process died, a step fails. Here, the deaths are not the
  // step's fault, so the limit is high.
  retry: { attempts: 100, initialDelayMs: 100, maximumDelayMs: 1000 },
});
const ontologyStore = await OxigraphOntologyStore.open({ path: join(folder, "data.sqlite") });
// The process can die before and after each payment. To add the engine's own writes, open its store
// with points.runStore(path).
const payments = points.around("payments", new Payments({ folder: join(folder, "payments") }), ["pay"]);
const workflow = new RefundWorkflow({ engine, ontologyStore, payments, limit: 100 }).register();
// Continues the runs that an earlier process left unfinished.
engine.startWorker();

const requests = refundIds.map((refund_id) => ({ refund_id, order_id: "O-7", amount: 30 }));
for (const request of requests.slice(points.acknowledged)) {
  await workflow.startWorkflow(request);
  points.acknowledge();
}
for (const { refund_id } of requests) {
  const run = await workflow.findWorkflow(refund_id);
  if (run === undefined) continue; // It was lost, as the test will show.
  const { success, error } = await workflow.getWorkflowResult(run.workflow_id);
  if (!success) throw new Error(error);
}
await engine.close();
await ontologyStore.close();
