import { type Command, Option } from "commander";
import { addExamples, duration, type GlobalOptions } from "../command.ts";

export interface QueryOptions extends GlobalOptions {
  store: string;
  timeout?: string;
}

/** `query`: asks the knowledge graph; changes nothing. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command("query")
    .summary("ask the knowledge graph")
    .description(
      "Ask the knowledge graph with SPARQL 1.1: SELECT gives a table, ASK yes or no, CONSTRUCT and DESCRIBE Turtle. " +
        "The prefixes abi:, rdf:, xsd: and prov: are known. The other store is the named graph " +
        "<http://example.org/abi/stores/customer_data>. Ctrl-C stops a query that takes too long.",
    )
    .argument("<sparql>", "the query, a file that ends in .rq or .sparql, or - for standard input")
    .addOption(
      new Option("--store <name>", "which store to ask")
        .choices(["feedback_data", "customer_data"])
        .default("feedback_data"),
    )
    .option("--timeout <time>", "stop the query after this time, such as 30s (default: let it run)", duration)
    .action(async (query: string, _options, command: Command) => {
      const { askGraph } = await import("./query.ts");
      await askGraph(query, command.optsWithGlobals<QueryOptions>());
    });
  addExamples(
    command,
    [
      `query "SELECT ?sentiment (COUNT(*) AS ?number) { ?f abi:sentiment ?sentiment } GROUP BY ?sentiment"`,
      "count by sentiment",
    ],
    [`query --store customer_data "SELECT ?name { ?c abi:segment 'premium' ; abi:name ?name }"`, "ask the other store"],
    ["query question.rq --json", "SPARQL 1.1 query results in JSON"],
  );
}
