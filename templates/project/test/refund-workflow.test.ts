import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { AIMessage } from "@langchain/core/messages";
import { fakeModel } from "@langchain/core/testing";
import { DurableEngine, OxigraphOntologyStore } from "abi-workflows";
import { createRefundAgent } from "../src/agent.ts";
import { Payments } from "../src/payments.ts";
import { RefundWorkflow } from "../src/refund-workflow.ts";

describe("a refund", () => {
  const refund = { refund_id: "R-1", order_id: "O-7", amount: 30 };
  let folder: string;
  let engine: DurableEngine;
  let ontologyStore: OxigraphOntologyStore;
  let workflow: RefundWorkflow;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "refunds-"));
    engine = new DurableEngine({ path: ":memory:" });
    ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
    workflow = new RefundWorkflow({ engine, ontologyStore, payments: new Payments({ folder }), limit: 100 });
  });

  afterEach(async () => {
    await engine.close();
    await ontologyStore.close();
    await rm(folder, { recursive: true });
  });

  const listRefunds = async (): Promise<unknown> => {
    const tool = workflow.as_tools().find(({ name }) => name === "list_refunds");
    return JSON.parse(String(await tool?.invoke({ order_id: "O-7" })));
  };

  it("is paid once, however often it is requested", async () => {
    const first = await workflow.run(refund);
    assert.equal(first.decision, "paid");
    assert.deepEqual(first.steps_completed, ["amount_checked", "refund_paid", "refund_stored"]);
    assert.deepEqual(await workflow.run(refund), { ...first, duplicate: true });
    assert.deepEqual(await readdir(folder), ["R-1.json"]);
    assert.deepEqual(await listRefunds(), { refunds: [{ refund_id: "R-1", amount: 30, decision: "paid" }] });
  });

  it("is left to a person above the limit", async () => {
    assert.equal((await workflow.run({ ...refund, amount: 101 })).decision, "needs_person");
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await listRefunds(), { refunds: [{ refund_id: "R-1", amount: 101, decision: "needs_person" }] });
  });

  it("is refused with a reason if the input is invalid", async () => {
    const result = await workflow.run({ ...refund, amount: -1 });
    assert.equal(result.error_type, "validation_error");
    assert.match(result.error ?? "", /amount/);
  });

  it("is requested by an agent", async () => {
    // A scripted model: it calls the tool, and then answers.
    const model = fakeModel()
      .respondWithTools([{ name: "request_refund", args: refund }])
      .respond(new AIMessage("It is paid."));
    const { messages } = await createRefundAgent(model, workflow).invoke({
      messages: [{ role: "user", content: "Refund 30 for order O-7. The refund's id is R-1." }],
    });
    assert.equal(messages.at(-1)?.text, "It is paid.");
    assert.deepEqual(await readdir(folder), ["R-1.json"]);
  });
});
