import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `refresh-customer`: one customer anew from the source of customers. */
export function addRefreshCustomerCommand(program: Command): void {
  const command = program
    .command("refresh-customer")
    .summary("read one customer again from the customer source")
    .description(
      "Read one customer again from CUSTOMER_SOURCE, and store in the knowledge graph what it says now. " +
        "A customer whom the source does not know stays as they are.",
    )
    .argument("<id>", "id of the customer")
    .action(async (id: string, _options, command: Command) => {
      const { refreshCustomer } = await import("./refresh-customer.ts");
      await refreshCustomer(id, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(command, ["refresh-customer C-1001", "after a customer's address has changed"]);
}
