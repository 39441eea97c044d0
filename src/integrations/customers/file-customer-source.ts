import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { withoutAbsent } from "../../json.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import { placeOf, type FileRow } from "../../row-file/row.ts";
import { ROW_FILE_ENDINGS, rowReaderFor } from "../../row-file/row-reader.ts";
import { quotedName, shownName } from "../../secrets.ts";
import {
  hasEmail,
  mergedRecord,
  type CustomerIssue,
  type CustomerRecord,
  type CustomerRequest,
  type CustomerSource,
} from "./customer-source.ts";
import {
  CustomerFields,
  isAmbiguous,
  readCustomer,
  type CustomerReading,
  type FieldNames,
  type RawCustomer,
} from "./read-customer.ts";
import { NumberColumn, type DecimalMark } from "./written-number.ts";

interface Index {
  /** Changes when the file changes. */
  stamp: string;
  customers: Promise<Map<string, CustomerReading>>;
  fields: CustomerFields;
  /** Rows whose id can't be read. */
  unreadable: CustomerIssue[];
  isReported: boolean;
}

/** How many rows without a readable id `get` reports; an import reports all. */
const MAX_UNREADABLE = 20;

export interface FileCustomerSourceOptions {
  /**
   * Columns or properties with different names: `{ id: "Customer No.", email: "contact.email" }`.
   * All others are found by their names.
   */
  fields?: FieldNames;
}

/**
 * Customers in a file in UTF-8 or UTF-16: a JSON array (`.json`), one JSON object a line (`.jsonl`,
 * `.ndjson`), or CSV with a header (`.csv`, `.tsv`). Fields: id, name, email, segment,
 * lifetime_value, do_not_contact, also as `lifetimeValue` or `Lifetime Value`; other columns are
 * reported to `onUnreadColumn`. A row that can't be read doesn't affect other customers. But if
 * nothing after it can be read either, as with broken JSON, the call throws a ValidationError.
 *
 * Numbers may be written with a decimal point or comma. A number that can be read in both ways
 * (`6.000`) is read as the other numbers in the file suggest; in that case, the file is read twice.
 *
 * `list` streams the file. `get` and `withEmail` read it whole at the first call, and again when
 * its size or modification time has changed, and keep it in memory: about 0.4 kB a customer. With
 * more than a million customers, import the file into the graph instead. Requests for transactions
 * and interactions have no effect, because a file has none.
 */
export class FileCustomerSource implements CustomerSource {
  readonly name: string;
  readonly #path: string;
  readonly #loadReader: NonNullable<ReturnType<typeof rowReaderFor>>;
  readonly #names: FieldNames;
  #index: Index | undefined;

  /**
   * Does not open the file; the first call that needs it does.
   * @throws ValidationError for a file name with an ending that is not supported
   */
  constructor(path: string, { fields = {} }: FileCustomerSourceOptions = {}) {
    const loadReader = rowReaderFor(path);
    if (loadReader === undefined) {
      throw new ValidationError(`The customer file${quotedName(path)} must end in ${ROW_FILE_ENDINGS}.`, {
        code: "invalid_configuration",
      });
    }
    // Only the file's name: the folder may differ between machines, and is private.
    this.name = shownName(path) ?? "file";
    this.#path = path;
    this.#loadReader = loadReader;
    this.#names = fields;
  }

  async get(id: string, request: CustomerRequest): Promise<CustomerRecord | undefined> {
    const { signal, onIssue } = request;
    signal?.throwIfAborted();
    const index = await this.#readIndex();
    const customers = await index.customers;
    signal?.throwIfAborted();
    if (!index.isReported) {
      index.fields.report({ ...request, onIssue: () => {} });
      // Otherwise a customer in such a row would just be "not found", and nobody would know why.
      for (const issue of index.unreadable) onIssue?.(issue);
    }
    index.isReported = true;
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

  async withEmail(email: string, { signal }: CustomerRequest): Promise<CustomerRecord[]> {
    signal?.throwIfAborted();
    const customers = await (await this.#readIndex()).customers;
    signal?.throwIfAborted();
    return [...customers.values()].flatMap(({ record }) => (record && hasEmail(record, email) ? [record] : []));
  }

  async *list(request: CustomerRequest): AsyncGenerator<CustomerRecord> {
    const fields = new CustomerFields(this.#names);
    for await (const { record, issues } of this.#readings(fields)) {
      request.signal?.throwIfAborted();
      for (const issue of issues) request.onIssue?.(issue);
      if (record !== undefined) yield record;
    }
    fields.report(request);
  }

  /** The index of the current file. Concurrent callers share one read. */
  async #readIndex(): Promise<Index> {
    const { size, mtimeMs, ino } = await stat(this.#path).catch((error: unknown) => {
      throw this.#unreadable(error);
    });
    // If the file changes while it is read, the next call sees another stamp and reads it again.
    const stamp = `${ino} ${size} ${mtimeMs}`;
    if (this.#index?.stamp !== stamp) {
      const fields = new CustomerFields(this.#names);
      const unreadable: CustomerIssue[] = [];
      this.#index = { stamp, customers: this.#buildIndex(fields, unreadable), fields, unreadable, isReported: false };
    }
    const index = this.#index;
    try {
      await index.customers;
      return index;
    } catch (error) {
      if (this.#index === index) this.#index = undefined;
      throw error;
    }
  }

  /**
   * The last valid row of an id counts, as in an import. An invalid row is only kept if there is no
   * valid one.
   */
  async #buildIndex(fields: CustomerFields, unreadable: CustomerIssue[]): Promise<Map<string, CustomerReading>> {
    const customers = new Map<string, CustomerReading>();
    for await (const reading of this.#readings(fields)) {
      const id = reading.record?.id ?? reading.issues[0]?.id;
      if (id === undefined) {
        if (unreadable.length < MAX_UNREADABLE) unreadable.push(...reading.issues);
        continue;
      }
      const earlier = customers.get(id)?.record;
      if (reading.record !== undefined) {
        customers.set(id, { ...reading, record: mergedRecord(earlier, reading.record) });
      } else if (earlier === undefined) {
        customers.set(id, reading);
      }
    }
    return customers;
  }

  async *#readings(fields: CustomerFields): AsyncGenerator<CustomerReading> {
    let mark: Promise<DecimalMark | undefined> | undefined;
    for await (const row of this.#rows(fields)) {
      const raw = fields.pick(row.values);
      mark ??= isAmbiguous(raw.lifetime_value) ? this.#decimalMark() : undefined;
      yield toReading(row, raw, await mark);
    }
  }

  async #decimalMark(): Promise<DecimalMark | undefined> {
    const column = new NumberColumn();
    const fields = new CustomerFields(this.#names);
    for await (const { values, problem } of this.#rows(fields)) {
      if (problem === undefined) column.add(fields.pick(values).lifetime_value);
    }
    return column.mark;
  }

  async *#rows(fields: CustomerFields): AsyncGenerator<FileRow> {
    // Load the reader before opening the stream, so that the stream's errors always have a
    // listener.
    const read = await this.#loadReader();
    const stream = createReadStream(this.#path);
    const onColumns = (columns: readonly string[]): void => {
      checkColumns(columns, fields, this.#names);
      fields.addColumns(columns);
    };
    try {
      // No progress is reported here, so the size doesn't matter.
      for await (const row of read(stream, 1, onColumns)) yield row;
    } catch (error) {
      throw isAbiError(error) ? error : this.#unreadable(error);
    } finally {
      stream.destroy();
    }
  }

  #unreadable(error: unknown): IoError {
    // Node's error contains the whole path, which may be a mistyped URL with a password.
    const { code, message } = error as NodeJS.ErrnoException;
    const cause = new Error(code ?? message);
    return new IoError(
      `The customer file${quotedName(this.#path)} can't be read. Check that it exists and may be read, or configure another one.`,
      { code: "customer_file_unreadable", cause },
    );
  }
}

function checkColumns(columns: readonly string[], fields: CustomerFields, names: FieldNames): void {
  const missing = Object.values(names).find((name) => !columns.includes(name));
  if (missing !== undefined) {
    throw invalidFile(`The customer file has no column "${missing}". It has: ${columns.join(", ")}.`);
  }
  if (columns.some((column) => fields.fieldOf(column) === "id")) return;
  throw invalidFile(
    "The customer file needs a first line that names its columns, among them id. Known are id, name, email, segment, " +
      "lifetime_value and do_not_contact; columns with other names can be mapped to them (--map id=<column>).",
  );
}

const invalidFile = (message: string): ValidationError =>
  new ValidationError(message, { code: "customer_file_invalid" });

function toReading(row: FileRow, raw: RawCustomer, mark?: DecimalMark): CustomerReading {
  const { line, problem, broken } = row;
  if (broken !== undefined) throw invalidFile(`The customer file can't be read from line ${line} on: ${broken}.`);
  const place = placeOf(row);
  const reading = readCustomer(raw, place, mark);
  if (problem === undefined) return reading;
  const id = reading.record?.id ?? reading.issues[0]?.id;
  const issue: CustomerIssue = { place, ...withoutAbsent({ id }), message: problem, skipped: true };
  return { issues: [issue] };
}
