import { isAbiError, toAbiError } from "../errors.ts";
import { describeCause, silentLogger, type Logger } from "../log.ts";
import type { DirectOperation, OperationCall } from "./operation.ts";
import { parse } from "./validation.ts";

/** A plain call as faces make it: input checked, errors thrown. */
export const directCall = (operation: DirectOperation): OperationCall =>
  // A direct operation has no steps to tell of.
  // oxlint-disable-next-line require-yield
  async function* (args, options) {
    return operation.run(parse(operation.input, args), options);
  };

/** Logs the cause of an error that callers are told nothing about. */
export function logUnexpected(logger: Logger, error: unknown, about: object = {}): void {
  const { type, cause } = toAbiError(error);
  if (!isAbiError(error) || type === "unexpected_error") {
    logger.error({ ...about, cause: describeCause(cause) }, "an operation failed unexpectedly");
  }
}

/** Operations that belong to no workflow, as faces take those of one. */
export const withoutWorkflow = (operations: readonly DirectOperation[], logger: Logger = silentLogger) => ({
  operations,
  operationCall: (operation: { name: string }): OperationCall =>
    directCall(operations.find(({ name }) => name === operation.name)!),
  logUnexpected: (error: unknown): void => logUnexpected(logger, error),
});
