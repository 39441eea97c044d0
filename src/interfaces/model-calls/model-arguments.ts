/**
 * Reads what a model means by its arguments: placeholders for "nothing" are left out, and a value
 * of the wrong type is converted if its meaning is clear. Code, the command line and HTTP (except
 * `/tools` and `/mcp`) are not this lenient, because there a person or a program has chosen the
 * values.
 */
import { z } from "zod";
import type { Operation } from "../../framework/operation.ts";
import { isPlaceholder, isEmptyPhrase } from "./placeholders.ts";
import { identityFields } from "../../framework/submission.ts";
import { fieldSchema } from "../../framework/validation.ts";

type Property = { type?: unknown; enum?: unknown[]; const?: unknown; items?: Property; anyOf?: Property[] };

const alternatives = (property: Property): Property[] => property.anyOf?.flatMap(alternatives) ?? [property];

/** The texts that a field's schema lists as possible values. */
const namedValues = (property: Property): string[] =>
  alternatives(property)
    .flatMap(({ enum: values = [], const: value }) => values.concat(value))
    .filter((value) => typeof value === "string");

const hasType = (property: Property, type: string): boolean =>
  alternatives(property).some((alternative) => alternative.type === type);

const itemsOf = (property: Property): Property[] => alternatives(property).flatMap(({ items }) => items ?? []);

/**
 * Texts that mean "nothing" for a boolean. "none" is not one of them, because it may mean false.
 */
const NO_BOOLEAN = new Set(["null", "undefined", ""]);

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["false", false],
  ["no", false],
]);

function isLeftOut(value: unknown, name: string, property: Property): boolean {
  if (value === null) return true;
  if (typeof value !== "string") return false;
  const word = value.trim().toLowerCase();
  if (hasType(property, "boolean")) return NO_BOOLEAN.has(word);
  const named = namedValues(property);
  if (named.some((known) => known.toLowerCase() === word)) return false;
  return named.length > 0 || itemsOf(property).length > 0 ? isPlaceholder(value, name) : isEmptyPhrase(value);
}

function jsonList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A list that came as text: as JSON, or as elements with commas or semicolons in between. A text
 * that is not JSON is only split if the schema lists all values of an element.
 */
const listOf = (text: string, items: readonly Property[]): unknown[] =>
  jsonList(text) ??
  (items.every((item) => namedValues(item).length > 0) ? text.split(/[,;]/u).map((part) => part.trim()) : [text]);

function asMeant(value: unknown, property: Property): unknown {
  if (typeof value !== "string" || hasType(property, "string")) return value;
  if (hasType(property, "boolean")) return BOOLEANS.get(value.trim().toLowerCase()) ?? value;
  return hasType(property, "array") ? listOf(value, itemsOf(property)) : value;
}

/** A list without the elements that are placeholders. */
function withoutPlaceholders(value: unknown, name: string, property: Property): unknown {
  const items = itemsOf(property);
  if (!Array.isArray(value) || items.length === 0) return value;
  return value.filter((element) => !items.every((item) => isLeftOut(element, name, item)));
}

/**
 * Returns a function that reads the arguments of an operation's calls. It drops placeholders from
 * optional fields, the run's key and the echoed fields. If such a field is required, the model then
 * learns that it is missing.
 */
export function modelArguments(operation: Operation): (args: unknown) => unknown {
  const { properties = {} } = z.toJSONSchema(operation.input, { io: "output" }) as {
    properties?: Record<string, Property>;
  };
  const identity = operation.kind === "durable" ? identityFields(operation) : [];
  return (args) => {
    if (typeof args !== "object" || args === null || Array.isArray(args)) return args;
    const kept = Object.entries(args).flatMap(([name, value]): [string, unknown][] => {
      const schema = fieldSchema(operation.input, name);
      const property = properties[name];
      if (schema === undefined || property === undefined) return [[name, value]];
      if (identity.includes(name)) {
        const isAbsent =
          value === null ? !schema.safeParse(null).success : typeof value === "string" && isPlaceholder(value, name);
        return isAbsent ? [] : [[name, value]];
      }
      if (!schema.safeParse(undefined).success) return [[name, asMeant(value, property)]];
      if (isLeftOut(value, name, property)) return [];
      return [[name, withoutPlaceholders(asMeant(value, property), name, property)]];
    });
    return Object.fromEntries(kept);
  };
}
