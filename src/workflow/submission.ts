import { createHash } from "node:crypto";
import { readIdentifier } from "../identifier.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { isObject, type Json } from "../json.ts";
import { isVisible } from "../visible-text.ts";
import type { DurableOperation } from "./operation.ts";
import { fieldSchema, parse } from "./validation.ts";

/** Input of a durable operation, parsed, with what the engine must know of it. */
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

/** The fields of the operation that say whose a run is: its key and what its results repeat. */
export const identityFields = ({ key, echo = [] }: DurableOperation): readonly string[] => [key, ...echo];

/** What can be told from an input, valid or not, about whose it is: its identity fields as the operation reads them, else as they came. */
export function identityOf(operation: DurableOperation, input: unknown): Record<string, Json> {
  if (!isObject(input)) return {};
  return Object.fromEntries(
    identityFields(operation).flatMap((field) => {
      const read = fieldSchema(operation.input, field)?.safeParse(input[field]);
      const value = read?.success ? read.data : input[field];
      return typeof value === "string" ? [[field, value]] : [];
    }),
  );
}

/** Which runs to list, with the fields that say whose they are read as their ids were. */
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
 * The key is read as an id, whatever the operation's schema lets pass: ids that look the same are one run.
 * @param extras what else the process is to know, for the run with this key; it does not count when two submissions with one key are compared
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
 * Stands for the content of a submission, for good: fields at their defaults do not count, so that a field that a later
 * version adds does not make an old submission a different one.
 */
function fingerprintOf({ input: schema }: DurableOperation, input: Record<string, Json>): string {
  const defaults = defaultsOf(schema);
  const isDefault = ([field, value]: [string, Json | undefined]): boolean =>
    defaults.has(field) && defaults.get(field) === canonical(value);
  return hash(Object.fromEntries(Object.entries(input).filter((entry) => !isDefault(entry))));
}

const knownDefaults = new WeakMap<DurableOperation["input"], ReadonlyMap<string, string | undefined>>();

/** What stands for each field that can be left out, as canonical JSON; undefined for one that then has no value. */
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
 * Parameters with a key: the given one, or where it is missing, null or blank one derived from the content as it will be read, so
 * that a space at the end of a text does not make it another.
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
