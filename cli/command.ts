/**
 * Helpers for the files `*-command.ts`, which define how commands are called. The command line's
 * help comes from these files. They import nothing that is slow to load: the code of a command is
 * imported when the command is called.
 */
import { InvalidArgumentError, type Command } from "commander";
import { DURATION, toMilliseconds } from "../src/duration.ts";
import { ValidationError } from "../src/errors.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  data?: string;
  json?: true;
  /** Module with the user's workflows. */
  workflows?: string;
  /** URL of a service to call instead of opening files. */
  url?: string;
  token?: string;
}

const USAGE = "usage";

/** An error for a command that was called wrongly; it ends with exit code 2. */
export const usageError = (message: string): ValidationError => new ValidationError(message, { code: USAGE });

export const isUsageError = (error: unknown): boolean => error instanceof ValidationError && error.code === USAGE;

/** Parses options that may be given more than once. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

/** Parses options that are a whole number from 1 to 999,999,999. */
export function positiveNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError("It must be a whole number from 1 to 999999999.");
  return Number(value);
}

/** Parses options that are durations of at least 1s. */
export function duration(value: string): string {
  if (DURATION.test(value) && toMilliseconds(value) > 0) return value;
  throw new InvalidArgumentError("It must be a length of time of at least 1s, such as 30s or 5m.");
}

/** Adds examples below a command's help: for each, its meaning as a comment, then the command. */
export function addExamples(command: Command, ...examples: [line: string, meaning: string][]): Command {
  const lines = examples.map(([line, meaning]) => `  # ${meaning}\n  $ abi-workflows ${line}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
