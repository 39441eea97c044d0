import { createHash } from "node:crypto";
import type { z } from "zod";
import type { Json } from "../json.ts";
import type { DurableOperation } from "./operation.ts";
import { parse } from "./validation.ts";

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

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The fields by which a result can be told from others, as far as an input (valid or not) has them. */
export function identityOf(operation: DurableOperation, input: unknown): Record<string, Json> {
  if (!isRecord(input)) return {};
  const fields: string[] = [operation.key, ...(operation.echo ?? [])];
  return Object.fromEntries(
    fields.flatMap((field) => (typeof input[field] === "string" ? [[field, input[field]]] : [])),
  );
}

/**
 * @param extras what else the process is to know, for the run with this key; it does not count when two submissions with one key are compared
 * @throws ValidationError
 */
export function toSubmission(
  operation: DurableOperation,
  parameters: unknown,
  extras: (key: string) => Record<string, Json>,
): Submission {
  const input = parse(operation.input, parameters) as Record<string, Json>;
  const key = input[operation.key] as string;
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
  const isDefault = ([field, value]: [string, Json | undefined]): boolean => {
    const absent = (schema.shape as Record<string, z.ZodType>)[field]?.safeParse(undefined);
    return absent?.success === true && canonical(absent.data) === canonical(value);
  };
  return hash(Object.fromEntries(Object.entries(input).filter((entry) => !isDefault(entry))));
}

/**
 * Parameters with a key: the given one, or where it is missing or null one derived from the content as it will be read, so that
 * a space at the end of a text does not make it another.
 */
export function withDerivedKey({ key, keyFrom, input }: DurableOperation, parameters: unknown): unknown {
  if (!keyFrom || !isRecord(parameters) || (parameters[key] ?? undefined) !== undefined) return parameters;
  const read = input.safeParse({ ...parameters, [key]: "to be derived" });
  const content: Record<string, unknown> = read.success ? read.data : parameters;
  return { ...parameters, [key]: `auto-${hash(keyFrom.map((field) => content[field])).slice(0, 32)}` };
}
