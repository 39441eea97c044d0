import { z } from "zod";
import { identifier } from "../../identifier.ts";
import { withoutAbsent } from "../../json.ts";

const LINES = /^[\P{Cc}\t\r\n]*$/u;

/**
 * A text that RDF and mail can hold: no lone surrogates, and no control characters except those
 * that `allowed` permits.
 */
const text = (max: number, allowed: RegExp) =>
  z
    .string("must be a text")
    .max(max, `must have at most ${max} characters`)
    .refine((value) => value.isWellFormed(), "contains half of a surrogate pair")
    .refine((value) => allowed.test(value), "contains control characters");

/**
 * A customer as returned by a source, without defaults. They apply when a customer is read from the
 * graph: an absent segment counts as standard, and an absent lifetime value as 0.
 */
export const CustomerRecord = z.object({
  id: identifier("Id of the customer, normalized like every id."),
  name: text(500, LINES).optional(),
  email: text(320, LINES).optional(),
  segment: text(100, LINES).optional(),
  /** Null if a value was given but not understood; then the value in the graph stays. */
  lifetime_value: z.number().nullable().optional(),
  do_not_contact: z.boolean("must be true or false").optional(),
});

export type CustomerRecord = z.infer<typeof CustomerRecord>;

export type CustomerField = keyof CustomerRecord;

/** Whether this is the customer's address, ignoring case. */
export const hasEmail = ({ email }: CustomerRecord, address: string): boolean =>
  email?.toLowerCase() === address.toLowerCase();

/**
 * Merges two rows with the same id. The last row counts. But if it says nothing about
 * `do_not_contact`, an earlier objection stays. If its lifetime value was not understood, an
 * earlier one stays.
 */
export function mergedRecord(earlier: CustomerRecord | undefined, last: CustomerRecord): CustomerRecord {
  const objects = last.do_not_contact ?? earlier?.do_not_contact;
  const value = last.lifetime_value === null ? earlier?.lifetime_value : undefined;
  return {
    ...last,
    ...(objects === true && { do_not_contact: true }),
    ...withoutAbsent({ lifetime_value: value }),
  };
}

/** What is wrong with the data of a customer or a source. Names fields, never their values. */
export interface CustomerIssue {
  /** Where a person can find it: `line 12`, `item 3 of page 2`, `answer`, `every row`. */
  place: string;
  /** The customer's id, if it could be read. */
  id?: string;
  message: string;
  /**
   * False if the customer was stored anyway; the message says what happened to the faulty value.
   */
  skipped: boolean;
}

/** What to request along with a customer, if the source has it. */
export interface CustomerRequest {
  includeTransactions: boolean;
  includeInteractions: boolean;
  signal?: AbortSignal;
  /**
   * Called once for each row or customer with faults, however many faults it has. `list` also calls
   * it for each mapped name that no row has. Without `onIssue`, `list` skips rows silently. If the
   * customer that `get` looks for can't be used, `get` throws instead. The first `get` after a file
   * was read also reports rows whose id can't be read, at most 20.
   */
  onIssue?: (issue: CustomerIssue) => void;
  /**
   * Called once for each column or property that is not read, at the end of `list`, and after `get`
   * has read a file. `similar` is the field that was probably meant. This matters most for
   * objections: nobody should get mail because the column that forbids it has a different name.
   */
  onUnreadColumn?: (column: string, similar?: CustomerField) => void;
}

/** The port for sources of customers. */
export interface CustomerSource {
  /**
   * The name of the source, stored with each customer. If this source doesn't know a customer, the
   * stored name shows whether the customer was removed from it or was never in it. A source has one
   * name, whether the customer came from `get` or from `list`. The name must not contain secrets.
   * All sources without a name count as one.
   */
  readonly name?: string;

  /**
   * Returns one customer, or undefined if the source doesn't know the id.
   * @throws IoError if the source can't be reached, times out or answers 5xx/429
   * @throws ValidationError if this customer's data (`customer_invalid`) or the answer is not
   *   usable, or the source refuses the content of the request
   * @throws UnexpectedError if the source refuses us: credentials, rights or URL
   */
  get(id: string, request: CustomerRequest): Promise<CustomerRecord | undefined>;

  /**
   * Returns all customers with this email address, ignoring case. Absent if the source can't search
   * by address.
   * @throws as `get`
   */
  withEmail?(email: string, request: CustomerRequest): Promise<CustomerRecord[]>;

  /**
   * Returns all customers as a stream: a whole file, or an endpoint page by page. Rows that are not
   * customers are skipped and reported to `onIssue`. An id may occur more than once; then the last
   * row counts (`mergedRecord`).
   * @throws IoError, ValidationError, UnexpectedError if the rest can't be read
   */
  list(request: CustomerRequest): AsyncIterable<CustomerRecord>;
}
