import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { PREFIXES } from "../ontology/vocabulary.ts";
import { addExamples, settingsFrom, type GlobalOptions } from "./command.ts";
import { readText, STDIN } from "./input.ts";
import { note, print, printJson } from "./output.ts";
import { resultJson, resultText } from "./query-result.ts";

interface QueryOptions extends GlobalOptions {
  store: string;
}

/** `query`: asks the knowledge graph; changes nothing. */
export function addQueryCommand(program: Command): void {
  const command = program
    .command("query")
    .summary("ask the knowledge graph")
    .description(
      "Ask the knowledge graph with SPARQL 1.1: SELECT gives a table, ASK yes or no, CONSTRUCT and DESCRIBE Turtle. " +
        "The prefixes abi:, rdf:, xsd: and prov: are known. The other store is the named graph " +
        "<http://example.org/abi/stores/customer_data>.",
    )
    .argument("<sparql>", "the query, a file that ends in .rq or .sparql, or - for standard input")
    .addOption(
      new Option("--store <name>", "which store to ask")
        .choices(["feedback_data", "customer_data"])
        .default("feedback_data"),
    )
    .action(async (query: string, _options, command: Command) => {
      const options = command.optsWithGlobals<QueryOptions>();
      const sparql = query === STDIN || /\.(rq|sparql)$/i.test(query) ? await readText(query) : query;
      const { dataFile } = await import("../application.ts");
      const { OxigraphOntologyStore } = await import("../ontology/oxigraph/oxigraph-ontology-store.ts");
      const path = dataFile(settingsFrom(options), "ontology.sqlite");
      const known = existsSync(path);
      if (!known) note("There is no knowledge graph in this data directory yet.");
      // Asking must not leave files behind.
      const store = await OxigraphOntologyStore.open({ path: known ? path : ":memory:" });
      try {
        const result = await store.query(options.store, withPrefixes(sparql));
        if (options.json) printJson(resultJson(result));
        else print(await resultText(result));
      } finally {
        await store.close();
      }
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

/** The query with the usual prefixes before it; its own declarations come later and win. */
const withPrefixes = (sparql: string): string => `${PREFIXES} ${sparql}`;
