import { direct, durable, identifier, Workflow, type OntologyStore, type WorkflowConfiguration } from "abi-workflows";
import { z } from "zod";
import type { Payments } from "./payments.ts";
import { findRefunds, storeRefund } from "./refund-graph.ts";

export interface RefundWorkflowConfiguration extends WorkflowConfiguration {
  ontologyStore: OntologyStore;
  payments: Pick<Payments, "pay">;
  /** Refunds above this amount are left to a person. */
  limit: number;
}

const order_id = identifier("The order, exactly as the customer gave it.");

/** Refunds orders. Agent tools, HTTP routes and durable runs are made from these operations. */
export class RefundWorkflow extends Workflow<RefundWorkflowConfiguration> {
  override readonly name = "refund";

  override readonly operations = [
    durable("request_refund", {
      description:
        "Refund an order. Small amounts are paid at once, larger ones are left to a person. Safe to call again.",
      input: z.strictObject({
        refund_id: identifier("Unique identifier of the refund. The same refund is paid once. Never invent one."),
        order_id,
        amount: z.number().positive().describe("Amount in the currency of the order."),
      }),
      output: z.object({ decision: z.enum(["paid", "needs_person"]), receipt: z.string().nullable() }),
      key: "refund_id",
      echo: ["order_id"],
      example: { input: { refund_id: "R-1", order_id: "O-7", amount: 30 } },
      // A step's result is on disk before the next step starts. If the process dies, the run
      // continues with the step that was not completed.
      run: async ({ refund_id, order_id, amount }, { step, startTime }) => {
        const { ontologyStore, payments, limit } = this.configuration;
        const decision = await step("amount_checked", () => (amount <= limit ? "paid" : "needs_person"));
        // If the process dies right after the payment, this step is repeated. The key makes it one
        // payment.
        const receipt =
          decision === "paid" ? await step("refund_paid", () => payments.pay(refund_id, { order_id, amount })) : null;
        await step("refund_stored", () =>
          storeRefund(ontologyStore, {
            id: refund_id,
            orderId: order_id,
            amount,
            decision,
            receipt,
            timestamp: startTime,
          }),
        );
        return { decision, receipt };
      },
    }),
    direct("list_refunds", {
      description: "List the refunds of an order: those that were paid, and those that a person has to decide on.",
      input: z.strictObject({ order_id }),
      output: z.object({
        refunds: z.array(z.object({ refund_id: z.string(), amount: z.number(), decision: z.string() })),
      }),
      run: async ({ order_id }) => ({ refunds: await findRefunds(this.configuration.ontologyStore, order_id) }),
    }),
  ];
}
