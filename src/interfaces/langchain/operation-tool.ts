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
    // The model sees the schema unchanged, but LangChain accepts everything: our own validation
    // tells a model what to correct, and accepts calls without optional fields, which a strict
    // schema can't express.
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
 * Loads LangChain for the first tool, because it takes several times as long to load as all the
 * rest. This is the module that an `import` gives, so a program's `instanceof` recognizes its
 * classes. While an import of it is in progress, Node.js before 22.17 throws or gives an empty
 * module. The module for `require` then does the same work.
 */
function langChainTools(): typeof LangChainTools {
  try {
    const imported = requirePackage(fileURLToPath(import.meta.resolve(TOOLS))) as Partial<typeof LangChainTools>;
    if (imported.DynamicStructuredTool !== undefined) return imported as typeof LangChainTools;
  } catch {
    // If anything else is wrong with the module, the next line throws it as well.
  }
  return requirePackage(TOOLS) as typeof LangChainTools;
}
