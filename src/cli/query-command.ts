import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import { PREFIXES } from "../ontology/vocabulary.ts";
import type { Settings } from "../settings.ts";
import { addExamples, requireDataDirectory, settingsFrom, type GlobalOptions } from "./command.ts";
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
      const store = await openGraph(settingsFrom(options));
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

/** Asking must not leave files behind. */
async function openGraph(settings: Settings): Promise<OntologyStore> {
  const { dataFile, openOntologyStore } = await import("../application.ts");
  if (settings.ontologyUrl !== undefined) return openOntologyStore(settings);
  requireDataDirectory(settings);
  if (existsSync(dataFile(settings, "ontology.sqlite"))) return openOntologyStore(settings);
  note("There is no knowledge graph in this data directory yet.");
  return openOntologyStore({ ...settings, dataDirectory: ":memory:" });
}

/** The query with the usual prefixes before it; its own declarations come later and win. */
const withPrefixes = (sparql: string): string => `${PREFIXES} ${sparql}`;
