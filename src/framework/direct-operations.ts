import { isAbiError, toAbiError } from "../errors.ts";
import { describeCause, silentLogger, type Logger } from "../log.ts";
import type { DirectOperation, OperationCall } from "./operation.ts";
import { parse } from "./validation.ts";

/** A direct operation as interfaces call it: the input is checked, and errors are thrown. */
export const directCall = (operation: DirectOperation): OperationCall =>
  // A direct operation has no steps to report.
  // oxlint-disable-next-line require-yield
  async function* (args, options) {
    return operation.run(parse(operation.input, args), options);
  };

/**
 * Logs the cause of an unexpected error, because callers don't see it. Other errors are not logged.
 */
export function logUnexpected(logger: Logger, error: unknown, about: object = {}): void {
  const { type, cause } = toAbiError(error);
  if (!isAbiError(error) || type === "unexpected_error") {
    logger.error({ ...about, cause: describeCause(cause) }, "an operation failed unexpectedly");
  }
}

/** Offers operations that belong to no workflow in the same form as those of a workflow. */
export const withoutWorkflow = (operations: readonly DirectOperation[], logger: Logger = silentLogger) => ({
  operations,
  operationCall: (operation: { name: string }): OperationCall =>
    directCall(operations.find(({ name }) => name === operation.name)!),
  logUnexpected: (error: unknown): void => logUnexpected(logger, error),
});
