import { fileURLToPath } from "node:url";
import type * as LangChainTools from "@langchain/core/tools";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import { requirePackage } from "../../runtime/require-package.ts";
import type { ToolOptions } from "../model-calls/fixed-fields.ts";
import { modelToolsOf, type ModelAudience, type ModelTool } from "../model-calls/model-call.ts";

/** Turns the operations that models may call into LangChain tools. */
export const workflowTools = (
  workflow: Parameters<typeof modelToolsOf>[0],
  options: ToolOptions,
  audience?: ModelAudience,
): DynamicStructuredTool[] => modelToolsOf(workflow, options, audience).map(operationTool);

/**
 * The model gets the result as a line of JSON; the program gets the same object as the artifact.
 */
function operationTool({ operation, schema, call }: ModelTool): DynamicStructuredTool {
  const { DynamicStructuredTool: Tool } = langChainTools();
  return new Tool({
    name: operation.name,
    description: operation.description,
    // Shown to the model as it stands, and accepting everything: our own validation tells a model what to correct
    // and accepts calls that leave optional fields out, which strict schemas cannot say.
    schema: z.any().meta(schema),
    responseFormat: "content_and_artifact",
    func: async function* (args: unknown, _runManager, config) {
      // LangChain's runtime context. ToolNode and other callers pass it on, although its type
      // doesn't say so.
      const { signal, context } = (config ?? {}) as { signal?: AbortSignal; context?: unknown };
      const result = yield* call(args, context, signal ? { signal } : {});
      return [JSON.stringify(result), result];
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
