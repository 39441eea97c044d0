import { z } from "zod";
import type { WorkflowConfiguration } from "../../src/framework/configuration.ts";
import { durable } from "../../src/framework/operation.ts";
import { Workflow } from "../../src/framework/workflow.ts";

interface InvoiceConfiguration extends WorkflowConfiguration {
  /** Sends an invoice that a person has approved. */
  send?: () => Promise<void> | void;
}

/** A workflow that waits for a person between its two steps. */
export class InvoiceWorkflow extends Workflow<InvoiceConfiguration> {
  override readonly name = "invoice";
  /** The inputs that the handler was given, one for each execution. */
  readonly inputs: unknown[] = [];
  override readonly operations = [
    durable("send_invoice", {
      description: "Send an invoice once a person has agreed to it.",
      input: z.strictObject({ invoice_id: z.string().min(1) }),
      output: z.object({ sent: z.boolean() }),
      key: "invoice_id",
      run: async (input, { step, decision }) => {
        this.inputs.push(input);
        await step("drafted", () => null);
        const { value } = await decision("draft-1");
        await step("sent", async () => this.configuration.send?.());
        return { sent: value === "approved" };
      },
    }),
  ];

  approve(workflowId: string): Promise<unknown> {
    return this.decide(workflowId, "draft-1", "approved");
  }
}
