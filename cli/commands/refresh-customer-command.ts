import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `refresh-customer`: reads one customer again from the customer source. */
export function addRefreshCustomerCommand(program: Command): void {
  const command = program
    .command("refresh-customer")
    .summary("read one customer again from the customer source")
    .description(
      "Read one customer again from CUSTOMER_SOURCE, and store the current values in the knowledge graph. If the " +
        "source doesn't know the customer, nothing changes.",
    )
    .argument("<id>", "id of the customer")
    .action(async (id: string, _options, command: Command) => {
      const { refreshCustomer } = await import("./refresh-customer.ts");
      await refreshCustomer(id, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(command, ["refresh-customer C-1001", "after a customer's address has changed"]);
}
