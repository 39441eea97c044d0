import { toWireError, ValidationError } from "../../errors.ts";
import { withoutWorkflow } from "../../framework/direct-operations.ts";
import type { Audience, CallOptions, Operation } from "../../framework/operation.ts";
import type { ToolProgress } from "../../framework/progress.ts";
import { generateInSpan } from "../../telemetry/tracing.ts";
import type { Service } from "../../framework/service.ts";
import type { SubmissionOrigin, Workflow } from "../../framework/workflow.ts";
import { fixedFieldsOf, type FixedFields, type ToolOptions } from "./fixed-fields.ts";
import { modelArguments } from "./model-arguments.ts";
import { toolJsonSchema } from "./tool-schema.ts";

/** An operation as a model sees and calls it, in any protocol. */
export interface ModelTool {
  readonly operation: Operation;
  /**
   * JSON Schema of the arguments, valid in OpenAI's strict mode, without the fields that the
   * program sets.
   */
  readonly schema: ReturnType<typeof toolJsonSchema>;
  /** The origin of its submissions, for interfaces that start a run without `call`, such as MCP tasks. */
  readonly origin: SubmissionOrigin;
  /**
   * A model's arguments, read leniently (see `modelArguments`), plus the fields that the program
   * sets; not yet validated.
   * @param context what the program says about this call: the values of `fromContext`
   * @throws ValidationError for an argument that differs from the program's value, UnexpectedError
   *   if the context lacks a field or has an invalid value for it
   */
  readonly read: (args: unknown, context: unknown) => unknown;
  /**
   * Calls the operation with a model's arguments. Yields progress, returns the result. Errors are
   * results too (`success: false`, `error`, `error_code`, `error_type`, `retriable`), including
   * those about invalid arguments.
   * @param context as for `read`
   * @throws only the reason of `signal`, when it aborts
   */
  readonly call: (args: unknown, context: unknown, options: CallOptions) => AsyncGenerator<ToolProgress, object>;
}

/** A tool of a service, with the workflow that it belongs to, if any. */
export interface ServiceTool extends ModelTool {
  readonly workflow: Workflow | undefined;
}

/** The part of a workflow that its tools need. */
type Callable = Pick<Workflow, "operationCall" | "logUnexpected">;

/** Audiences whose operations models may get. Never `person`: only people decide. */
export type ModelAudience = Exclude<Audience, "person">;

/**
 * The operations of a workflow that models may call, in their order: those for agents or, if a
 * program asks for them explicitly, those for operators. Operations for people are never among
 * them.
 * @throws ValidationError (`invalid_configuration`) for unusable options, as `fixedFieldsOf`
 */
export function modelToolsOf(
  workflow: Callable & Pick<Workflow, "operations">,
  options: ToolOptions = {},
  audience: ModelAudience = "agent",
): ModelTool[] {
  const operations = workflow.operations.filter((operation) => operation.audience === audience);
  const fixedFields = fixedFieldsOf(operations, options);
  return operations.map((operation, index) => modelTool(workflow, operation, fixedFields[index]!));
}

/**
 * A service's operations for agents: those of all its workflows, and those that belong to no
 * workflow.
 * @throws ValidationError (`invalid_configuration`) as `modelToolsOf`, and for two tools with the
 *   same name
 */
export function serviceToolsOf(service: Service, options: ToolOptions = {}): ServiceTool[] {
  const offered = service.operations.flatMap(({ operation, workflow }) =>
    operation.kind !== "stream" && operation.audience === "agent" ? [{ operation, workflow }] : [],
  );
  const operations = offered.map(({ operation }) => operation);
  const names = operations.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    const message = `Two tools are named "${twice}". Rename one of the two operations.`;
    throw new ValidationError(message, { code: "invalid_configuration" });
  }
  const fixedFields = fixedFieldsOf(operations, options);
  const direct = operations.filter((operation) => operation.kind === "direct");
  const others = withoutWorkflow(direct, service.logger);
  return offered.map(({ operation, workflow }, index) =>
    Object.assign(modelTool(workflow ?? others, operation, fixedFields[index]!), { workflow }),
  );
}

function modelTool(callable: Callable, operation: Operation, fixed: FixedFields): ModelTool {
  const origin = { via: "tool", fixed: fixed.names } as const;
  const asMeant = modelArguments(operation);
  const call = callable.operationCall(operation, origin);
  const nullable = operation.kind === "durable" && operation.keyFrom ? [operation.key] : [];
  // The program's values are added afterwards, so they are never taken for placeholders.
  const read = (args: unknown, context: unknown): unknown => fixed.into(asMeant(args), context);
  return {
    operation,
    schema: toolJsonSchema(operation.input, nullable, fixed.names),
    origin,
    read,
    call: (args, context, callOptions) =>
      generateInSpan(
        `execute_tool ${operation.name}`,
        { attributes: toolAttributes(operation) },
        safely(() => call(read(args, context), callOptions), callable, callOptions),
      ),
  };
}

/** Makes a call, and returns its errors as results. */
async function* safely(
  call: () => AsyncGenerator<ToolProgress, object>,
  callable: Pick<Callable, "logUnexpected">,
  { signal }: CallOptions,
): AsyncGenerator<ToolProgress, object> {
  signal?.throwIfAborted();
  try {
    return yield* call();
  } catch (error) {
    signal?.throwIfAborted();
    callable.logUnexpected(error);
    return { success: false, ...toWireError(error) };
  }
}

// OpenTelemetry's semantic conventions for GenAI as of 1.41.0; their status is "development".
const toolAttributes = ({ name }: Operation) => ({
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": name,
  "gen_ai.tool.type": "function",
});
