import { fileURLToPath } from "node:url";
import type * as LangChainTools from "@langchain/core/tools";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { z } from "zod";
import { requirePackage } from "../../runtime/require-package.ts";
import type { ToolOptions } from "../model-calls/fixed-fields.ts";
import { modelToolsOf, type ModelAudience, type ModelTool } from "../model-calls/model-call.ts";

/** The operations that models may call, as LangChain tools; see `modelToolsOf`. */
export const workflowTools = (
  workflow: Parameters<typeof modelToolsOf>[0],
  options: ToolOptions,
  audience?: ModelAudience,
): DynamicStructuredTool[] => modelToolsOf(workflow, options, audience).map(operationTool);

/**
 * The model gets the result as a line of JSON; the program gets it as an object, in the message's
 * `artifact`.
 */
function operationTool({ operation, schema, call }: ModelTool): DynamicStructuredTool {
  const { DynamicStructuredTool: Tool } = langChainTools();
  return new Tool({
    name: operation.name,
    description: operation.description,
    // The model sees the schema unchanged, but LangChain accepts everything: our own validation
    // tells a model what to correct, and accepts calls that leave out optional fields, although the
    // schema requires all fields, as OpenAI's strict mode demands.
    schema: z.any().meta(schema),
    responseFormat: "content_and_artifact",
    func: async function* (args: unknown, _runManager, config) {
      // LangChain's runtime context. ToolNode and other callers pass it on, although the type
      // of `config` doesn't say so.
      const { signal, context } = (config ?? {}) as { signal?: AbortSignal; context?: unknown };
      const result = yield* call(args, context, signal ? { signal } : {});
      return [JSON.stringify(result), result];
    },
  });
}

const TOOLS = "@langchain/core/tools";

/**
 * Loads LangChain when the first tool is made, because loading it takes several times as long as
 * loading all the rest. It prefers the module that `import` loads, so that a program's `instanceof`
 * recognizes its classes. But while an `import` of LangChain is in progress, Node.js before 22.17
 * throws or returns an empty module here. In that case, the module that `require` loads does the
 * same work.
 */
function langChainTools(): typeof LangChainTools {
  try {
    const imported = requirePackage(fileURLToPath(import.meta.resolve(TOOLS))) as Partial<typeof LangChainTools>;
    if (imported.DynamicStructuredTool !== undefined) return imported as typeof LangChainTools;
  } catch {
    // If something else is wrong with the package, the next line throws too.
  }
  return requirePackage(TOOLS) as typeof LangChainTools;
}
