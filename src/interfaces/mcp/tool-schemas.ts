import { z } from "zod";
import type { Operation } from "../../framework/operation.ts";
import { RunResultSchema } from "../../framework/run-schemas.ts";
import { identityFields } from "../../framework/submission.ts";
import { acceptsNull, type JsonSchema } from "../model-calls/tool-schema.ts";

type ObjectSchema = JsonSchema & { properties: Record<string, JsonSchema>; required?: string[] };

/**
 * Converts a schema to JSON Schema draft 7. The draft is not named, so that clients of old and new
 * protocol versions can compile the schema. Other fields are allowed, because clients refuse
 * results that don't match it.
 */
function jsonSchemaOf(schema: z.ZodType): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "output",
    target: "draft-7",
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // The pattern only repeats the format, in three hundred characters.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return { properties: {}, ...(rest as JsonSchema) };
}

/**
 * The schema of a tool's arguments. Unlike in OpenAI's strict mode, fields that may be null may
 * also be left out, because some clients check a model's call against this schema before they send
 * it. Null is one of the types (`type: ["string", "null"]`) rather than an alternative (`anyOf`),
 * because LangChain's adapters drop alternatives, and the model would not learn what to write.
 */
export function inputSchemaOf(strict: JsonSchema): JsonSchema {
  const { properties, required = [] } = strict as ObjectSchema;
  return {
    ...strict,
    properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, withTypes(schema)])),
    required: required.filter((name) => !acceptsNull(properties[name]!)),
  };
}

/**
 * Turns `{ anyOf: [{ type: "string" }, { type: "null" }] }` into `{ type: ["string", "null"] }`.
 */
function withTypes(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const [only, ...others] = (anyOf as JsonSchema[]).filter(({ type }) => type !== "null");
  if (typeof only?.["type"] !== "string" || others.length > 0 || anyOf.length !== 2) return schema;
  const { enum: values } = only;
  return { ...only, ...rest, type: [only["type"], "null"], ...(Array.isArray(values) && { enum: [...values, null] }) };
}

/**
 * The schema of a tool's result. The result of a durable operation may also be that of a failed or
 * waiting run, so only fields that all of them have are required.
 */
export function outputSchemaOf(operation: Operation): JsonSchema {
  const output = jsonSchemaOf(operation.output);
  if (operation.kind === "direct") return output;
  const run = jsonSchemaOf(RunResultSchema);
  const input = jsonSchemaOf(operation.input).properties;
  const identity = Object.fromEntries(identityFields(operation).map((field) => [field, input[field]!]));
  return {
    type: "object",
    properties: { ...output.properties, ...identity, ...run.properties },
    required: run.required ?? [],
    ...(output["definitions"] !== undefined && { definitions: output["definitions"] }),
  };
}
