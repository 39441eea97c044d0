import type { Term } from "@rdfjs/types";
import { z } from "zod";
import { UnexpectedError } from "../errors.ts";
import { withoutAbsent, type Json } from "../json.ts";
import type { Bindings, BindingValue, Row } from "../ontology/ontology-store.ts";
import type { QueryRunner } from "../ontology/query-runner.ts";
import { withPrefixes, XSD } from "../ontology/vocabulary.ts";
import { direct, type DirectOperation } from "../framework/operation.ts";
import type { GraphQuestion } from "./graph-question.ts";
import { DEFAULT_LIMITS, truncationNote, Truncation, type QuestionLimits } from "./limits.ts";

export interface QuestionOptions extends QuestionLimits {
  queryRunner: QueryRunner;
  /** Whether rows have their personal fields. Default: no. */
  allowPersonalData?: boolean;
}

/** A question as an operation for agents: typed parameters in, typed rows out. */
export function questionOperation(question: GraphQuestion, options: QuestionOptions): DirectOperation {
  const { queryRunner, allowPersonalData = false } = options;
  const { maximumRows, timeoutMs } = { ...DEFAULT_LIMITS, ...options };
  const { name, description, store, parameters: input, sparql, example } = question;
  const row = allowPersonalData ? question.row : withoutFields(question.row, question.personal ?? []);
  return direct(name, {
    description,
    input,
    output: z.object({ rows: z.array(row), ...Truncation.shape }),
    ...(example && { example: { input: example as Record<string, Json> } }),
    run: async (parameters, { signal }) => {
      const { result, truncated } = await queryRunner.run({
        store,
        sparql: withPrefixes(sparql),
        bindings: question.bindings?.(parameters) ?? valuesOf(parameters),
        maximumRows,
        timeoutMs,
        ...withoutAbsent({ signal }),
      });
      const rows = (result as Row[]).map((found) => readRow(row, found));
      return { rows, ...truncationNote(truncated, maximumRows) };
    },
  });
}

const withoutFields = (row: z.ZodObject, names: readonly string[]): z.ZodObject =>
  row.omit(Object.fromEntries(names.map((name) => [name, true])) as never);

const valuesOf = (parameters: Readonly<Record<string, unknown>>): Bindings =>
  Object.fromEntries(
    Object.entries(parameters).filter(
      (entry): entry is [string, BindingValue] => entry[1] !== undefined && entry[1] !== null,
    ),
  );

/**
 * @throws UnexpectedError for a row that doesn't match the question's schema, which its author has
 * to correct
 */
function readRow(schema: z.ZodObject, row: Row): Record<string, unknown> {
  const values = Object.keys(schema.shape).flatMap((name): [string, unknown][] => {
    const term = row[name];
    return term ? [[name, valueOf(term)]] : [];
  });
  const read = schema.safeParse(Object.fromEntries(values));
  if (read.success) return read.data;
  throw new UnexpectedError(read.error, { code: "unexpected_row" });
}

/** XML Schema's numeric types. */
const NUMBERS = new Set(
  (
    "decimal double float integer long int short byte unsignedLong unsignedInt unsignedShort unsignedByte " +
    "nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger"
  ).split(" "),
);

/** A term as a JSON value. JSON has no infinite numbers, so `INF` and `NaN` stay texts. */
export function valueOf(term: Term): string | number | boolean {
  if (term.termType !== "Literal" || !term.datatype.value.startsWith(XSD)) return term.value;
  const type = term.datatype.value.slice(XSD.length);
  // Some endpoints write true as 1.
  if (type === "boolean") return term.value === "true" || term.value === "1";
  const number = Number(term.value);
  return NUMBERS.has(type) && Number.isFinite(number) ? number : term.value;
}
