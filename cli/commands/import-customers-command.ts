import type { Command } from "commander";
import { addExamples, collect, type GlobalOptions } from "../command.ts";

export interface ImportOptions extends GlobalOptions {
  map: string[];
}

/** `import-customers`: loads all customers of a file or service into the knowledge graph. */
export function addImportCustomersCommand(program: Command): void {
  const command = program
    .command("import-customers")
    .summary("load customers into the knowledge graph")
    .description(
      "Load all customers of a file (.csv, .tsv, .json, .jsonl) or an HTTP source into the knowledge graph. A " +
        "second import replaces the source's values and adds nothing twice. Columns: id, name, email, segment, " +
        "lifetime_value, do_not_contact.",
    )
    .argument("<file|url>", "a file of customers, or the HTTP URL that lists all customers")
    .option(
      "--map <field=column>",
      "read a field from a column or property with a different name; repeatable",
      collect,
      [],
    )
    .action(async (location: string, _options, command: Command) => {
      const { importCustomers } = await import("./import-customers.ts");
      await importCustomers(location, command.optsWithGlobals<ImportOptions>());
    });
  addExamples(
    command,
    ["import-customers customers.csv", "a file"],
    ["import-customers crm.csv --map id=Number --map do_not_contact=opt_out", "columns with different names"],
    ["import-customers https://crm.example.com/customers", "a service (CUSTOMER_SOURCE_TOKEN holds its token)"],
  );
}
