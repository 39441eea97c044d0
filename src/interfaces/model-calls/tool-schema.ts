import { z } from "zod";
import { withoutAbsent, type Json } from "../../json.ts";

export type JsonSchema = { [keyword: string]: Json };

/**
 * The keywords that all versions of OpenAI's strict mode understand
 * (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). Bounds and
 * patterns are left to our own validation, whose messages a model can act on.
 */
const SUPPORTED = new Set([
  "type",
  "enum",
  "const",
  "items",
  "properties",
  "required",
  "additionalProperties",
  "anyOf",
  "description",
]);

function supported(schema: JsonSchema): JsonSchema {
  const kept: JsonSchema = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (!SUPPORTED.has(keyword)) continue;
    if (keyword === "properties") {
      const properties = value as Record<string, JsonSchema>;
      kept[keyword] = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, supported(inner)]));
    } else if (keyword === "items") kept[keyword] = supported(value as JsonSchema);
    else if (keyword === "anyOf") kept[keyword] = (value as JsonSchema[]).map(supported);
    else kept[keyword] = value;
  }
  return kept;
}

export const acceptsNull = ({ type, anyOf }: JsonSchema): boolean =>
  type === "null" ||
  (Array.isArray(type) && type.includes("null")) ||
  (Array.isArray(anyOf) && (anyOf as JsonSchema[]).some(acceptsNull));

const isOptional = (field: z.ZodType): boolean => field.safeParse(undefined).success;

/**
 * JSON Schema of an operation's input as models get it: every property is required, no others are
 * allowed, and those that the operation can do without may be null.
 * @param nullable names of required fields that may also be null
 * @param hidden names of fields that models don't get
 */
export function toolJsonSchema(
  input: z.ZodObject,
  nullable: readonly string[] = [],
  hidden: readonly string[] = [],
): JsonSchema {
  const { properties } = z.toJSONSchema(input, { io: "output" }) as unknown as {
    properties: Record<string, JsonSchema>;
  };
  const shape = input.shape as Record<string, z.ZodType>;
  const shown = Object.entries(properties).filter(([name]) => !hidden.includes(name));
  const strict = shown.map(([name, property]) => {
    const { description, ...rest } = supported(property);
    const mayBeNull = nullable.includes(name) || isOptional(shape[name]!);
    const schema: JsonSchema = mayBeNull && !acceptsNull(rest) ? { anyOf: [rest, { type: "null" }] } : rest;
    return [name, { ...schema, ...withoutAbsent({ description }) }] as const;
  });
  return {
    type: "object",
    properties: Object.fromEntries(strict),
    required: strict.map(([name]) => name),
    additionalProperties: false,
  };
}
