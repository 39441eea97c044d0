import { inspect } from "node:util";
import type * as Pino from "pino";
import { requirePackage } from "./runtime/require-package.ts";
import { withoutSecrets } from "./secrets.ts";
import { visibleJson } from "./visible-text.ts";

/** A logger: pino, or any object with these methods. */
export type Logger = Pick<Pino.Logger, "error" | "warn" | "info" | "debug">;

/**
 * Fields that must not be logged, because they say what customers wrote or who they are, or are
 * secrets.
 */
const REDACTED = [
  "subject",
  "text",
  "feedback_text",
  "name",
  "customer_name",
  "email",
  "recipient",
  "to",
  "authorization",
  "password",
  "apiKey",
];

/**
 * Creates a structured logger that writes JSON lines. Fields that must not be logged (texts,
 * names, addresses, secrets) become `[redacted]` on the first three levels of an entry.
 * @param level `silent` turns it off
 * @param output where the lines go; default: standard error
 */
export function createLogger(level: string, output?: Pino.DestinationStream): Pino.Logger {
  const { destination, pino } = requirePackage("pino") as typeof Pino;
  const stream = output ?? destination({ fd: 2 });
  return pino(
    { level, redact: { paths: REDACTED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" } },
    // A log may be read in a terminal, and may contain text from strangers.
    { write: (line: string) => stream.write(visibleJson(line)) },
  );
}

/** A logger that logs nothing; used if none is given. */
export const silentLogger: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** The fields of another library's error that may be logged. */
export interface LoggedCause {
  kind: string;
  code?: string;
  message: string;
  stack?: string;
  cause?: LoggedCause;
}

const MAIL_ADDRESS = /[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}/g;
const MAX_TEXT_LENGTH = 500;

/**
 * Hides secrets and email addresses. The text is cut before, because the patterns are slow on long
 * texts, and again afterwards. The first cut keeps more, because it may split an address.
 */
const safe = (text: string): string =>
  withoutSecrets(text.slice(0, 4 * MAX_TEXT_LENGTH))
    .replace(MAIL_ADDRESS, "[address]")
    .slice(0, MAX_TEXT_LENGTH);

/**
 * Describes another library's error for the log. Email addresses and secrets are hidden, and
 * messages are cut after 500 characters.
 * @param depth how many errors to describe: the error itself, its cause, that one's cause and so on
 */
export function describeCause(error: unknown, depth = 5): LoggedCause | undefined {
  if (error === undefined || error === null || depth === 0) return undefined;
  if (!(error instanceof Error)) return { kind: typeof error, message: safe(inspect(error)) };
  const code = (error as { code?: unknown }).code;
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  const cause = describeCause(error.cause, depth - 1);
  return {
    kind: error.constructor.name,
    ...(code !== undefined && { code: safe(inspect(code)) }),
    message: safe(error.message),
    ...(frames?.length ? { stack: frames.slice(0, 12).join("\n") } : {}),
    ...(cause ? { cause } : {}),
  };
}
