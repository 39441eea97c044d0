import { existsSync } from "node:fs";
import { toMilliseconds } from "../../src/duration.ts";
import { ValidationError } from "../../src/errors.ts";
import type { OntologyStore, Row } from "../../src/ontology/ontology-store.ts";
import { JSON_RESULTS, readJsonResults, writeJsonResults } from "../../src/ontology/sparql/json-results.ts";
import { withPrefixes } from "../../src/ontology/vocabulary.ts";
import { openOntologyStore, runsAndGraph } from "../../src/application/parts.ts";
import { IN_MEMORY, type Settings } from "../../src/application/settings.ts";
import { usageError, type GlobalOptions } from "../command.ts";
import { host } from "../terminal/host.ts";
import { readText, STDIN } from "../terminal/input.ts";
import { INTERRUPTED, INTERRUPTED_EXIT_CODE, interruptible } from "../terminal/interruption.ts";
import { note, print, printJson } from "../terminal/output.ts";
import type { QueryOptions } from "./query-command.ts";
import { answerText } from "../query-result.ts";
import { serviceFor } from "../runs/runs.ts";
import type { ServiceClient } from "../service-client.ts";
import { requireDataDirectory, settingsFrom } from "../settings.ts";
import type { QueryAnswer } from "../../src/ontology/query-runner.ts";
import { storeIri } from "../../src/ontology/store-name.ts";

const LIMIT_OF_SERVICE =
  "--timeout is up to the service: leave it out with --url (ABI_URL). The service has a limit of its own; Ctrl-C stops the query.";

/** @param query SPARQL, the name of a file with it, or `-` */
export async function askGraph(query: string, options: QueryOptions): Promise<void> {
  const sparql = query === STDIN || /\.(rq|sparql)$/i.test(query) ? await readText(query) : query;
  const { store: name, timeout } = options;
  try {
    const answer = await interruptible(async (signal) => {
      const service = await serviceFor(options);
      if (service && timeout !== undefined) throw usageError(LIMIT_OF_SERVICE);
      if (service) return answerAt(service, withPrefixes(sparql), name, signal);
      const store = await openGraph(settingsFrom(options));
      try {
        const limits = { signal, ...(timeout !== undefined && { timeoutMs: toMilliseconds(timeout) }) };
        const found = await store.queryRunner.run({ store: name, sparql: withPrefixes(sparql), ...limits });
        if (isEmpty(found)) await noteUnknownStore(store, name);
        return found;
      } finally {
        await store.close();
      }
    }, "Stopping the query.");
    if (options.json) printJson(writeJsonResults(answer));
    else print(await answerText(answer));
  } catch (error) {
    if (error !== INTERRUPTED) throw error;
    host().exitCode = INTERRUPTED_EXIT_CODE;
  }
}

const isEmpty = ({ result }: QueryAnswer): boolean => Array.isArray(result) && result.length === 0;

/** An unknown store is empty, but its name may be misspelt. */
async function noteUnknownStore(graph: OntologyStore, name: string): Promise<void> {
  const names = await graph.listStores();
  if (names.length === 0 || names.includes(name)) return;
  note(`There is no store ${name} in this graph. Its stores: ${names.join(", ")}.`);
}

/** Runs a SELECT on a store of the graph. */
export type AskGraph = (store: string, sparql: string) => Promise<readonly Row[]>;

/**
 * Opens the graph for the duration of `work`, or calls the service that the options name.
 * @throws ValidationError (`answer_too_long`) if the service leaves rows out
 */
export function withGraph<Result>(options: GlobalOptions, work: (ask: AskGraph) => Promise<Result>): Promise<Result> {
  return interruptible(async (signal) => {
    const service = await serviceFor(options);
    if (service) return work(async (store, sparql) => allRows(await answerAt(service, sparql, store, signal)));
    const graph = await openGraph(settingsFrom(options));
    try {
      return await work(async (store, sparql) => allRows(await graph.queryRunner.run({ store, sparql, signal })));
    } finally {
      await graph.close();
    }
  });
}

function allRows({ result, truncated }: QueryAnswer): readonly Row[] {
  if (!truncated) return result as Row[];
  throw new ValidationError(
    "The service left rows out, because there are too many. Run the command where the data directory is, without --url.",
    { code: "answer_too_long" },
  );
}

/** Sends the query to a service, whose own limits apply. */
async function answerAt(
  service: ServiceClient,
  sparql: string,
  store: string,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const graph = storeIri(store);
  const query = new URLSearchParams({ "default-graph-uri": graph }).toString();
  const { type, text, truncated } = await service.ask(`/sparql?${query}`, sparql, signal);
  if (truncated) note("The service has left out rows: there are more.");
  if (type !== JSON_RESULTS) {
    const { parseNTriples } = await import("../../src/ontology/n-triples.ts");
    return { result: parseNTriples(text), variables: [], truncated };
  }
  const json = JSON.parse(text) as { head?: { vars?: string[] } };
  return { result: readJsonResults(json), variables: json.head?.vars ?? [], truncated };
}

/**
 * Opens the graph; if there is none yet, an empty one in memory, because a query must not create
 * files.
 */
async function openGraph(settings: Settings): Promise<OntologyStore> {
  if (settings.ontologyUrl !== undefined) return openOntologyStore(settings);
  requireDataDirectory(settings);
  if (existsSync(runsAndGraph(settings))) return openOntologyStore(settings);
  note("There is no knowledge graph in this data directory yet.");
  return openOntologyStore({ ...settings, dataDirectory: IN_MEMORY });
}
