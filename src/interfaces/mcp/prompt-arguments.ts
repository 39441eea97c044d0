import { z } from "zod";
import type { JsonSchema } from "../model-calls/tool-schema.ts";

/**
 * The arguments of a workflow's prompts. Unlike those of tools, they are all texts, so optional
 * fields of other types are left out.
 */
export interface PromptArguments {
  /**
   * Of the prompt that submits: required ones first, then optional ones, because clients may fill
   * them in by position.
   */
  readonly submission: z.ZodObject;
  /** Of the prompt that explains an outcome: the key. */
  readonly explanation: z.ZodObject;
}

/**
 * Makes the arguments from the input schema of a workflow's tool.
 * @param key name of the field that identifies a run
 */
export function promptArguments({ properties, required }: JsonSchema, key: string): PromptArguments {
  const isNeeded = (name: string): boolean => (required as string[]).includes(name);
  const fields = Object.entries(properties as Record<string, JsonSchema & { description?: string }>)
    .filter(([name, { type }]) => isNeeded(name) || [type].flat().includes("string"))
    .toSorted(([one], [other]) => Number(isNeeded(other)) - Number(isNeeded(one)))
    .map(([name, { description = name }]) => {
      const text = z.string().describe(description);
      return [name, isNeeded(name) ? text : text.optional()] as const;
    });
  return {
    submission: z.object(Object.fromEntries(fields)),
    explanation: z.object({ [key]: z.string().describe(`The ${key} in question.`) }),
  };
}
