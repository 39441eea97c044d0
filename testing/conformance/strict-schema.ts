import assert from "node:assert/strict";

type JsonSchema = { readonly [keyword: string]: unknown };

/**
 * The keywords that strict mode supports on every kind of model; bounds, patterns and formats are
 * supported only by some.
 */
const KEYWORDS = new Set([
  "type",
  "enum",
  "const",
  "items",
  "properties",
  "required",
  "additionalProperties",
  "anyOf",
  "description",
  "$ref",
  "$defs",
]);
const MAX_PROPERTIES = 5000;
const MAX_NESTING = 10;
const MAX_ENUM_VALUES = 1000;

/**
 * Checks that the schema of a tool's parameters is valid in OpenAI's strict mode
 * (https://platform.openai.com/docs/guides/structured-outputs#supported-schemas), and that every
 * parameter has a description.
 * @throws AssertionError that names the place and the rule
 */
export function assertStrictSchema(parameters: unknown): void {
  const counts = { properties: 0, enumValues: 0 };
  const root = parameters as JsonSchema;
  assert.equal(root["type"], "object", "the root of the schema must be an object, not a union or anything else");
  assertStrict(root, "parameters", 0, counts);
  assert.ok(counts.properties <= MAX_PROPERTIES, `the schema has more than ${MAX_PROPERTIES} properties`);
  assert.ok(counts.enumValues <= MAX_ENUM_VALUES, `the schema has more than ${MAX_ENUM_VALUES} enum values`);
  for (const [name, property] of Object.entries((root["properties"] ?? {}) as Record<string, JsonSchema>)) {
    assert.ok(property["description"], `parameters.${name} has no description for the model`);
  }
}

function assertStrict(
  schema: JsonSchema,
  place: string,
  depth: number,
  counts: { properties: number; enumValues: number },
): void {
  for (const keyword of Object.keys(schema)) {
    // $schema and title do not restrict values, and all models ignore them.
    if (keyword === "$schema" || keyword === "title") continue;
    assert.ok(KEYWORDS.has(keyword), `${place} uses "${keyword}", which strict mode does not support`);
  }
  if (Array.isArray(schema["enum"])) counts.enumValues += schema["enum"].length;
  const inner: [place: string, schema: JsonSchema, depth: number][] = [];
  if (schema["properties"] !== undefined || [schema["type"]].flat().includes("object")) {
    const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
    const names = Object.keys(properties);
    counts.properties += names.length;
    assert.ok(depth < MAX_NESTING, `${place} is nested deeper than ${MAX_NESTING} objects`);
    assert.equal(schema["additionalProperties"], false, `${place} must have additionalProperties: false`);
    assert.deepEqual(
      [...((schema["required"] ?? []) as string[])].sort(),
      names.sort(),
      `${place} must require every property; make optional ones nullable`,
    );
    for (const name of names) inner.push([`${place}.${name}`, properties[name] ?? {}, depth + 1]);
  }
  if (schema["items"] !== undefined) inner.push([`${place}[]`, schema["items"] as JsonSchema, depth]);
  for (const one of (schema["anyOf"] ?? []) as JsonSchema[]) inner.push([`${place} (anyOf)`, one, depth]);
  for (const [name, one] of Object.entries((schema["$defs"] ?? {}) as Record<string, JsonSchema>)) {
    inner.push([`$defs.${name}`, one, depth]);
  }
  for (const [where, one, level] of inner) assertStrict(one, where, level, counts);
}
