import { existsSync } from "node:fs";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import { PREFIXES } from "../ontology/vocabulary.ts";
import { dataFile, openOntologyStore } from "../parts.ts";
import type { Settings } from "../settings.ts";
import { readText, STDIN } from "./input.ts";
import { note, print, printJson } from "./output.ts";
import type { QueryOptions } from "./query-command.ts";
import { resultJson, resultText } from "./query-result.ts";
import { requireDataDirectory, settingsFrom } from "./settings.ts";

/** @param query SPARQL, the name of a file with it, or `-` */
export async function askGraph(query: string, options: QueryOptions): Promise<void> {
  const sparql = query === STDIN || /\.(rq|sparql)$/i.test(query) ? await readText(query) : query;
  const store = await openGraph(settingsFrom(options));
  try {
    const result = await store.query(options.store, withPrefixes(sparql));
    if (options.json) printJson(resultJson(result));
    else print(await resultText(result));
  } finally {
    await store.close();
  }
}

/** Asking must not leave files behind. */
async function openGraph(settings: Settings): Promise<OntologyStore> {
  if (settings.ontologyUrl !== undefined) return openOntologyStore(settings);
  requireDataDirectory(settings);
  if (existsSync(dataFile(settings, "ontology.sqlite"))) return openOntologyStore(settings);
  note("There is no knowledge graph in this data directory yet.");
  return openOntologyStore({ ...settings, dataDirectory: ":memory:" });
}

/** The query with the usual prefixes before it; its own declarations come later and win. */
const withPrefixes = (sparql: string): string => `${PREFIXES} ${sparql}`;
