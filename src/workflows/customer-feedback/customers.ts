import { createHash } from "node:crypto";
import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { withoutAbsent } from "../../json.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { NamedNode } from "@rdfjs/types";
import { ABIGraph } from "../../ontology/abi-graph.ts";
import { Facts, factsAbout, isTrue } from "../../ontology/facts.ts";
import { iri } from "../../ontology/iri.ts";
import type { OntologyStore } from "../../ontology/ontology-store.ts";
import { toTerm } from "../../ontology/term.ts";
import { abi, rdf } from "../../ontology/vocabulary.ts";
import { customerUri } from "../../pipelines/customer-update.ts";
import type { CustomerDataPipeline } from "../../pipelines/customer-data-pipeline.ts";
import type { CustomerFreshness } from "./configuration.ts";

export interface Customer {
  uri: string;
  /** Empty if unknown. */
  name: string;
  email?: string;
  segment: string;
  lifetimeValue: number;
  doNotContact: boolean;
  /** When the data was last fetched or imported; absent if it was added in another way. */
  retrievedAt?: Date;
  /** Name of the source that the data was fetched from. */
  retrievedFrom?: string;
  /** The source of the data no longer knows the customer. */
  isGone: boolean;
}

const STORE = "customer_data";

interface Parts {
  ontologyStore: OntologyStore;
  pipeline: CustomerDataPipeline;
  /** Without it, no data is ever too old. */
  freshness: CustomerFreshness | undefined;
  clock: () => Date;
  logger: Logger;
}

/** Finds customers in the graph, and fetches them from the customer source if needed. */
export class Customers {
  readonly #ontologyStore: OntologyStore;
  readonly #pipeline: CustomerDataPipeline;
  readonly #freshness: CustomerFreshness | undefined;
  readonly #clock: () => Date;
  readonly #logger: Logger;

  /** @throws TypeError for invalid ages */
  constructor({ ontologyStore, pipeline, freshness, clock, logger }: Parts) {
    for (const [name, age] of Object.entries(freshness ?? {})) {
      if (!(age >= 0))
        throw new TypeError(`customerFreshness.${name} must be a number of milliseconds of at least 0, not ${age}`);
    }
    this.#ontologyStore = ontologyStore;
    this.#pipeline = pipeline;
    this.#freshness = freshness;
    this.#clock = clock;
    this.#logger = logger;
  }

  /**
   * Returns a customer from the graph, however old the data is. If the customer is not in the
   * graph, they are first fetched from the source.
   * @throws ValidationError (`customer_not_found`, `customer_invalid`), IoError
   */
  async get(id: string): Promise<Customer> {
    return (await this.#find(id)) ?? this.#fetchUnknown(id);
  }

  /**
   * Returns a customer only from the graph; undefined if they are not there.
   * @throws IoError
   */
  known(id: string): Promise<Customer | undefined> {
    return this.#find(id);
  }

  /**
   * Reads several customers' names from the graph at once, by customer id, whatever their URIs are.
   * @throws IoError
   */
  async names(ids: readonly string[]): Promise<Map<string, string>> {
    const patterns = [...new Set(ids)].map((id) => ({ predicate: abi.id, object: toTerm(id, "The id") }));
    const named = await this.#ontologyStore.match(STORE, patterns);
    const subjects = named.flatMap(({ subject }) => (subject.termType === "NamedNode" ? [{ subject }] : []));
    const quads = await this.#ontologyStore.match(STORE, subjects);
    const names = new Map<string, string>();
    for (const [uri, about] of Map.groupBy(quads, ({ subject }) => subject.value)) {
      const facts = new Facts(about);
      const name = facts.value(abi.name);
      if (name === undefined || !facts.has(rdf.type, abi.Customer)) continue;
      // The URI that the pipeline assigns counts first, as in `#find`.
      for (const id of facts.values(abi.id)) if (uri === customerUri(id) || !names.has(id)) names.set(id, name);
    }
    return names;
  }

  /**
   * Does the same as `get`, but if the data is too old, reads it again from the source first. If
   * that fails, the data in the graph is used.
   * @throws as `get`
   */
  async refreshed(id: string): Promise<Customer> {
    return (await this.#lookUp(id)).customer;
  }

  /**
   * Does the same as `refreshed`, but for an email that is about to be sent: if reading again
   * fails, the data in the graph is used only up to a certain age.
   * @throws as `get`; ValidationError (`customer_invalid`) if the source's current data is not
   *   usable; IoError if the source gives no usable answer for another reason, and the data is
   *   older than `staleIfErrorMs`
   */
  async current(id: string): Promise<Customer> {
    const { customer, failure } = await this.#lookUp(id);
    if (isUnusable(failure)) throw failure;
    if (!failure || this.#isYoungerThan(this.#freshness?.staleIfErrorMs ?? 0, customer)) return customer;
    if (failure instanceof IoError) throw failure;
    throw new IoError(
      "The customer source gives no usable answer, and the stored data of the customer is too old to send an email. Check CUSTOMER_SOURCE; the log has the cause.",
      { code: "customer_source_unavailable", cause: failure },
    );
  }

  /**
   * Finds the customers with this address in the graph, ignoring case. (RFC 5321 allows case to
   * matter before the @, but nobody gives two people addresses that differ only in case.)
   * @throws IoError
   */
  async withAddress(address: string): Promise<{ id: string; uri: string }[]> {
    const normalized = toTerm(address.toLowerCase(), "The address");
    const quads = await this.#ontologyStore.match(STORE, [
      { predicate: abi.email, object: normalized },
      { predicate: abi.normalizedEmail, object: normalized },
      { predicate: abi.email, object: toTerm(address, "The address") },
    ]);
    const subjects = new Map(
      quads.flatMap(({ subject }) => (subject.termType === "NamedNode" ? [[subject.value, subject] as const] : [])),
    );
    const found = [...subjects.values()].map(async (subject) => {
      const facts = await factsAbout(this.#ontologyStore, STORE, subject);
      const id = facts.value(abi.id);
      return id !== undefined && facts.has(rdf.type, abi.Customer) ? [{ id, uri: subject.value }] : [];
    });
    return (await Promise.all(found)).flat().toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /**
   * Creates a customer with only an address, and an id made from it.
   * @throws IoError
   */
  async create(address: string): Promise<{ id: string; uri: string }> {
    const normalized = address.toLowerCase();
    const normalizedEmail = normalized === address ? undefined : normalized;
    const id = `mail-${createHash("sha256").update(normalized).digest("hex").slice(0, 20)}`;
    const graph = new ABIGraph();
    const subject = graph.createEntity("Customer", { id, email: address, normalizedEmail });
    await this.#ontologyStore.change(STORE, { unless: { subject, predicate: abi.id }, insert: graph });
    return { id, uri: subject.value };
  }

  /**
   * Looks up this address in the source, and stores the customers it finds.
   * @throws ValidationError if the source can't search by address, IoError if it doesn't answer
   */
  async fetchByAddress(address: string): Promise<void> {
    await this.#pipeline.runForEmail(address);
  }

  async #lookUp(id: string): Promise<{ customer: Customer; failure?: unknown }> {
    const known = await this.#find(id);
    if (!known) return { customer: await this.#fetchUnknown(id) };
    if (!this.#freshness || this.#isYoungerThan(this.#freshness.maxAgeMs, known)) return { customer: known };
    try {
      const { found } = await this.#fetch(id);
      const customer = (await this.#find(id)) ?? known;
      return { customer: { ...customer, isGone: !found && this.#cameFromSource(known) } };
    } catch (failure) {
      const cause = describeCause(failure);
      this.#logger.warn({ customer_id: id, cause }, "a customer's data is old and could not be read again");
      return { customer: known, failure };
    }
  }

  async #fetchUnknown(id: string): Promise<Customer> {
    await this.#fetch(id);
    const fetched = await this.#find(id);
    if (fetched) return fetched;
    throw new ValidationError(`Customer with ID ${id} not found`, { code: "customer_not_found" });
  }

  #fetch(id: string) {
    return this.#pipeline.run({ customer_id: id, include_transactions: false, include_interactions: true });
  }

  /**
   * Whether the source is the one that the data came from. If the customer was added to the graph
   * by hand or from another source, it means nothing that this source doesn't know them.
   */
  #cameFromSource({ retrievedAt, retrievedFrom }: Customer): boolean {
    return retrievedAt !== undefined && retrievedFrom === this.#pipeline.sourceName;
  }

  /**
   * A time in the future comes from a wrong clock. It must not make data seem young for long, so
   * only its distance from now counts.
   */
  #isYoungerThan(ms: number, { retrievedAt }: Customer): boolean {
    return retrievedAt !== undefined && Math.abs(this.#clock().getTime() - retrievedAt.getTime()) < ms;
  }

  /**
   * Looks up the URI that the pipeline assigns, then the id: customers who were added in another
   * way may have another URI.
   */
  async #find(id: string): Promise<Customer | undefined> {
    const uri = iri(customerUri(id));
    const own = await this.#described(id, [uri]);
    if (own) return own;
    const named = await this.#ontologyStore.match(STORE, { predicate: abi.id, object: toTerm(id, "The id") });
    return this.#described(
      id,
      named.flatMap(({ subject }) => (subject.termType === "NamedNode" && !subject.equals(uri) ? [subject] : [])),
    );
  }

  async #described(id: string, uris: readonly NamedNode[]): Promise<Customer | undefined> {
    for (const subject of uris) {
      const facts = await factsAbout(this.#ontologyStore, STORE, subject);
      if (facts.has(rdf.type, abi.Customer) && facts.has(abi.id, toTerm(id, "The id"))) {
        return this.#toCustomer(id, subject.value, facts);
      }
    }
    return undefined;
  }

  #toCustomer(id: string, uri: string, facts: Facts): Customer {
    const email = facts.value(abi.email);
    const lifetimeValue = facts.value(abi.lifetimeValue);
    const retrievedAt = new Date(facts.value(abi.retrievedAt) ?? Number.NaN);
    const retrievedFrom = facts.value(abi.retrievedFrom);
    return {
      uri,
      name: facts.value(abi.name) ?? "",
      ...withoutAbsent({ email }),
      segment: facts.value(abi.segment) ?? "standard",
      lifetimeValue: lifetimeValue === undefined ? 0 : this.#number(id, lifetimeValue),
      doNotContact: facts.values(abi.doNotContact).some(isTrue),
      ...(Number.isNaN(retrievedAt.getTime()) ? {} : { retrievedAt }),
      ...withoutAbsent({ retrievedFrom }),
      isGone: false,
    };
  }

  #number(id: string, value: string): number {
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (Number.isFinite(number)) return number;
    const message = "The lifetime value in the graph is not a number; it counts as 0.";
    this.#logger.warn({ error_type: "validation_error", customer_id: id }, message);
    return 0;
  }
}

/**
 * Whether the source has data about this customer that can't be read. It may say that the customer
 * has objected to emails.
 */
const isUnusable = (error: unknown): boolean => isAbiError(error) && error.code === "customer_invalid";
