import { DataFactory } from "n3";
import type { CustomerRecord } from "../integrations/customers/customer-source.ts";
import { entityUri } from "../ontology/entity-uri.ts";
import type { Bindings, BindingValue } from "../ontology/ontology-store.ts";
import { PREFIXES } from "../ontology/vocabulary.ts";

const PREDICATES = [
  ["id", "abi:id"],
  ["name", "abi:name"],
  ["email", "abi:email"],
  ["segment", "abi:segment"],
  ["lifetime_value", "abi:lifetimeValue"],
  ["do_not_contact", "abi:doNotContact"],
] as const satisfies readonly (readonly [keyof CustomerRecord, string])[];

/**
 * Customers to an operation. One each is slow for the number of operations, hundreds are slow because SPARQL parsers
 * and generators take more than linear time for long ones.
 */
const TOGETHER = 10;

/** When these records were read, and from which source. */
export interface Retrieval {
  time: Date;
  source: string | undefined;
}

export interface BoundUpdate {
  sparql: string;
  bindings: Bindings;
}

export const customerUri = (id: string): string => entityUri("Customer", id);

/**
 * One SPARQL update that makes these customers in the graph what their records say: old values of the fields go, new ones
 * come. What others have added to a customer stays. So does `abi:doNotContact` where the record is silent about it: an
 * objection that was noted in the graph must not be lost because the source has no such field. And so does
 * `abi:lifetimeValue` where the record has one that was not understood: an import may have read it in the light of its column.
 */
export function replaceCustomers(records: readonly CustomerRecord[], { time, source }: Retrieval): BoundUpdate {
  const bindings: Record<string, BindingValue> = { retrieved_at: time };
  if (source !== undefined) bindings["retrieved_from"] = source;
  const operations: string[] = [];
  for (let from = 0; from < records.length; from += TOGETHER) {
    operations.push(replaceTogether(records.slice(from, from + TOGETHER), from, bindings));
  }
  return { sparql: `${PREFIXES} ${operations.join(" ; ")}`, bindings };
}

/** @param from number of the first record, to keep the variables of all operations apart */
function replaceTogether(
  records: readonly CustomerRecord[],
  from: number,
  bindings: Record<string, BindingValue>,
): string {
  const old: string[] = [];
  const triples: string[] = [];
  for (const [index, record] of records.entries()) {
    const at = from + index;
    const customer = `?customer${at}`;
    bindings[`customer${at}`] = DataFactory.namedNode(customerUri(record.id));
    triples.push(`${customer} a abi:Customer ; abi:retrievedAt ?retrieved_at .`);
    if (bindings["retrieved_from"] !== undefined) triples.push(`${customer} abi:retrievedFrom ?retrieved_from .`);
    const replaced = ["abi:retrievedAt", "abi:retrievedFrom"];
    for (const [field, predicate] of PREDICATES) {
      const value = record[field];
      if (value === null) continue;
      if (value !== undefined || field !== "do_not_contact") replaced.push(predicate);
      if (value === undefined) continue;
      bindings[`${field}${at}`] = value;
      triples.push(`${customer} ${predicate} ?${field}${at} .`);
    }
    old.push(
      `{ VALUES ?predicate { ${replaced.join(" ")} } ${customer} ?predicate ?value BIND(${customer} AS ?customer) }`,
    );
  }
  return (
    `DELETE { ?customer ?predicate ?value } WHERE { ${old.join(" UNION ")} } ; ` +
    `INSERT { ${triples.join(" ")} } WHERE {}`
  );
}
