import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { OntologyStore, Row } from "../../ontology/ontology-store.ts";
import { select } from "../../ontology/queries.ts";
import { PREFIXES } from "../../ontology/vocabulary.ts";
import type { CustomerDataPipeline } from "../../pipelines/customer-data-pipeline.ts";
import type { CustomerFreshness } from "./configuration.ts";

export interface Customer {
  uri: string;
  /** Empty where it is not known. */
  name: string;
  email?: string;
  segment: string;
  lifetimeValue: number;
  doNotContact: boolean;
  /** When and from which source the data was last read; absent where it never came from one. */
  retrievedAt?: Date;
  retrievedFrom?: string;
  /** The source that the data came from does not know the customer any more. */
  isGone: boolean;
}

// The selective pattern stands first: stores join in the order of the text.
const CUSTOMER_BY_ID = `${PREFIXES}
  SELECT ?customer ?name ?email ?segment ?lifetime_value ?do_not_contact ?retrieved_at ?retrieved_from WHERE {
    ?customer abi:id ?id ; a abi:Customer .
    OPTIONAL { ?customer abi:name ?name }
    OPTIONAL { ?customer abi:email ?email }
    OPTIONAL { ?customer abi:segment ?segment }
    OPTIONAL { ?customer abi:lifetimeValue ?lifetime_value }
    OPTIONAL { ?customer abi:doNotContact ?do_not_contact }
    OPTIONAL { ?customer abi:retrievedAt ?retrieved_at }
    OPTIONAL { ?customer abi:retrievedFrom ?retrieved_from }
  }
  LIMIT 1`;

interface Parts {
  ontologyStore: OntologyStore;
  pipeline: CustomerDataPipeline;
  /** Without it nothing is ever too old. */
  freshness: CustomerFreshness | undefined;
  clock: () => Date;
  logger: Logger;
}

export class Customers {
  readonly #ontologyStore: OntologyStore;
  readonly #pipeline: CustomerDataPipeline;
  readonly #freshness: CustomerFreshness | undefined;
  readonly #clock: () => Date;
  readonly #logger: Logger;

  /** @throws TypeError for ages that can't be */
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
   * A customer from the graph, however old the data; one whom the graph does not know is fetched from the source first.
   * @throws ValidationError (`customer_not_found`), IoError
   */
  async get(id: string): Promise<Customer> {
    return (await this.#find(id)) ?? this.#fetchUnknown(id);
  }

  /**
   * The same, but data that is older than it may be is looked up again. Where the source gives no answer, what the graph says counts.
   * @throws as `get`
   */
  async refreshed(id: string): Promise<Customer> {
    return (await this.#lookUp(id)).customer;
  }

  /**
   * The customer as a mail needs it that is about to leave.
   * @throws as `get`; ValidationError (`customer_invalid`) where what the source says now is not usable; IoError where it gives no answer
   *   and the data is older than may be sent to even then
   */
  async current(id: string): Promise<Customer> {
    const { customer, failure } = await this.#lookUp(id);
    if (isUnusable(failure)) throw failure;
    if (!failure || this.#isYoungerThan(this.#freshness?.staleIfErrorMs ?? 0, customer)) return customer;
    if (failure instanceof IoError) throw failure;
    throw new IoError(
      "The customer source gives no usable answer, and what is known of the customer is too old to write to. Check CUSTOMER_SOURCE; the log has the cause.",
      { code: "customer_source_unavailable", cause: failure },
    );
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
      this.#logger.warn({ customer_id: id, cause }, "a customer's data is old and could not be looked up again");
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

  /** Others have put customers into the graph by hand, or from elsewhere: that this source does not know them says nothing. */
  #cameFromSource({ retrievedAt, retrievedFrom }: Customer): boolean {
    return retrievedAt !== undefined && retrievedFrom === this.#pipeline.sourceName;
  }

  /** A time that is to come is one of a clock that was wrong: it does not make data young for long. */
  #isYoungerThan(ms: number, { retrievedAt }: Customer): boolean {
    return retrievedAt !== undefined && Math.abs(this.#clock().getTime() - retrievedAt.getTime()) < ms;
  }

  async #find(id: string): Promise<Customer | undefined> {
    const [row] = await select(this.#ontologyStore, "customer_data", CUSTOMER_BY_ID, { id });
    return row && this.#toCustomer(id, row);
  }

  #toCustomer(
    id: string,
    { customer, name, email, segment, lifetime_value, do_not_contact, retrieved_at, retrieved_from }: Row,
  ): Customer {
    const retrievedAt = new Date(retrieved_at?.value ?? Number.NaN);
    return {
      uri: customer?.value ?? "",
      name: name?.value ?? "",
      ...(email ? { email: email.value } : {}),
      segment: segment?.value ?? "standard",
      lifetimeValue: lifetime_value ? this.#number(id, lifetime_value.value) : 0,
      doNotContact: do_not_contact?.value === "true" || do_not_contact?.value === "1",
      ...(Number.isNaN(retrievedAt.getTime()) ? {} : { retrievedAt }),
      ...(retrieved_from ? { retrievedFrom: retrieved_from.value } : {}),
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

/** What the source says of this customer can't be read: perhaps that they object. */
const isUnusable = (error: unknown): boolean => isAbiError(error) && error.code === "customer_invalid";
