/** Zod schemas as the JSON Schema of OpenAPI 3.1, which is that of 2020-12. */
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

/** What an operation answers. */
export const toJsonSchema = (schema: z.ZodType): JsonSchema => convert(schema, "output");

const SAYS_SOMETHING = ["type", "anyOf", "oneOf", "allOf", "enum", "const", "$ref"];

/** What an operation takes. Of fields that are read leniently the schema says what they come to. */
export function inputJsonSchema(schema: z.ZodType): JsonSchema {
  const input = convert(schema, "input");
  if (!input.properties) return input;
  const output = convert(schema, "output").properties ?? {};
  const properties = Object.entries(input.properties).map(([name, property]) => [
    name,
    SAYS_SOMETHING.some((keyword) => Object.hasOwn(property, keyword)) ? property : { ...output[name], ...property },
  ]);
  return { ...input, properties: Object.fromEntries(properties) as Record<string, JsonSchema> };
}

/** The schema of something that is given as Zod or as JSON Schema. */
export const schemaOf = (schema: z.ZodType | object, io: "input" | "output"): JsonSchema => {
  if (!(schema instanceof z.ZodType)) return schema as JsonSchema;
  return io === "input" ? inputJsonSchema(schema) : toJsonSchema(schema);
};
