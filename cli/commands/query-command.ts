import { type Command, Option } from "commander";
import { addExamples, duration, type GlobalOptions } from "../command.ts";

export interface QueryOptions extends GlobalOptions {
  store: string;
  timeout?: string;
}

/** `query`: queries the knowledge graph; changes nothing. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command("query")
    .summary("query the knowledge graph")
    .description(
      "Query the knowledge graph with SPARQL 1.1: SELECT prints a table, ASK prints yes or no, CONSTRUCT and " +
        "DESCRIBE print Turtle. The prefixes abi:, rdf:, xsd: and prov: are declared. To reach the other store, use " +
        "the named graph <http://example.org/abi/stores/customer_data>. Ctrl-C stops a query that takes too long.",
    )
    .argument("<sparql>", "the query, a file that ends in .rq or .sparql, or - for standard input")
    .addOption(
      new Option("--store <name>", "the store to query")
        .choices(["feedback_data", "customer_data"])
        .default("feedback_data"),
    )
    .option("--timeout <time>", "stop the query after this time, such as 30s (default: no limit)", duration)
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
    [
      `query --store customer_data "SELECT ?name { ?c abi:segment 'premium' ; abi:name ?name }"`,
      "query the other store",
    ],
    ["query question.rq --json", "run a query from a file; print SPARQL 1.1 JSON results"],
  );
}
