import { ValidationError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { OntologyStore, Row } from "../../ontology/ontology-store.ts";
import { select } from "../../ontology/queries.ts";
import { PREFIXES } from "../../ontology/vocabulary.ts";
import type { CustomerDataPipeline } from "../../pipelines/customer-data-pipeline.ts";

export interface Customer {
  uri: string;
  /** Empty where it is not known. */
  name: string;
  email?: string;
  segment: string;
  lifetimeValue: number;
  doNotContact: boolean;
}

// The selective pattern stands first: stores join in the order of the text.
const CUSTOMER_BY_ID = `${PREFIXES}
  SELECT ?customer ?name ?email ?segment ?lifetime_value ?do_not_contact WHERE {
    ?customer abi:id ?id ; a abi:Customer .
    OPTIONAL { ?customer abi:name ?name }
    OPTIONAL { ?customer abi:email ?email }
    OPTIONAL { ?customer abi:segment ?segment }
    OPTIONAL { ?customer abi:lifetimeValue ?lifetime_value }
    OPTIONAL { ?customer abi:doNotContact ?do_not_contact }
  }
  LIMIT 1`;

export class Customers {
  readonly #ontologyStore: OntologyStore;
  readonly #pipeline: CustomerDataPipeline;
  readonly #logger: Logger;

  constructor(options: { ontologyStore: OntologyStore; pipeline: CustomerDataPipeline; logger: Logger }) {
    this.#ontologyStore = options.ontologyStore;
    this.#pipeline = options.pipeline;
    this.#logger = options.logger;
  }

  /**
   * A customer from the graph; one whom the graph does not know is fetched from the source first.
   * @throws ValidationError (`customer_not_found`), IoError
   */
  async get(id: string): Promise<Customer> {
    const known = await this.#find(id);
    if (known) return known;
    await this.#pipeline.run({ customer_id: id, include_transactions: false, include_interactions: true });
    const fetched = await this.#find(id);
    if (fetched) return fetched;
    throw new ValidationError(`Customer with ID ${id} not found`, { code: "customer_not_found" });
  }

  async #find(id: string): Promise<Customer | undefined> {
    const [row] = await select(this.#ontologyStore, "customer_data", CUSTOMER_BY_ID, { id });
    return row && this.#toCustomer(id, row);
  }

  #toCustomer(id: string, { customer, name, email, segment, lifetime_value, do_not_contact }: Row): Customer {
    return {
      uri: customer?.value ?? "",
      name: name?.value ?? "",
      ...(email ? { email: email.value } : {}),
      segment: segment?.value ?? "standard",
      lifetimeValue: lifetime_value ? this.#number(id, lifetime_value.value) : 0,
      doNotContact: do_not_contact?.value === "true" || do_not_contact?.value === "1",
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
