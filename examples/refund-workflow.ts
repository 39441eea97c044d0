// A complete workflow of your own: a durable operation with two steps, and a direct operation that
// answers a question. These few lines give you agent tools and HTTP routes. A run resumes after a
// crash, and each refund is stored once.
import { z } from "zod";
import { ABIGraph, direct, durable, Workflow, type OntologyStore, type WorkflowConfiguration } from "abi-workflows";

export interface RefundWorkflowConfiguration extends WorkflowConfiguration {
  ontologyStore: OntologyStore;
  /** Refunds over this amount wait for a person. */
  limit: number;
}

const Refund = z.strictObject({
  refund_id: z.string().min(1).describe("Unique identifier of the refund."),
  order_id: z.string().min(1).describe("The order that is refunded."),
  amount: z.number().positive().describe("Amount in the currency of the order."),
});

export class RefundWorkflow extends Workflow<RefundWorkflowConfiguration> {
  override readonly name = "refund";

  override readonly operations = [
    durable("request_refund", {
      description: "Request a refund for an order. Small amounts are granted at once, larger ones wait for a person.",
      input: Refund,
      output: z.object({ decision: z.enum(["granted", "waits_for_person"]), refund_uri: z.string() }),
      key: "refund_id",
      run: async (refund, { step, startTime }) => {
        const decision = await step("amount_checked", () =>
          refund.amount <= this.configuration.limit ? "granted" : "waits_for_person",
        );
        const refund_uri = await step("refund_stored", async () => {
          const graph = new ABIGraph();
          const { refund_id: id, order_id: orderId, amount } = refund;
          const uri = graph.createEntity("Refund", { id, orderId, amount, decision, timestamp: startTime });
          await this.configuration.ontologyStore.insert("refunds", graph);
          return uri.value;
        });
        return { decision, refund_uri };
      },
    }),
    direct("get_refund_limit", {
      description: "Get the amount up to which refunds are granted at once.",
      input: z.strictObject({}),
      output: z.object({ limit: z.number() }),
      run: () => ({ limit: this.configuration.limit }),
    }),
  ];
}
