import { ValidationError } from "../../errors.ts";
import type { RawCustomer } from "./read-customer.ts";

/** One entry of a file: what it says of a customer, or why it can't be read (`raw` then has what could be). */
export interface Row {
  /** 1-based line on which it begins. */
  line: number;
  raw: RawCustomer;
  problem?: string;
}

/** A longer entry is a broken file (a quote or bracket left open), not a customer. In characters. */
export const MAX_ENTRY = 1_000_000;

/** From this line on nothing can be made out. */
export const brokenFile = (line: number, problem: string, cause?: unknown): ValidationError =>
  new ValidationError(`The customer file can't be read from line ${line} on: ${problem}`, {
    code: "customer_file_invalid",
    cause,
  });
