import { z } from "zod";
import { durable, identifier, Workflow, type CreateWorkflows } from "../../src/index.ts";

class RefundWorkflow extends Workflow {
  override readonly name = "refund";

  override readonly operations = [
    durable("request_refund", {
      description: "Refund an order.",
      input: z.strictObject({ refund_id: identifier("The refund.") }),
      output: z.object({}),
      key: "refund_id",
      run: async () => ({}),
    }),
  ];
}

/** A workflow besides customer feedback. */
export const createWorkflows: CreateWorkflows = ({ engine }) => [new RefundWorkflow({ engine })];
