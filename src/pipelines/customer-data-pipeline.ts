import { z } from "zod";
import {
  CustomerRecord,
  mergedRecord,
  type CustomerField,
  type CustomerIssue,
  type CustomerRequest,
  type CustomerSource,
} from "../integrations/customers/customer-source.ts";
import { ValidationError } from "../errors.ts";
import { withoutAbsent } from "../json.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { silentLogger, type Logger } from "../log.ts";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import { StreamedCustomerSource } from "../integrations/customers/streamed-customer-source.ts";
import { Pipeline } from "../workflow/pipeline.ts";
import { parse } from "../workflow/validation.ts";
import { customerDataOperations } from "./customer-data-operations.ts";
import { customerUri, replaceCustomers } from "./customer-update.ts";
import { SingleFlight } from "../concurrency/single-flight.ts";

const STORE = "customer_data";
/** One update a batch: large enough to spare flushes, small enough that the embedded store, which blocks, is never busy for long. */
const BATCH_SIZE = 100;

export const CustomerDataPipelineParameters = z.object({
  customer_id: CustomerRecord.shape.id.describe("Id of the customer, as the source knows it"),
  include_transactions: z.boolean().default(false).describe("Whether to request transactions from the source as well"),
  include_interactions: z.boolean().default(false).describe("Whether to request interactions from the source as well"),
});

export type CustomerDataPipelineParameters = z.input<typeof CustomerDataPipelineParameters>;

/** Where customers come from and where they go. */
export interface CustomerDataPipelineConfiguration {
  customerSource: CustomerSource;
  ontologyStore: OntologyStore;
  /** Told of faults in the data, without the data. */
  logger?: Logger;
  /** For the time at which customers were read; default: the system's. */
  clock?: () => Date;
}

export interface CustomerDataPipelineResult {
  customer_id: string;
  /** False where the source does not know the customer; the graph is then left as it is. */
  found: boolean;
  customer_uri?: string;
}

export interface LoadCounts {
  /** Good rows stored; an id that comes twice counts twice, and its last row stays. */
  loaded: number;
  /** Rows skipped. */
  invalid: number;
}

export interface LoadOptions {
  signal?: AbortSignal;
  /** After every batch that is stored. */
  onProgress?: (counts: LoadCounts) => void;
  /** For every fault in the data, also where the row was taken (`skipped: false`). */
  onInvalid?: (issue: CustomerIssue) => void;
  /** Once for each column or property that is not read, with the field that its name may have meant. */
  onUnreadColumn?: (column: string, similar?: CustomerField) => void;
}

/**
 * Moves customers from a source into the store `customer_data`: one customer, one URI, and what is stored is what the
 * source said last. Transactions and interactions are asked for where wanted, but not stored.
 */
export class CustomerDataPipeline extends Pipeline<
  CustomerDataPipelineConfiguration,
  CustomerDataPipelineParameters,
  CustomerDataPipelineResult
> {
  override readonly name = "customer-data";
  override readonly operations = customerDataOperations(this);
  readonly #flights = new SingleFlight<CustomerDataPipelineResult>();

  /** Name of the source, as it is kept with the customers that come from it. */
  get sourceName(): string | undefined {
    return this.configuration.customerSource.name;
  }

  /**
   * Fetches one customer and stores it. Concurrent runs with the same parameters share one fetch.
   * @throws ValidationError for bad parameters or data, IoError where source or store fail, the signal's reason
   */
  async run(
    parameters: CustomerDataPipelineParameters,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<CustomerDataPipelineResult> {
    const {
      customer_id: id,
      include_transactions: transactions,
      include_interactions: interactions,
    } = parse(CustomerDataPipelineParameters, parameters);
    return this.#flights.run(
      JSON.stringify([id, transactions, interactions]),
      (shared) =>
        this.#fetch(id, { includeTransactions: transactions, includeInteractions: interactions, signal: shared }),
      signal,
    );
  }

  /**
   * Fetches and stores all customers of the source with this e-mail address.
   * @throws ValidationError (`invalid_configuration`) where the source can't be asked so; otherwise as `run`
   */
  async runForEmail(email: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { customerSource } = this.configuration;
    if (!customerSource.withEmail) {
      throw new ValidationError("The customer source can't be asked for customers by their e-mail address.", {
        code: "invalid_configuration",
      });
    }
    const time = this.#now();
    const records = await customerSource.withEmail(email, {
      includeTransactions: false,
      includeInteractions: false,
      onIssue: (issue) => this.#log(issue),
      ...withoutAbsent({ signal }),
    });
    signal?.throwIfAborted();
    if (records.length > 0) await this.#store(records, time, this.sourceName);
  }

  /**
   * Loads all customers of the source as a stream, 100 an update; memory stays flat. After an abort or a failure the
   * batches before it are stored, and running it again does no harm.
   * @throws ValidationError where the source can't be listed or read on, IoError where source or store fail, the signal's reason
   */
  async loadAll({ onProgress, ...options }: LoadOptions = {}): Promise<LoadCounts> {
    const loading = this.#load(this.configuration.customerSource, options);
    for (;;) {
      const { done, value } = await loading.next();
      if (done) return value;
      onProgress?.(value);
    }
  }

  /**
   * Loads customers that somebody hands in, as `loadAll` loads those of the source. They are kept as coming from no source.
   * @param items objects with the fields of a customer; what is none is told to `onInvalid` and skipped
   * @returns yields the counts after every batch that is stored, and returns those at the end
   * @throws ValidationError, IoError where the store fails, what `items` throws, the signal's reason
   */
  importCustomers(
    items: AsyncIterable<unknown>,
    options: Omit<LoadOptions, "onProgress"> = {},
  ): AsyncGenerator<LoadCounts, LoadCounts, undefined> {
    return this.#load(new StreamedCustomerSource(items), options);
  }

  async *#load(
    source: Pick<CustomerSource, "list" | "name">,
    { signal, onInvalid, onUnreadColumn }: Omit<LoadOptions, "onProgress">,
  ): AsyncGenerator<LoadCounts, LoadCounts, undefined> {
    const counts: LoadCounts = { loaded: 0, invalid: 0 };
    const onIssue = (issue: CustomerIssue): void => {
      if (issue.skipped) counts.invalid += 1;
      this.#log(issue);
      onInvalid?.(issue);
    };
    const request = {
      includeTransactions: false,
      includeInteractions: false,
      onIssue,
      onUnreadColumn: (column: string, similar?: CustomerField) => {
        this.#logUnread(column, similar);
        onUnreadColumn?.(column, similar);
      },
      ...withoutAbsent({ signal }),
    };

    // Within a batch the last record of an id takes the place of those before it.
    const batch = new Map<string, CustomerRecord>();
    let read = 0;
    // Of the beginning: what is read in a long import is no newer than that for sure.
    const time = this.#now();
    const flush = async (): Promise<LoadCounts> => {
      await this.#store([...batch.values()], time, source.name);
      batch.clear();
      counts.loaded = read;
      return { ...counts };
    };
    for await (const record of source.list(request)) {
      const id = tidyIdentifier(record.id);
      batch.set(id, mergedRecord(batch.get(id), record));
      read += 1;
      if (batch.size === BATCH_SIZE) yield await flush();
      signal?.throwIfAborted();
    }
    if (batch.size > 0) yield await flush();
    return counts;
  }

  async #fetch(id: string, request: CustomerRequest): Promise<CustomerDataPipelineResult> {
    const time = this.#now();
    const record = await this.configuration.customerSource.get(id, {
      ...request,
      onIssue: (issue) => this.#log(issue),
      onUnreadColumn: (column, similar) => this.#logUnread(column, similar),
    });
    if (record === undefined) return { customer_id: id, found: false };
    request.signal?.throwIfAborted();
    await this.#store([record], time, this.sourceName);
    return { customer_id: id, found: true, customer_uri: customerUri(id) };
  }

  async #store(records: readonly CustomerRecord[], time: Date, source: string | undefined): Promise<void> {
    const tidy = records.map((record) => ({ ...record, id: tidyIdentifier(record.id) }));
    await this.configuration.ontologyStore.change(STORE, replaceCustomers(tidy, { time, source }));
  }

  /** Only where its name is like a field's: what else a source has is its own business. */
  #logUnread(column: string, similar: CustomerField | undefined): void {
    if (similar === undefined) return;
    const logger = this.configuration.logger ?? silentLogger;
    logger.warn({ column, similar }, "a column of the customer data is not read; did you mean this field?");
  }

  #now(): Date {
    return this.configuration.clock?.() ?? new Date();
  }

  #log({ place, id, message, skipped }: CustomerIssue): void {
    const logger = this.configuration.logger ?? silentLogger;
    logger.warn({ place, customer_id: id, skipped, problem: message }, "fault in the data of a customer");
  }
}
