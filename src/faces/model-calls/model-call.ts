import { toWireError } from "../../errors.ts";
import type { Audience, CallOptions, Operation, OperationCall } from "../../workflow/operation.ts";
import type { ToolProgress } from "../../workflow/progress.ts";
import type { Workflow } from "../../workflow/workflow.ts";
import { fixedFieldsOf, type ToolOptions } from "./fixed-fields.ts";
import { modelArguments } from "./model-arguments.ts";
import { toolJsonSchema } from "./tool-schema.ts";

/** An operation as a model gets to see and call it, in whatever protocol. */
export interface ModelTool {
  readonly operation: Operation;
  /** JSON Schema of the arguments, valid in OpenAI's strict mode, without the fields that the program sets. */
  readonly schema: ReturnType<typeof toolJsonSchema>;
  /**
   * Calls the operation with a model's arguments. Yields progress, returns the result; what can go wrong with a call is a result too
   * (`success: false`, `error`, `error_type`, `retriable`), bad arguments included.
   * @param context what the program says about this call: the values of `fromContext`
   * @throws only the reason of `signal`, when it aborts
   */
  readonly call: (args: unknown, context: unknown, options: CallOptions) => AsyncGenerator<ToolProgress, object>;
}

/** The parts of a workflow that its tools need. */
type CallableWorkflow = Pick<Workflow, "operations" | "operationCall" | "logUnexpected">;

/** Whose operations models get. Never those of people: deciding is for them. */
export type ModelAudience = Exclude<Audience, "person">;

/**
 * The operations of a workflow that models may call, in their order: those for agents, or where a program asks for them by name, those
 * for operators. What is for people is never among them.
 * @throws ValidationError (`invalid_configuration`) for a field that no tool has, or a value that it can't have
 */
export function modelToolsOf(
  workflow: CallableWorkflow,
  options: ToolOptions = {},
  audience: ModelAudience = "agent",
): ModelTool[] {
  const operations = workflow.operations.filter((operation) => operation.audience === audience);
  const fixedFields = fixedFieldsOf(operations, options);
  return operations.map((operation, index) => {
    const fixed = fixedFields[index]!;
    const asMeant = modelArguments(operation);
    const call: OperationCall = workflow.operationCall(operation, { face: "tool", fixed: fixed.names });
    const nullable = operation.kind === "durable" && operation.keyFrom ? [operation.key] : [];
    return {
      operation,
      schema: toolJsonSchema(operation.input, nullable, fixed.names),
      call: async function* (args, context, callOptions) {
        const { signal } = callOptions;
        signal?.throwIfAborted();
        try {
          // The program's values come after: they are never taken for ones that say nothing.
          return yield* call(fixed.into(asMeant(args), context), callOptions);
        } catch (error) {
          signal?.throwIfAborted();
          workflow.logUnexpected(error);
          return { success: false, ...toWireError(error) };
        }
      },
    };
  });
}
