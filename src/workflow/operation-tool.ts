import { fileURLToPath } from "node:url";
import type * as LangChainTools from "@langchain/core/tools";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import { toWireError } from "../errors.ts";
import { requirePackage } from "../require-package.ts";
import type { FixedFields } from "./fixed-fields.ts";
import type { CallOptions, Operation } from "./operation.ts";
import { modelArguments } from "./model-arguments.ts";
import { toolJsonSchema } from "./tool-schema.ts";

/** What a running tool tells while it works, for whoever listens (LangChain's tool events, LangGraph's "tools" stream). */
export interface ToolProgress {
  type: "progress";
  workflow_id: string;
  step: string;
  phase: "started" | "completed" | "failed";
  attempt: number;
  /** Only when `failed` and tried again. Milliseconds. */
  retry_in_ms?: number;
}

/** Calls an operation with a model's arguments. Yields progress, returns the result; throws what the model should read as an error. */
export type OperationCall = (args: unknown, options: CallOptions) => AsyncGenerator<ToolProgress, object>;

/**
 * An operation as a LangChain tool. The model gets the result as a line of JSON, the program the same as the artifact;
 * what can go wrong with a call comes back as such a result (`error`, `error_type`, `retriable`), bad arguments too.
 * @param fixed the fields that the program sets; the model does not see them
 * @param onError is told what was thrown, whose internals the result keeps to itself
 */
export function operationTool(
  operation: Operation,
  fixed: FixedFields,
  call: OperationCall,
  onError: (error: unknown) => void,
): DynamicStructuredTool {
  const nullable = operation.kind === "durable" && operation.keyFrom ? [operation.key] : [];
  const asMeant = modelArguments(operation);
  const answer = (result: object): [string, object] => [JSON.stringify(result), result];
  const { DynamicStructuredTool: Tool } = langChainTools();
  return new Tool({
    name: operation.name,
    description: operation.description,
    // Shown to the model as it stands, and accepting everything: our own validation tells a model what to mend
    // and accepts calls that leave optional fields out, which strict schemas cannot say.
    schema: z.any().meta(toolJsonSchema(operation.input, nullable, fixed.names)),
    responseFormat: "content_and_artifact",
    func: async function* (args: unknown, _runManager, config) {
      const signal = config?.signal;
      signal?.throwIfAborted();
      try {
        // LangChain's runtime context; ToolNode and other callers hand it on beside what its type has.
        const { context } = (config ?? {}) as { context?: unknown };
        // The program's values come after: they are never taken for ones that say nothing.
        const values = fixed.into(asMeant(args), context);
        return answer(yield* call(values, signal ? { signal } : {}));
      } catch (error) {
        signal?.throwIfAborted();
        onError(error);
        return answer({ success: false, ...toWireError(error) });
      }
    },
  });
}

const TOOLS = "@langchain/core/tools";

/**
 * LangChain at the first tool, not before: it takes several times as long to load as all the rest. It is the module that an `import`
 * gives, whose classes a program's `instanceof` knows. Node.js before 22.17 can't give that one while an import of it is under way,
 * and throws or leaves it empty: there the one for `require` does the same work.
 */
function langChainTools(): typeof LangChainTools {
  try {
    const imported = requirePackage(fileURLToPath(import.meta.resolve(TOOLS))) as Partial<typeof LangChainTools>;
    if (imported.DynamicStructuredTool !== undefined) return imported as typeof LangChainTools;
  } catch {
    // What else may be wrong with it, the next line throws as well.
  }
  return requirePackage(TOOLS) as typeof LangChainTools;
}
