import { withoutAbsent } from "../../json.ts";
import type { Logger } from "../../log.ts";

/**
 * Logs that a client's message was refused, but not its content, which may be what a customer
 * wrote.
 */
export const logRefusalsTo =
  (logger: Logger, level: "debug" | "warn") =>
  (error: Error): void => {
    const { name, code } = error as Error & { code?: string | number };
    logger[level]({ kind: name, ...withoutAbsent({ code }) }, "an MCP message was refused");
  };
