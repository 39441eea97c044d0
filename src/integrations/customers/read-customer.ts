import { ValidationError } from "../../errors.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import { withoutAbsent } from "../../json.ts";
import { normalizedName, similarField } from "../../row-file/column-name.ts";
import { readYesNo } from "../../row-file/yes-no.ts";
import { readEmailAddress } from "../email/email-address.ts";
import { CustomerRecord, type CustomerField, type CustomerIssue, type CustomerRequest } from "./customer-source.ts";
import { numberFrom, readNumber, type DecimalMark } from "./written-number.ts";

/** A customer's fields as received, before any check. */
export type RawCustomer = Partial<Record<CustomerField, unknown>>;

/**
 * Where a source keeps each field: the name of a column or property, or a dotted path into a
 * property.
 */
export type FieldNames = Partial<Record<CustomerField, string>>;

const FIELDS = CustomerRecord.keyof().options;

/**
 * Spellings of field names in files and services, in lower case and with only letters and digits.
 */
const SPELLINGS = new Map<string, CustomerField>([
  ["id", "id"],
  ["customerid", "id"],
  ["name", "name"],
  ["email", "email"],
  ["segment", "segment"],
  ["lifetimevalue", "lifetime_value"],
  ["donotcontact", "do_not_contact"],
]);

/** Names of columns that say who may or may not be contacted. */
const CONSENT =
  /donot|dont|opt(?:ed)?(?:out|in)|unsubscri|subscribed|no(?:contact|mail|email|marketing)|dnc|objection|consent|suppress|blocked|permission|gdpr|maycontact|contactable|newsletter|widerspr|sperr|abgemeldet|abbestellt|einwilligung|kontaktieren|desabonn|desinscri/;

/**
 * The field that a column or property contains: `lifetimeValue`, `Lifetime Value` and
 * `lifetime_value` are the same.
 */
export const fieldOf = (name: string): CustomerField | undefined => SPELLINGS.get(normalizedName(name));

/** How many unread columns are remembered. Those about consent are always remembered. */
const MAX_UNREAD_COLUMNS = 200;

/**
 * Finds the fields in a source's rows, and remembers what it didn't read. For one pass through the
 * source.
 */
export class CustomerFields {
  readonly #names: FieldNames;
  readonly #mapped: ReadonlyMap<string, CustomerField>;
  /** Properties that a mapped name reads as a whole or in part. */
  readonly #roots: ReadonlySet<string>;
  readonly #unread = new Set<string>();
  readonly #found = new Set<CustomerField>();
  #rows = 0;

  constructor(names: FieldNames = {}) {
    this.#names = names;
    this.#roots = new Set(Object.values(names).map((path) => path.split(".", 1)[0] ?? path));
    this.#mapped = new Map(FIELDS.flatMap((field) => (names[field] === undefined ? [] : [[names[field], field]])));
  }

  /** The field that a column is read for, if any. */
  fieldOf(column: string): CustomerField | undefined {
    const field = this.#mapped.get(column) ?? fieldOf(column);
    return field === undefined || (this.#names[field] ?? column) === column ? field : undefined;
  }

  /**
   * Registers the columns of a file with a heading. If several columns mean the same field, only
   * the first is read; for do_not_contact, all are.
   */
  addColumns(columns: readonly string[]): void {
    const seen = new Set<CustomerField>();
    for (const [at, column] of columns.entries()) {
      const field = this.fieldOf(column);
      const isRead = field === "do_not_contact" ? columns.indexOf(column) === at : field && !seen.has(field);
      if (field === undefined || !isRead) this.#rememberUnread(column);
      else seen.add(field);
    }
  }

  /**
   * The known fields of one customer. If a field has two spellings, the first value that is not
   * null counts; for do_not_contact, any objection counts.
   */
  pick(value: unknown): RawCustomer {
    const raw: RawCustomer = {};
    if (typeof value !== "object" || value === null || Array.isArray(value)) return raw;
    this.#rows += 1;
    for (const [field, path] of Object.entries(this.#names) as [CustomerField, string][]) {
      const given = Object.hasOwn(value, path) ? (value as Record<string, unknown>)[path] : valueAt(value, path);
      if (given === undefined) continue;
      raw[field] = given;
      this.#found.add(field);
    }
    for (const [name, given] of Object.entries(value)) {
      const field = this.fieldOf(name);
      if (field !== undefined && this.#names[field] === undefined) {
        if (field === "do_not_contact" && isObjection(given)) raw[field] = given;
        else raw[field] ??= given;
      } else if (field === undefined && !this.#roots.has(name)) this.#rememberUnread(name);
    }
    return raw;
  }

  /** Reports columns that are not read, and mapped names that no row has. */
  report({ onIssue, onUnreadColumn }: CustomerRequest): void {
    for (const column of this.#unread) onUnreadColumn?.(column, likelyField(column));
    if (this.#rows === 0) return;
    for (const [field, name] of Object.entries(this.#names) as [CustomerField, string][]) {
      if (this.#found.has(field)) continue;
      const message = `there is no "${name}", which was mapped to ${field}`;
      onIssue?.({ place: "every row", message, skipped: false });
    }
  }

  #rememberUnread(column: string): void {
    if (column !== "" && (this.#unread.size < MAX_UNREAD_COLUMNS || likelyField(column) === "do_not_contact")) {
      this.#unread.add(column);
    }
  }
}

/** The field that an unread column may have meant. */
export function likelyField(column: string): CustomerField | undefined {
  return CONSENT.test(normalizedName(column)) ? "do_not_contact" : (fieldOf(column) ?? similarField(column, FIELDS));
}

/**
 * The value at a dotted path; undefined if there is none. Own properties only: `constructor` and
 * `__proto__` are not fields of a customer.
 */
export function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    return (at as Record<string, unknown>)[key];
  }, value);
}

export interface CustomerReading {
  /** Absent if the data is not a customer. */
  record?: CustomerRecord;
  issues: CustomerIssue[];
}

/**
 * Checks one customer. Texts are trimmed; empty texts and null count as absent; whole numbers in
 * text fields become text. An unusable address is left out, a `lifetime_value` that can't be read
 * becomes null, and a `do_not_contact` that is neither yes nor no counts as yes, so that nobody
 * gets an unwanted email. The customer is then accepted, with an issue that says so. With any other
 * fault, the data is not a customer: better none than one with half a name.
 * @param mark the decimal mark of the column, for an ambiguous `lifetime_value`
 * @returns at most one issue, however many faults there are
 */
export function readCustomer(raw: RawCustomer, place: string, mark?: DecimalMark): CustomerReading {
  const given = asText(raw.id);
  const id = typeof given === "string" ? tidyIdentifier(given) : given;
  const faults: string[] = [];
  const parsed = CustomerRecord.safeParse({
    id: id ?? "",
    name: asText(raw.name),
    email: asAddress(raw.email, faults),
    segment: asText(raw.segment),
    lifetime_value: asNumber(raw.lifetime_value, mark, faults),
    do_not_contact: asBoolean(raw.do_not_contact, faults),
  });
  const all = [...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`), ...faults];
  const issue: CustomerIssue = {
    place,
    ...(typeof id === "string" && id !== "" && id.length <= 200 && { id }),
    message: all.join("; "),
    skipped: !parsed.success,
  };
  return {
    ...(parsed.success && { record: withoutAbsent(parsed.data) }),
    issues: all.length > 0 ? [issue] : [],
  };
}

/** The error for a customer that a source knows, but whose data is not usable. */
export const unusableCustomer = (id: string, issues: readonly CustomerIssue[]): ValidationError => {
  const faults = issues.map(({ message }) => message).join("; ");
  return new ValidationError(`The customer source's data for customer ${id} is not usable (${faults}).`, {
    code: "customer_invalid",
  });
};

/** Whether a number is ambiguous, so that the other numbers in its column must decide. */
export const isAmbiguous = (value: unknown): boolean =>
  typeof value === "string" && readNumber(value).kind === "ambiguous";

/** Values that can't be text are passed on unchanged, for the schema to refuse. */
function asText(value: unknown): unknown {
  if (typeof value === "string") return value.trim() === "" ? undefined : value.trim();
  // Beyond the safe integers a JSON number is no longer the id that was written.
  if (Number.isSafeInteger(value)) return String(value);
  return value ?? undefined;
}

function asAddress(value: unknown, faults: string[]): unknown {
  const text = asText(value);
  if (typeof text !== "string") return text;
  const read = readEmailAddress(text);
  if ("address" in read) return read.address;
  const is = read.problem === "several" ? "is more than one address" : "is not an address that email can be sent to";
  faults.push(`email ${is}: left out`);
  return undefined;
}

/** Null if a value was given but not understood. */
function asNumber(value: unknown, mark: DecimalMark | undefined, faults: string[]): number | null | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const text = asText(value);
  if (text === undefined) return undefined;
  const read = typeof text === "string" ? readNumber(text) : ({ kind: "invalid" } as const);
  const number = numberFrom(read, mark);
  if (number !== undefined) return number;
  faults.push(
    read.kind === "invalid"
      ? "lifetime_value is not a number: left out"
      : "lifetime_value can be read in two ways, and nothing shows whether point or comma is the decimal mark: left out",
  );
  return null;
}

function asBoolean(value: unknown, faults: string[]): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = asText(value);
  if (text === undefined) return undefined;
  const read = typeof text === "string" ? readYesNo(text) : undefined;
  if (read === undefined) faults.push("do_not_contact is neither true nor false: counts as true");
  return read ?? true;
}

/** Whether a value of `do_not_contact` counts as yes; one that is neither yes nor no does, too. */
const isObjection = (value: unknown): boolean => asBoolean(value, []) === true;
