import { inspect } from "node:util";
import type * as Pino from "pino";
import { requirePackage } from "./runtime/require-package.ts";
import { withoutSecrets } from "./secrets.ts";
import { visibleJson } from "./visible-text.ts";

/** A logger: pino, or any object with these methods. */
export type Logger = Pick<Pino.Logger, "error" | "warn" | "info" | "debug">;

/** Fields that must never be logged: what customers wrote, who they are, and secrets. */
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
 * Creates a structured logger that writes JSON lines to standard error and hides what must not be
 * logged.
 * @param level `silent` turns it off
 * @param output where else the lines go
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
 * Cuts the text before matching, so none is too long for the patterns, and again afterwards. The
 * first cut keeps more, because it may split an address.
 */
const safe = (text: string): string =>
  withoutSecrets(text.slice(0, 4 * MAX_TEXT_LENGTH))
    .replace(MAIL_ADDRESS, "[address]")
    .slice(0, MAX_TEXT_LENGTH);

/**
 * Describes another library's error for the log: email addresses and secrets are hidden, long
 * messages are cut, and causes are followed five levels deep.
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
