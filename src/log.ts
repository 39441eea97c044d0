import { inspect } from "node:util";
import type * as Pino from "pino";
import { requirePackage } from "./runtime/require-package.ts";
import { withoutSecrets } from "./secrets.ts";
import { visibleJson } from "./visible-text.ts";

/** What is logged to: one of pino, or another one that has these methods of it. */
export type Logger = Pick<Pino.Logger, "error" | "warn" | "info" | "debug">;

/** Never in a log: what customers wrote, who they are, and secrets. */
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
 * A structured logger that writes JSON lines to standard error and hides what must not be in a log.
 * @param level `silent` turns it off
 * @param output where else the lines go
 */
export function createLogger(level: string, output?: Pino.DestinationStream): Pino.Logger {
  const { destination, pino } = requirePackage("pino") as typeof Pino;
  const stream = output ?? destination({ fd: 2 });
  return pino(
    { level, redact: { paths: REDACTED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: "[redacted]" } },
    // A log may be read on a terminal, and what is in it comes from others.
    { write: (line: string) => stream.write(visibleJson(line)) },
  );
}

/** For places that were given no logger. */
export const silentLogger: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** What a log may say of a foreign error. */
export interface LoggedCause {
  kind: string;
  code?: string;
  message: string;
  stack?: string;
  cause?: LoggedCause;
}

const MAIL_ADDRESS = /[^\s<>"'@]{1,64}@[^\s<>"'@]{1,255}/g;
const MAX_TEXT_LENGTH = 500;

/** Cut first, so that no text is too long for the patterns; then again, with room for an address that the first cut went through. */
const safe = (text: string): string =>
  withoutSecrets(text.slice(0, 4 * MAX_TEXT_LENGTH))
    .replace(MAIL_ADDRESS, "[address]")
    .slice(0, MAX_TEXT_LENGTH);

/** A foreign error for the log: mail addresses and secrets hidden, long messages cut, the chain of causes followed five deep. */
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
