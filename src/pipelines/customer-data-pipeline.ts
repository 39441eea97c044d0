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
import { silentLogger, type Logger } from "../log.ts";
import type { OntologyStore } from "../ontology/ontology-store.ts";
import {
  readCustomer,
  unusableCustomer,
  type CustomerReading,
  type RawCustomer,
} from "../integrations/customers/read-customer.ts";
import { StreamedCustomerSource } from "../integrations/customers/streamed-customer-source.ts";
import { Pipeline } from "../framework/pipeline.ts";
import { parse } from "../framework/validation.ts";
import { customerDataOperations } from "./customer-data-operations.ts";
import { customerUri, replaceCustomers } from "./customer-update.ts";
import { SingleFlight } from "../concurrency/single-flight.ts";

const STORE = "customer_data";
/**
 * How many customers one update stores: enough to save flushes, but few enough that the embedded
 * store, which blocks, is never busy for long.
 */
const BATCH_SIZE = 100;

export const CustomerDataPipelineParameters = z.object({
  customer_id: CustomerRecord.shape.id.describe("Id of the customer, as the source knows it"),
  include_transactions: z.boolean().default(false).describe("Whether to request transactions from the source as well"),
  include_interactions: z.boolean().default(false).describe("Whether to request interactions from the source as well"),
});

export type CustomerDataPipelineParameters = z.input<typeof CustomerDataPipelineParameters>;

/** The source and the store of customers. */
export interface CustomerDataPipelineConfiguration {
  customerSource: CustomerSource;
  ontologyStore: OntologyStore;
  /** Logs faults in the data, without the data. */
  logger?: Logger;
  /** The clock for the time at which customers were read; default: the system's. */
  clock?: () => Date;
}

export interface CustomerDataPipelineResult {
  customer_id: string;
  /** False if the source doesn't know the customer; the graph is then not changed. */
  found: boolean;
  customer_uri?: string;
}

export interface LoadCounts {
  /**
   * How many valid rows were stored. If an id occurs twice, both rows are counted, and the last one
   * is stored (see `mergedRecord`).
   */
  loaded: number;
  /** Rows skipped. */
  invalid: number;
}

export interface LoadOptions {
  signal?: AbortSignal;
  /** Called after every stored batch. */
  onProgress?: (counts: LoadCounts) => void;
  /** Called for every fault in the data, even if the row was stored (`skipped: false`). */
  onInvalid?: (issue: CustomerIssue) => void;
  /**
   * Called once for each column or property that is not read, with the field that its name may have
   * meant.
   */
  onUnreadColumn?: (column: string, similar?: CustomerField) => void;
}

/**
 * Copies customers from a source into the store `customer_data`. Each customer has one URI, and the
 * source's latest values are stored. If you ask for transactions or interactions, the source is
 * asked for them, but they are not stored.
 */
export class CustomerDataPipeline extends Pipeline<
  CustomerDataPipelineConfiguration,
  CustomerDataPipelineParameters,
  CustomerDataPipelineResult
> {
  override readonly name = "customer-data";
  override readonly operations = customerDataOperations(this);
  readonly #flights = new SingleFlight<CustomerDataPipelineResult>();

  /** Name of the source, stored with its customers. */
  get sourceName(): string | undefined {
    return this.configuration.customerSource.name;
  }

  /**
   * Fetches one customer and stores it. Concurrent runs with the same parameters share one fetch.
   * @throws ValidationError for invalid parameters or data
   * @throws IoError if source or store fail
   * @throws the signal's reason
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
   * Fetches and stores all customers of the source with this email address.
   * @throws ValidationError (`invalid_configuration`) if the source can't search by address;
   *   otherwise as `run`
   */
  async runForEmail(email: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { customerSource } = this.configuration;
    if (!customerSource.withEmail) {
      throw new ValidationError("The customer source can't find customers by their email address.", {
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
    const readings = records.map((record, at) => readRecord(record, `customer ${at + 1}`));
    for (const issue of readings.flatMap(({ issues }) => issues)) this.#log(issue);
    const valid = readings.flatMap(({ record }) => (record ? [record] : []));
    if (valid.length > 0) await this.#store(valid, time, this.sourceName);
  }

  /**
   * Loads all customers of the source as a stream, 100 in each update, so memory use stays
   * constant. Batches that are done stay stored after an abort or a failure, and you can run it
   * again.
   * @throws ValidationError if the source can't be listed or read any further
   * @throws IoError if source or store fail
   * @throws the signal's reason
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
   * Loads given customers, as `loadAll` loads those of the source. They are stored without the name
   * of a source.
   * @param items objects with the fields of a customer; anything else is skipped and reported to
   *   `onInvalid`
   * @returns yields the counts after every batch that is stored, and returns those at the end
   * @throws ValidationError, IoError if the store fails, what `items` throws, the signal's reason
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

    // Within a batch, rows with the same id become one record.
    const batch = new Map<string, CustomerRecord>();
    let read = 0;
    // The time at which the import begins: data from a long import may be as old as that.
    const time = this.#now();
    const flush = async (): Promise<LoadCounts> => {
      await this.#store([...batch.values()], time, source.name);
      batch.clear();
      counts.loaded = read;
      return { ...counts };
    };
    let row = 0;
    for await (const given of source.list(request)) {
      row += 1;
      const { record, issues } = readRecord(given, `customer ${row}`);
      issues.forEach(onIssue);
      if (!record) continue;
      batch.set(record.id, mergedRecord(batch.get(record.id), record));
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
    await this.#store([this.#checked(record, id)], time, this.sourceName);
    return { customer_id: id, found: true, customer_uri: customerUri(id) };
  }

  /** @throws ValidationError (`customer_invalid`) */
  #checked(given: unknown, id: string): CustomerRecord {
    const { record, issues } = readRecord(given, "answer");
    if (!record) throw unusableCustomer(id, issues);
    for (const issue of issues) this.#log(issue);
    return record;
  }

  async #store(records: readonly CustomerRecord[], time: Date, source: string | undefined): Promise<void> {
    await this.configuration.ontologyStore.change(STORE, replaceCustomers(records, { time, source }));
  }

  /** Logs a column only if its name resembles a field's. Others are not worth a warning. */
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
    logger.warn({ place, customer_id: id, skipped, problem: message }, "a customer's data has a fault");
  }
}

/**
 * A source of your own may return anything: its records are read like those of a file. Null as the
 * lifetime value means that a value was given but not understood, which a file can't say.
 */
function readRecord(given: unknown, place: string): CustomerReading {
  const raw: RawCustomer = typeof given === "object" && given !== null ? given : {};
  const { record, issues } = readCustomer(raw, place);
  if (!record) return { issues };
  return { record: raw.lifetime_value === null ? { ...record, lifetime_value: null } : record, issues };
}
