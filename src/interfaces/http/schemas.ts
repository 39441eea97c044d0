/** Converts Zod schemas to the JSON Schema of OpenAPI 3.1 (draft 2020-12). */
import { z } from "zod";

export interface JsonSchema {
  type?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  [keyword: string]: unknown;
}

const convert = (schema: z.ZodType, io: "input" | "output"): JsonSchema => {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return converted as JsonSchema;
};

/** The JSON Schema of the values that a Zod schema returns, such as an operation's output. */
export const toJsonSchema = (schema: z.ZodType): JsonSchema => convert(schema, "output");

const TYPE_KEYWORDS = ["type", "anyOf", "oneOf", "allOf", "enum", "const", "$ref"];

/**
 * The schema of an operation's input. If Zod can't describe what a field accepts, because the field
 * converts its input first, the schema describes the converted value.
 */
export function inputJsonSchema(schema: z.ZodType): JsonSchema {
  const input = convert(schema, "input");
  if (!input.properties) return input;
  const output = convert(schema, "output").properties ?? {};
  const properties = Object.entries(input.properties).map(([name, property]) => [
    name,
    TYPE_KEYWORDS.some((keyword) => Object.hasOwn(property, keyword)) ? property : { ...output[name], ...property },
  ]);
  return { ...input, properties: Object.fromEntries(properties) as Record<string, JsonSchema> };
}

/** The JSON Schema of a schema that is given as Zod or as JSON Schema. */
export const schemaOf = (schema: z.ZodType | object, io: "input" | "output"): JsonSchema => {
  if (!(schema instanceof z.ZodType)) return schema as JsonSchema;
  return io === "input" ? inputJsonSchema(schema) : toJsonSchema(schema);
};
