import { tidyIdentifier } from "../../identifier.ts";
import { CustomerRecord, type CustomerIssue } from "./customer-source.ts";

type Field = keyof CustomerRecord;

/** A customer's fields as they came, not yet checked. */
export type RawCustomer = Partial<Record<Field, unknown>>;

/** Field names in the spellings that files and services use, with case, spaces, `_` and `-` taken out. */
const SPELLINGS = new Map<string, Field>([
  ["id", "id"],
  ["customerid", "id"],
  ["name", "name"],
  ["email", "email"],
  ["segment", "segment"],
  ["lifetimevalue", "lifetime_value"],
  ["donotcontact", "do_not_contact"],
]);

/** The field that a column or property stands for: `lifetimeValue`, `Lifetime Value` and `lifetime_value` are one. */
export const fieldOf = (name: string): Field | undefined => SPELLINGS.get(name.toLowerCase().replaceAll(/[\s_-]/g, ""));

/** The known fields of an object; of two spellings of one field the first counts. */
export function pickFields(object: object): RawCustomer {
  const raw: RawCustomer = {};
  for (const [name, value] of Object.entries(object)) {
    const field = fieldOf(name);
    if (field !== undefined) raw[field] ??= value;
  }
  return raw;
}

export interface CustomerReading {
  /** Absent where the data is no customer. */
  record?: CustomerRecord;
  issues: CustomerIssue[];
}

/**
 * Checks one customer. Texts are trimmed, empty ones and null are absent; numbers in text fields become text;
 * `do_not_contact` may be written true/false, yes/no, 1/0. A `lifetime_value` that is no number is left out and reported:
 * the customer is known all the same. Anything else at fault makes the data no customer: better none than one whom
 * we may not write to, or whose name is half read.
 */
export function readCustomer(raw: RawCustomer, place: string): CustomerReading {
  const given = asText(raw.id);
  const id = typeof given === "string" ? tidyIdentifier(given) : given;
  const value = asNumber(raw.lifetime_value);
  const parsed = CustomerRecord.safeParse({
    id: id ?? "",
    name: asText(raw.name),
    email: asText(raw.email),
    segment: asText(raw.segment),
    lifetime_value: value === "invalid" ? undefined : value,
    do_not_contact: asBoolean(raw.do_not_contact),
  });
  const issue = (message: string, skipped: boolean): CustomerIssue => ({
    place,
    ...(typeof id === "string" && id !== "" && id.length <= 200 && { id }),
    message,
    skipped,
  });

  const issues = value === "invalid" ? [issue("lifetime_value is not a number: left out", !parsed.success)] : [];
  if (parsed.success) return { record: withoutUndefined(parsed.data), issues };
  const message = parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
  return { issues: [...issues, issue(message, true)] };
}

/** What can't be text is handed on as it is, for the schema to refuse. */
function asText(value: unknown): unknown {
  if (typeof value === "string") return value.trim() === "" ? undefined : value.trim();
  // Beyond the safe integers a JSON number is no longer the id that was written.
  if (Number.isSafeInteger(value)) return String(value);
  return value ?? undefined;
}

function asNumber(value: unknown): number | undefined | "invalid" {
  if (typeof value === "number") return Number.isFinite(value) ? value : "invalid";
  const text = asText(value);
  if (text === undefined) return undefined;
  if (typeof text !== "string" || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return "invalid";
  const number = Number(text);
  return Number.isFinite(number) ? number : "invalid";
}

const WORDS = new Map<unknown, boolean>([
  ["true", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["0", false],
]);

function asBoolean(value: unknown): unknown {
  const text = asText(value);
  return typeof text === "string" ? (WORDS.get(text.toLowerCase()) ?? text) : text;
}

const withoutUndefined = (record: CustomerRecord): CustomerRecord =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as CustomerRecord;
