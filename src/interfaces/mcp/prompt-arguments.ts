import { z } from "zod";
import type { JsonSchema } from "../model-calls/tool-schema.ts";

/** The arguments of a workflow's prompts. Unlike those of tools, they are all texts. */
export interface PromptArguments {
  /**
   * For submitting: required ones first, then optional ones, because clients may fill them in by
   * position.
   */
  readonly submission: z.ZodObject;
  /** For explaining. */
  readonly explanation: z.ZodObject;
}

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
