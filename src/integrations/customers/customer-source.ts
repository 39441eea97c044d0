import { z } from "zod";
import { identifier } from "../../identifier.ts";
import { withoutAbsent } from "../../json.ts";

const LINES = /^[\P{Cc}\t\r\n]*$/u;

/** Text as RDF and mail can carry it: no lone surrogates, no control characters beyond what `allowed` says. */
const text = (max: number, allowed: RegExp) =>
  z
    .string("must be a text")
    .max(max, `must have at most ${max} characters`)
    .refine((value) => value.isWellFormed() && allowed.test(value), "holds control characters");

/** A customer as a source knows them. `segment` and `lifetime_value` default as the graph's readers do: standard, 0. */
export const CustomerRecord = z.object({
  id: identifier("Id of the customer, read as everywhere."),
  name: text(500, LINES).optional(),
  email: text(320, LINES).optional(),
  segment: text(100, LINES).optional(),
  /** Null where one was given but not understood: then what is known of it already stays. */
  lifetime_value: z.number().nullable().optional(),
  do_not_contact: z.boolean("must be true or false").optional(),
});

export type CustomerRecord = z.infer<typeof CustomerRecord>;

export type CustomerField = keyof CustomerRecord;

/** Whether this is a customer's address; capital letters make no difference. */
export const hasEmail = ({ email }: CustomerRecord, address: string): boolean =>
  email?.toLowerCase() === address.toLowerCase();

/**
 * What several rows of one id say: the last one counts, but an objection to mail stays where it is silent about it, as an earlier
 * lifetime value does where its own was not understood.
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

/** What is wrong with the data of one customer, all of it in one. Names the fields, never their values. */
export interface CustomerIssue {
  /** Where a person finds it: `line 12`, `item 3 of page 2`, `answer`. */
  place: string;
  /** Where it could be read. */
  id?: string;
  message: string;
  /** False where the customer was taken all the same; the message says what became of the value at fault. */
  skipped: boolean;
}

/** What is to come along with a customer, where the source has it. */
export interface CustomerRequest {
  includeTransactions: boolean;
  includeInteractions: boolean;
  signal?: AbortSignal;
  /**
   * Called for whatever is wrong with the data; without it nobody hears of what `list` skips. `get` on a file also reports, once,
   * rows of which it is not known whose they are.
   */
  onIssue?: (issue: CustomerIssue) => void;
  /**
   * Called once for each column or property that is not read, at the end of `list`, and of a file when `get` has read it.
   * `similar` is the field that its name may have meant: above all, nobody must be written to because the column that
   * says so is called something else.
   */
  onUnreadColumn?: (column: string, similar?: CustomerField) => void;
}

/** Port: where customers come from. */
export interface CustomerSource {
  /**
   * Which source it is, kept with each customer: by it, one who is gone from this source is told from one who never was in it. The
   * same for one customer and for the list of all; without secrets. Default: all sources without a name are one.
   */
  readonly name?: string;

  /**
   * One customer, or undefined where the source does not know the id.
   * @throws IoError where the source can't be reached, times out or answers 5xx/429
   * @throws ValidationError where the data of this customer is not usable (`customer_invalid`), where the answer is none, or where it
   *   refuses us
   */
  get(id: string, request: CustomerRequest): Promise<CustomerRecord | undefined>;

  /**
   * All customers with this e-mail address, in any case. Absent where the source can't be asked so.
   * @throws as `get`
   */
  withEmail?(email: string, request: CustomerRequest): Promise<CustomerRecord[]>;

  /**
   * All customers as a stream: a whole file, or an endpoint page by page. What is no customer is skipped and told
   * to `onIssue`; an id may come more than once, then the last one counts (`mergedRecord`).
   * @throws IoError, ValidationError where the rest can't be read
   */
  list(request: CustomerRequest): AsyncIterable<CustomerRecord>;
}
