import { InvalidArgumentError, type Command } from "commander";
import { INVALID_STORE_NAME, isStoreName } from "../../src/ontology/store-name.ts";
import { addExamples, duration, type GlobalOptions } from "../command.ts";

export interface QueryOptions extends GlobalOptions {
  store: string;
  timeout?: string;
}

/** Parses the name of any store, because your own workflows and pipelines have stores, too. */
function store(name: string): string {
  if (isStoreName(name)) return name;
  throw new InvalidArgumentError(INVALID_STORE_NAME);
}

/** `query`: queries the knowledge graph; changes nothing. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command("query")
    .summary("query the knowledge graph")
    .description(
      "Query the knowledge graph with SPARQL 1.1: SELECT prints a table, ASK prints yes or no, CONSTRUCT and " +
        "DESCRIBE print Turtle. The prefixes abi:, rdf:, xsd: and prov: are declared. A query reads one store; others " +
        "are named graphs, such as <http://example.org/abi/stores/customer_data>. Ctrl-C stops a query that takes " +
        "too long.",
    )
    .argument("<sparql>", "the query, a file that ends in .rq or .sparql, or - for standard input")
    .option(
      "--store <name>",
      "the store to query, such as customer_data, held_mail or one of your own",
      store,
      "feedback_data",
    )
    .option(
      "--timeout <time>",
      "stop the query after this time, such as 30s (default: no limit). Not with --url: a service has its own limit",
      duration,
    )
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
    [`query --store customer_data "SELECT ?name { ?c abi:segment 'premium' ; abi:name ?name }"`, "query the customers"],
    ["query question.rq --json", "run a query from a file; print SPARQL 1.1 JSON results"],
  );
}
