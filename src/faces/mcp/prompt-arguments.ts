import { z } from "zod";
import type { JsonSchema } from "../model-calls/tool-schema.ts";

/** What the prompts of a process are given; texts only, other than the arguments of tools. */
export interface PromptArguments {
  /** To submit: what must be given. */
  readonly submission: z.ZodObject;
  /** To have it explained. */
  readonly explanation: z.ZodObject;
}

export function promptArguments({ properties, required }: JsonSchema, key: string): PromptArguments {
  const fields = Object.entries(properties as Record<string, { description?: string }>)
    .filter(([name]) => (required as string[]).includes(name))
    .map(([name, { description = name }]) => [name, z.string().describe(description)]);
  return {
    submission: z.object(Object.fromEntries(fields) as Record<string, z.ZodString>),
    explanation: z.object({ [key]: z.string().describe(`The ${key} in question.`) }),
  };
}
