// Runs the refund workflow in three ways: from code, as an agent's tools, and over HTTP.
// node examples/run-refund-workflow.ts
// In a checkout: npm run example examples/run-refund-workflow.ts
import assert from "node:assert/strict";
import { Hono } from "hono";
import { DurableEngine, OxigraphOntologyStore } from "abi-workflows";
import { RefundWorkflow } from "./refund-workflow.ts";

const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
const engine = new DurableEngine({ path: ":memory:" });
const workflow = new RefundWorkflow({ engine, ontologyStore, limit: 100 });

const refund = { refund_id: "R-1", order_id: "O-7", amount: 30 };
console.log("from code:", await workflow.run(refund));

const [requestRefund] = workflow.as_tools();
const again: unknown = await requestRefund!.invoke(refund);
console.log("as a tool:", again);
assert.match(String(again), /"duplicate":true/);

const app = new Hono();
workflow.as_api(app);
const response = await app.request("/workflows/refund", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ ...refund, refund_id: "R-2", amount: 500 }),
});
console.log("over HTTP:", response.status, await response.json());
assert.equal(response.status, 202);
await engine.wait((await engine.find("refund", "R-2"))!.id);
const stored = await app.request("/workflows/refund/R-2");
assert.equal(((await stored.json()) as { decision: string }).decision, "waits_for_person");

await engine.close();
await ontologyStore.close();
