import { z } from "zod";
import type { JsonSchema } from "../model-calls/tool-schema.ts";

/** What the prompts of a process are given; texts only, other than the arguments of tools. */
export interface PromptArguments {
  /** To submit: what must be given, then what may be; clients may fill them in by position. */
  readonly submission: z.ZodObject;
  /** To have it explained. */
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
