import type { Json } from "../../json.ts";
import { toWireError } from "../../errors.ts";
import { readUtf8JsonLines } from "../../row-file/json-lines.ts";
import { placeOf, type FileRow } from "../../row-file/row.ts";
import type { StreamOperation } from "../../workflow/operation.ts";
import { RunResultSchema } from "../../workflow/run-schemas.ts";
import type { Workflow } from "../../workflow/workflow.ts";
import { bodyChunks, checkType } from "./body.ts";
import type { HttpParts, Route } from "./route.ts";
import { toJsonSchema } from "./schemas.ts";

const JSON_LINES = ["application/jsonl", "application/x-ndjson"];

/** Many submissions in one request: JSON Lines in, JSON Lines out, in their order, both as streams. */
export function batchRoute(workflow: Workflow, { service, closing, bodyTimeoutMs }: HttpParts): Route {
  const { operation } = service.operations.find((one) => one.workflow === workflow && one.operation.kind === "stream")!;
  const batch = operation as StreamOperation;
  const example = workflow.process.example?.input;
  const lineSchema = { type: "string", description: "One JSON object a line." };
  return {
    method: "POST",
    path: `/workflows/${workflow.name}/batch`,
    id: `batch-${workflow.name}`,
    tag: "workflows",
    summary: "Submit many",
    description:
      `${batch.description} JSON Lines in both directions: results come while the body is still being sent, so read while you write. ` +
      "A line that is no good gets a result with `success: false`, and the rest goes on.",
    access: batch.scope,
    operations: [batch],
    body: {
      description: "One submission a line.",
      types: Object.fromEntries(JSON_LINES.map((type) => [type, lineSchema])),
      required: true,
      ...(example && { example: JSON.stringify(example) }),
    },
    answers: {
      200: {
        description: `A result a line, each of this form, with the number of its line: \`${JSON.stringify(toJsonSchema(RunResultSchema).required)}\`.`,
        types: { "application/jsonl": lineSchema },
      },
    },
    handle: ({ req }) => {
      checkType(req.raw, JSON_LINES, "JSON Lines");
      const signal = AbortSignal.any([req.raw.signal, closing]);
      const rows = readUtf8JsonLines(bodyChunks(req.raw, () => bodyTimeoutMs));
      return new Response(ReadableStream.from(encoded(results(batch, rows, signal))), {
        headers: { "content-type": "application/jsonl" },
      });
    },
  };
}

async function* results(
  batch: StreamOperation,
  rows: AsyncIterable<FileRow>,
  signal: AbortSignal,
): AsyncGenerator<object> {
  // As many as are at work: the results come in the order of the rows.
  const waiting: FileRow[] = [];
  async function* items(): AsyncGenerator {
    for await (const row of rows) {
      waiting.push(row);
      yield row.problem === undefined ? row.values : undefined;
    }
  }
  try {
    for await (const result of batch.run(items(), { signal })) {
      const row = waiting.shift()!;
      yield { line: row.line, ...(row.problem === undefined ? result : unreadable(row)) };
    }
  } catch (error) {
    // The status has gone out long ago: the last line says that the rest is missing.
    yield { success: false, steps_completed: [], ...(signal.aborted ? STOPPED : toWireError(error)) };
  }
}

const STOPPED = {
  error: "The service closes. Submit what has no result again; what was done is not done twice.",
  error_code: "interrupted",
  error_type: "io_error",
  retriable: true,
} as const;

const unreadable = (row: FileRow): Record<string, Json> => ({
  success: false,
  steps_completed: [],
  error: `The line ${placeOf(row).replace(/^line /, "")} ${row.problem}.`,
  error_code: "malformed_line",
  error_type: "validation_error",
  retriable: false,
});

async function* encoded(lines: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`);
}
