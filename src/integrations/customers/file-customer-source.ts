import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { tidyIdentifier } from "../../identifier.ts";
import type { FileRow, RowReader } from "../../row-file/row.ts";
import { ROW_FILE_ENDINGS, rowReaderFor } from "../../row-file/row-reader.ts";
import type { CustomerIssue, CustomerRecord, CustomerRequest, CustomerSource } from "./customer-source.ts";
import { fieldOf, pickFields, readCustomer, type CustomerReading } from "./read-customer.ts";

interface Index {
  /** Changes with the file. */
  stamp: string;
  customers: Promise<Map<string, CustomerReading>>;
}

/**
 * Customers in a UTF-8 file: a JSON array (`.json`), one JSON object a line (`.jsonl`, `.ndjson`), or CSV with a header
 * (`.csv`, `.tsv`). Fields: id, name, email, segment, lifetime_value, do_not_contact, also as `lifetimeValue` or
 * `Lifetime Value`; others are ignored.
 *
 * `list` streams the file. `get` reads it whole at the first call and whenever its size or modification time has
 * changed, and keeps it in memory: about 0.4 KB a customer. Beyond a million customers import the file into the graph
 * instead. What `request` includes makes no difference: a file has neither transactions nor interactions.
 */
export class FileCustomerSource implements CustomerSource {
  readonly #path: string;
  readonly #read: RowReader;
  #index: Index | undefined;

  /** @throws ValidationError for a file name with another ending; the file itself is not touched before it is needed */
  constructor(path: string) {
    const read = rowReaderFor(path);
    if (read === undefined) {
      throw new ValidationError(`The customer file "${basename(path)}" must end in ${ROW_FILE_ENDINGS}.`, {
        code: "invalid_configuration",
      });
    }
    this.#path = path;
    this.#read = read;
  }

  async get(id: string, { signal, onIssue }: CustomerRequest): Promise<CustomerRecord | undefined> {
    signal?.throwIfAborted();
    const customers = await this.#customers();
    signal?.throwIfAborted();
    const found = customers.get(tidyIdentifier(id));
    if (found === undefined || found.record !== undefined) {
      for (const issue of found?.issues ?? []) onIssue?.(issue);
      return found?.record;
    }
    const problems = found.issues.map(({ place, message }) => `${place}: ${message}`).join("; ");
    throw new ValidationError(`The data of customer ${id} in the customer file is not usable (${problems}).`, {
      code: "customer_invalid",
    });
  }

  async *list({ signal, onIssue }: CustomerRequest): AsyncGenerator<CustomerRecord> {
    for await (const { record, issues } of this.#readings()) {
      signal?.throwIfAborted();
      for (const issue of issues) onIssue?.(issue);
      if (record !== undefined) yield record;
    }
  }

  /** The index of the file as it is now; concurrent callers share the reading. */
  async #customers(): Promise<Map<string, CustomerReading>> {
    const { size, mtimeMs, ino } = await stat(this.#path).catch((error: unknown) => {
      throw this.#unreadable(error);
    });
    // A file that changes while it is read has another stamp at the next call, and is read again.
    const stamp = `${ino} ${size} ${mtimeMs}`;
    if (this.#index?.stamp !== stamp) this.#index = { stamp, customers: this.#buildIndex() };
    const index = this.#index;
    try {
      return await index.customers;
    } catch (error) {
      if (this.#index === index) this.#index = undefined;
      throw error;
    }
  }

  /** The last good row of an id counts, as it does in an import; a bad one is kept only where there is no good one. */
  async #buildIndex(): Promise<Map<string, CustomerReading>> {
    const customers = new Map<string, CustomerReading>();
    for await (const reading of this.#readings()) {
      const id = reading.record?.id ?? reading.issues[0]?.id;
      if (id === undefined) continue;
      if (reading.record !== undefined || customers.get(id)?.record === undefined) customers.set(id, reading);
    }
    return customers;
  }

  async *#readings(): AsyncGenerator<CustomerReading> {
    const stream = createReadStream(this.#path);
    try {
      // How much of it is read is not asked for: its size does not matter.
      for await (const row of this.#read(stream, 1, checkColumns)) yield toReading(row);
    } catch (error) {
      throw isAbiError(error) ? error : this.#unreadable(error);
    } finally {
      stream.destroy();
    }
  }

  #unreadable(cause: unknown): IoError {
    return new IoError(
      `The customer file "${basename(this.#path)}" can't be read. Check that it exists and may be read, or configure another one.`,
      { code: "customer_file_unreadable", cause },
    );
  }
}

function checkColumns(columns: readonly string[]): void {
  if (columns.map(fieldOf).includes("id")) return;
  throw new ValidationError(
    "The customer file needs a first line that names its columns, among them id. Known are id, name, email, segment, " +
      "lifetime_value and do_not_contact. Save it as CSV in UTF-8.",
    { code: "customer_file_invalid" },
  );
}

function toReading({ line, values = {}, problem, broken }: FileRow): CustomerReading {
  if (broken !== undefined) {
    throw new ValidationError(`The customer file can't be read from line ${line} on: ${broken}.`, {
      code: "customer_file_invalid",
    });
  }
  const place = `line ${line}`;
  const reading = readCustomer(pickFields(values), place);
  if (problem === undefined) return reading;
  const id = reading.record?.id ?? reading.issues[0]?.id;
  const issue: CustomerIssue = { place, ...(id !== undefined && { id }), message: problem, skipped: true };
  return { issues: [issue] };
}
