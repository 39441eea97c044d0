import type { CustomerRecord } from "../integrations/customers/customer-source.ts";
import { ABIGraph } from "../ontology/abi-graph.ts";
import { entityUri } from "../ontology/entity-uri.ts";
import { iri } from "../ontology/iri.ts";
import type { Change, Pattern } from "../ontology/ontology-store.ts";
import { abi, rdf } from "../ontology/vocabulary.ts";

const FIELDS = [
  ["id", abi.id],
  ["name", abi.name],
  ["email", abi.email],
  ["segment", abi.segment],
  ["lifetime_value", abi.lifetimeValue],
  ["do_not_contact", abi.doNotContact],
] as const satisfies readonly (readonly [keyof CustomerRecord, unknown])[];

/** When these records were read, and from which source. */
export interface Retrieval {
  time: Date;
  source: string | undefined;
}

export const customerUri = (id: string): string => entityUri("Customer", id);

/**
 * The change that updates these customers in the graph: old values of the fields are removed, and
 * new ones are added. Everything else about a customer stays. `abi:doNotContact` stays if the
 * record says nothing about it, because an objection in the graph must not be lost.
 * `abi:lifetimeValue` stays if the record's value was not understood: an import, which sees the
 * whole column, may have understood it.
 */
export function replaceCustomers(records: readonly CustomerRecord[], { time, source }: Retrieval): Change {
  const insert = new ABIGraph();
  const remove: Pattern[] = [];
  for (const record of records) {
    const subject = iri(customerUri(record.id));
    insert.createRelationship(subject, rdf.type, abi.Customer);
    insert.addProperty(subject, abi.retrievedAt, time);
    if (source !== undefined) insert.addProperty(subject, abi.retrievedFrom, source);
    remove.push({ subject, predicate: abi.retrievedAt }, { subject, predicate: abi.retrievedFrom });
    for (const [field, predicate] of FIELDS) {
      const value = record[field];
      if (value === null) continue;
      if (value !== undefined || field !== "do_not_contact") remove.push({ subject, predicate });
      if (value !== undefined) insert.addProperty(subject, predicate, value);
    }
    const normalized = record.email?.toLowerCase();
    remove.push({ subject, predicate: abi.normalizedEmail });
    if (normalized !== undefined && normalized !== record.email) {
      insert.addProperty(subject, abi.normalizedEmail, normalized);
    }
  }
  return { remove, insert };
}
