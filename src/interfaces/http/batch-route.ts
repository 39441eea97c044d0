import type { Json } from "../../json.ts";
import { toWireError } from "../../errors.ts";
import { readUtf8JsonLines } from "../../row-file/json-lines.ts";
import type { FileRow } from "../../row-file/row.ts";
import type { StreamOperation } from "../../framework/operation.ts";
import type { Workflow } from "../../framework/workflow.ts";
import { bodyChunks, checkType } from "./body.ts";
import type { HttpContext, HttpParts, Route } from "./route.ts";

const JSON_LINES = ["application/jsonl", "application/x-ndjson"];

const LINES = { type: "string", description: "One JSON object a line." };

/**
 * The route for many submissions in one request: JSON Lines in, JSON Lines out, in the same order,
 * both as streams.
 */
export function batchRoute(workflow: Workflow, parts: HttpParts): Route {
  const { operation } = parts.service.operations.find(
    (one) => one.workflow === workflow && one.operation.kind === "stream",
  )!;
  const batch = operation as StreamOperation;
  const example = workflow.process.example?.input;
  return {
    method: "POST",
    path: `/workflows/${workflow.name}/batch`,
    id: `batch-${workflow.name}`,
    tag: "workflows",
    summary: "Submit many",
    description:
      `${batch.description} Send JSON Lines and get JSON Lines: results come while you are still sending the ` +
      "body, so read while you write. An invalid line gets a result with `success: false`, and the rest continues.",
    access: batch.scope,
    operations: [batch],
    body: {
      description: "One submission a line.",
      types: Object.fromEntries(JSON_LINES.map((type) => [type, LINES])),
      required: true,
      streamed: true,
      ...(example && { example: JSON.stringify(example) }),
    },
    answers: {
      200: {
        description:
          "One result a line, in the order of the submissions. `line` is the line's number, and the rest is the " +
          "result of a run.",
        types: { "application/jsonl": LINES },
      },
    },
    handle: (context) => stream(context, parts, (rows, signal) => results(batch, rows, signal)),
  };
}

/**
 * The route of a stream operation that doesn't return one result for each item. It passes the items
 * of the body to the operation, and streams what the operation returns.
 */
export const importRoute = (operation: StreamOperation, path: string, parts: HttpParts): Route => ({
  method: "POST",
  path,
  id: operation.name,
  tag: "pipelines",
  summary: `Call ${operation.name}`,
  description: `${operation.description} Send JSON Lines and get JSON Lines.`,
  access: operation.scope,
  operations: [operation],
  body: {
    description: "One item a line.",
    types: Object.fromEntries(JSON_LINES.map((type) => [type, LINES])),
    required: true,
    streamed: true,
    ...(operation.example && { example: JSON.stringify(operation.example.input) }),
  },
  answers: {
    200: { description: "Reports of what has been done so far, one a line.", types: { "application/jsonl": LINES } },
  },
  handle: (context) =>
    stream(context, parts, (rows, signal) => guarded(operation.run(itemsOf(rows), { signal }), signal)),
});

/** Answers JSON Lines with JSON Lines, while the body is still arriving. */
function stream(
  { req }: HttpContext,
  { closing, bodyTimeoutMs }: HttpParts,
  work: (rows: AsyncIterable<FileRow>, signal: AbortSignal) => AsyncIterable<object>,
): Response {
  checkType(req.raw, JSON_LINES, "JSON Lines");
  const signal = AbortSignal.any([req.raw.signal, closing]);
  const rows = readUtf8JsonLines(bodyChunks(req.raw, () => bodyTimeoutMs));
  return new Response(ReadableStream.from(encoded(work(rows, signal))), {
    headers: { "content-type": "application/jsonl" },
  });
}

/**
 * The items of the lines. A line that can't be read becomes undefined, which no operation accepts.
 */
async function* itemsOf(rows: AsyncIterable<FileRow>, onRow: (row: FileRow) => void = () => {}): AsyncGenerator {
  for await (const row of rows) {
    onRow(row);
    yield row.problem === undefined ? row.values : undefined;
  }
}

async function* results(
  batch: StreamOperation,
  rows: AsyncIterable<FileRow>,
  signal: AbortSignal,
): AsyncGenerator<object> {
  // Rows without a result yet. Results come in the order of the rows, so there are never more
  // waiting rows than items in progress.
  const waiting: FileRow[] = [];
  const items = itemsOf(rows, (row) => waiting.push(row));
  const lines = async function* (): AsyncGenerator<object> {
    for await (const result of batch.run(items, { signal })) {
      const row = waiting.shift()!;
      yield { line: row.line, ...(row.problem === undefined ? result : unreadable(row)) };
    }
  };
  yield* guarded(lines(), signal);
}

/**
 * When something fails, the status of the answer has already been sent. So the last line says that
 * the rest is missing, and why.
 */
async function* guarded(results: AsyncIterable<object>, signal: AbortSignal): AsyncGenerator<object> {
  try {
    yield* results;
  } catch (error) {
    yield { success: false, ...(signal.aborted ? STOPPED : toWireError(error)) };
  }
}

const STOPPED = {
  error: "The service is closing. Submit everything without a result again; nothing is done twice.",
  error_code: "interrupted",
  error_type: "io_error",
  retriable: true,
} as const;

const unreadable = (row: FileRow): Record<string, Json> => ({
  success: false,
  steps_completed: [],
  error: `Line ${row.line} ${row.problem}.`,
  error_code: "malformed_line",
  error_type: "validation_error",
  retriable: false,
});

async function* encoded(lines: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`);
}
