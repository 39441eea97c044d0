import { createHash } from "node:crypto";
import { readIdentifier } from "../identifier.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { isObject, type Json } from "../json.ts";
import { isVisible } from "../visible-text.ts";
import type { DurableOperation } from "./operation.ts";
import { fieldSchema, parse } from "./validation.ts";

/** The parsed input of a durable operation, with what the engine must know about it. */
export interface Submission {
  readonly input: Record<string, Json>;
  /** The fields that every result repeats. */
  readonly identity: Record<string, Json>;
  readonly key: string;
  readonly fingerprint: string;
}

/** JSON with sorted keys: equal content, equal text. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

const hash = (value: unknown): string => createHash("sha256").update(canonical(value)).digest("hex");

/** A run's key, and the fields listed in `echo`. */
export const identityFields = ({ key, echo = [] }: DurableOperation): readonly string[] => [key, ...echo];

const isScalar = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

/**
 * The identity fields of an input, even if it is invalid: normalized by the operation's schema if
 * possible, otherwise as they came. Lists and objects are left out.
 */
export function identityOf(operation: DurableOperation, input: unknown): Record<string, Json> {
  if (!isObject(input)) return {};
  return Object.fromEntries(
    identityFields(operation).flatMap((field) => {
      const read = fieldSchema(operation.input, field)?.safeParse(input[field]);
      const value = read?.success ? read.data : input[field];
      return isScalar(value) ? [[field, value]] : [];
    }),
  );
}

/** A filter for runs, with its identity fields normalized like those of the runs. */
export function withNormalizedIdentity<Filter extends { input?: Readonly<Record<string, string>> }>(
  operation: DurableOperation,
  filter: Filter,
): Filter {
  if (filter.input === undefined) return filter;
  const fields = identityFields(operation);
  const input = Object.entries(filter.input).map(([field, text]) => [
    field,
    fields.includes(field) ? tidyIdentifier(text) : text,
  ]);
  return { ...filter, input: Object.fromEntries(input) as Record<string, string> };
}

/**
 * Parses parameters into a submission. The key must also follow the rules of `identifier`, whatever
 * the operation's schema accepts, so that ids that look the same are one run.
 * @param extras gets the run's key, and returns other values for the handler; they don't count when
 *   two submissions with the same key are compared
 * @throws ValidationError
 */
export function toSubmission(
  operation: DurableOperation,
  parameters: unknown,
  extras: (key: string) => Record<string, Json>,
): Submission {
  const read = parse(operation.input, parameters) as Record<string, Json>;
  const key = readIdentifier(operation.key, read[operation.key]);
  const input = { ...read, [operation.key]: key };
  return {
    input: { ...input, ...extras(key) },
    identity: identityOf(operation, input),
    key,
    fingerprint: fingerprintOf(operation, input),
  };
}

/**
 * A permanent fingerprint of a submission's content. Fields with their default values don't count,
 * so an old submission stays the same if a later version adds an optional field.
 */
function fingerprintOf({ input: schema }: DurableOperation, input: Record<string, Json>): string {
  const defaults = defaultsOf(schema);
  const isDefault = ([field, value]: [string, Json | undefined]): boolean =>
    defaults.has(field) && defaults.get(field) === canonical(value);
  return hash(Object.fromEntries(Object.entries(input).filter((entry) => !isDefault(entry))));
}

const knownDefaults = new WeakMap<DurableOperation["input"], ReadonlyMap<string, string | undefined>>();

/** The default of each optional field as canonical JSON; undefined if it has none. */
function defaultsOf(schema: DurableOperation["input"]): ReadonlyMap<string, string | undefined> {
  let defaults = knownDefaults.get(schema);
  if (!defaults) {
    const absent = Object.keys(schema.shape).map(
      (field) => [field, fieldSchema(schema, field)?.safeParse(undefined)] as const,
    );
    defaults = new Map(absent.flatMap(([field, read]) => (read?.success ? [[field, canonical(read.data)]] : [])));
    knownDefaults.set(schema, defaults);
  }
  return defaults;
}

/**
 * If the operation has a `keyFrom`, and the key is missing, null or blank: adds a key that is
 * derived from those fields. The schema normalizes their values first, so that a space at the end
 * of a trimmed text doesn't change the key. Otherwise returns the parameters as they are.
 */
export function withDerivedKey(
  { key, keyFrom, input }: Pick<DurableOperation, "key" | "keyFrom" | "input">,
  parameters: unknown,
): unknown {
  if (!keyFrom || !isObject(parameters) || !isLeftOut(parameters[key])) return parameters;
  const read = input.safeParse({ ...parameters, [key]: "to be derived" });
  const content: Record<string, unknown> = read.success ? read.data : parameters;
  return { ...parameters, [key]: `auto-${hash(keyFrom.map((field) => content[field])).slice(0, 32)}` };
}

const isLeftOut = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && !isVisible(value));
