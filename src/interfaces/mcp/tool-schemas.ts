import { z } from "zod";
import type { Operation } from "../../framework/operation.ts";
import { RunResultSchema } from "../../framework/run-schemas.ts";
import { identityFields } from "../../framework/submission.ts";
import { acceptsNull, type JsonSchema } from "../model-calls/tool-schema.ts";

type ObjectSchema = JsonSchema & { properties: Record<string, JsonSchema>; required?: string[] };

/**
 * Draft 7, without saying so: clients of both generations of the protocol can compile that. Open to fields that it doesn't name, since
 * clients refuse results by it.
 */
function jsonSchemaOf(schema: z.ZodType): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "output",
    target: "draft-7",
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // Says the format again, in three hundred characters.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    },
  });
  return { properties: {}, ...(rest as JsonSchema) };
}

/**
 * The arguments of a tool. Other than for OpenAI's strict mode, what may be null may be left out as well: there are clients that
 * check a model's call by this schema before they send it. Null is one of the types rather than an alternative: LangChain's adapters
 * drop alternatives, and a model would not be told what to write.
 */
export function inputSchemaOf(strict: JsonSchema): JsonSchema {
  const { properties, required = [] } = strict as ObjectSchema;
  return {
    ...strict,
    properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, withTypes(schema)])),
    required: required.filter((name) => !acceptsNull(properties[name]!)),
  };
}

/** `{ anyOf: [{ type: "string" }, { type: "null" }] }` as `{ type: ["string", "null"] }`. */
function withTypes(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf)) return schema;
  const [only, ...others] = (anyOf as JsonSchema[]).filter(({ type }) => type !== "null");
  if (typeof only?.["type"] !== "string" || others.length > 0 || anyOf.length !== 2) return schema;
  const { enum: values } = only;
  return { ...only, ...rest, type: [only["type"], "null"], ...(Array.isArray(values) && { enum: [...values, null] }) };
}

/** What a tool answers with; of a run also where it has failed or waits, so that only what is always there is required. */
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
