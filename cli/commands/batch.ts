import { ownOutbox } from "../../src/application/parts.ts";
import { open, stat } from "node:fs/promises";
import { toWireError, ValidationError } from "../../src/errors.ts";
import { PRIVATE_FILE } from "../../src/files/private-files.ts";
import { withoutAbsent } from "../../src/json.ts";
import type { FileRow } from "../../src/row-file/row.ts";
import { withDerivedKey } from "../../src/framework/submission.ts";
import type { BatchOptions } from "./batch-command.ts";
import { createColumnMapping, type ColumnMapping } from "./batch/column-mapping.ts";
import { openRows } from "./batch/read-rows.ts";
import { BatchSummary, type RowResult } from "./batch/summary.ts";
import { usageError } from "../command.ts";
import { host, resolvedPath } from "../terminal/host.ts";
import { jsonText, note, oneLine, print, printJson } from "../terminal/output.ts";
import { orUnwritable } from "../terminal/output-file.ts";
import { createProgress } from "../terminal/progress.ts";
import { settingsFrom } from "../settings.ts";
import { interruptible } from "../terminal/interruption.ts";
import { serviceFor } from "../runs/runs.ts";
import type { ServiceClient } from "../service-client.ts";
import type { Settings } from "../../src/application/settings.ts";
import type { RunResult } from "../../src/framework/result.ts";
import { PROCESS_KEY } from "../../src/workflows/customer-feedback/parameters.ts";
import { withApplication } from "../with-application.ts";

/** How many column names are checked. */
const MAX_COLUMNS = 1000;

export async function batch(file: string, options: BatchOptions): Promise<void> {
  if (options.output !== undefined && (await isSameFile(options.output, file))) {
    throw usageError("--output would overwrite the file that is read. Name another one.");
  }
  await runBatch(file, createColumnMapping(options.map, options.set), options);
}

/** Whether two names, including links of both kinds, lead to the same existing file. */
async function isSameFile(left: string, right: string): Promise<boolean> {
  // Inode numbers may be too large for a double.
  const [a, b] = await Promise.all(
    [left, right].map((path) => stat(resolvedPath(path), { bigint: true }).catch(() => undefined)),
  );
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

async function runBatch(file: string, mapping: ColumnMapping, options: BatchOptions): Promise<void> {
  const settings = settingsFrom(options);
  const service = await serviceFor(options);
  const outbox = service ? undefined : ownOutbox(settings);
  const summary = new BatchSummary();
  const say = (text: string): void => (options.json ? note(text) : print(text));
  const columns = new SeenColumns(mapping);
  const rows = await openRows(file, mapping.check);
  const progress = await createProgress("Processing");
  try {
    await withProcess(service, settings, async (process, signal) => {
      // Opened only now: if the data directory is in use, perhaps another batch is writing its
      // results to this file, and they must not be overwritten.
      const write = await openOutput(options);
      try {
        for await (const { result, share } of resultsOf(process, rows, mapping, columns, signal)) {
          summary.add(result);
          await write?.(result);
          progress.update(summary.progress(), share);
        }
      } finally {
        await write?.close();
      }
    });
  } finally {
    progress.stop();
    if (summary.processed > 0) {
      if (options.json && options.output !== undefined) printJson(summary.toJson(outbox));
      else say(summary.toText(outbox));
    }
  }
  if (summary.processed === 0) note("The file has no rows.");
  else columns.noteMissing();
  host().exitCode = summary.failed + summary.mailsDelayed === 0 ? 0 : 1;
}

/** Prints possible mistakes in a file's columns, each once. */
class SeenColumns {
  readonly #mapping: ColumnMapping;
  readonly #seen = new Set<string>();

  constructor(mapping: ColumnMapping) {
    this.#mapping = mapping;
  }

  add(row: object): void {
    for (const column of Object.keys(row)) {
      if (this.#seen.has(column) || this.#seen.size === MAX_COLUMNS) continue;
      this.#seen.add(column);
      const warning = this.#mapping.warningOf(column);
      if (warning !== undefined) note(oneLine(warning));
    }
  }

  noteMissing(): void {
    if (this.#seen.size === MAX_COLUMNS) return;
    for (const [field, column] of this.#mapping.mapped) {
      if (this.#seen.has(column)) continue;
      note(oneLine(`No row has a column ${JSON.stringify(column)}, which --map names for ${field}.`));
    }
  }
}

/** Runs the workflow for every item, and returns the results in the order of the items. */
type Process = (items: AsyncIterable<unknown>, signal: AbortSignal) => AsyncIterable<RunResult>;

/** How many submissions to a service wait for their results at the same time. */
const AT_ONCE = 8;

/** Opens what processes the rows: the application or, with `--url`, the service. */
async function withProcess(
  service: ServiceClient | undefined,
  settings: Settings,
  work: (process: Process, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (!service) {
    return withApplication(settings, ({ workflow }, signal) =>
      work((items) => workflow.runBatch(items, { signal }), signal),
    );
  }
  const { pMapIterable } = await import("p-map");
  const { processOrRefuse } = await import("./process-one.ts");
  return interruptible((signal) =>
    work(
      (items) => pMapIterable(items, (item) => processOrRefuse(service, item, signal), { concurrency: AT_ONCE }),
      signal,
    ),
  );
}

/** The results in the order of the rows, each with its line. */
async function* resultsOf(
  run: Process,
  rows: AsyncIterable<FileRow>,
  mapping: ColumnMapping,
  columns: SeenColumns,
  signal: AbortSignal,
): AsyncGenerator<{ result: RowResult; share: number }> {
  // Rows that were submitted and have no result yet. Their number is limited by how many are
  // processed at the same time.
  const pending: FileRow[] = [];
  const items = async function* (): AsyncGenerator {
    for await (const row of rows) {
      signal.throwIfAborted();
      columns.add(row.values ?? {});
      const problem = row.problem ?? (row.values && mapping.problemOf(row.values));
      pending.push({ ...row, ...withoutAbsent({ problem }) });
      const parameters = row.problem === undefined && row.values && mapping.toParameters(row.values);
      // An unreadable row is passed on as undefined, which the workflow refuses at once, so every
      // row has a result, in the order of the rows.
      yield parameters ? withDerivedKey(PROCESS_KEY, parameters) : undefined;
    }
  };
  for await (const result of run(items(), signal)) {
    const { line, item, share, problem } = pending.shift() ?? { line: 0, share: 1 };
    yield {
      result: {
        line,
        ...withoutAbsent({ item }),
        ...result,
        ...(problem !== undefined && refusedRow(problem)),
      },
      share,
    };
  }
}

const refusedRow = (problem: string): { success: boolean } => ({
  success: false,
  ...toWireError(new ValidationError(`The row ${problem}.`, { code: "invalid_row" })),
});

const RESULTS = "The results";

type ResultWriter = ((result: RowResult) => Promise<void>) & { close(): Promise<void> };

/** Where results go: the file, standard output, or nowhere. */
async function openOutput({ output, json }: BatchOptions): Promise<ResultWriter | undefined> {
  if (output === undefined) {
    return json ? Object.assign(async (result: RowResult) => printJson(result), { close: async () => {} }) : undefined;
  }
  const file = await orUnwritable(RESULTS, output, open(resolvedPath(output), "w", PRIVATE_FILE));
  return Object.assign(
    async (result: RowResult) => {
      await orUnwritable(RESULTS, output, file.appendFile(`${jsonText(result)}\n`));
    },
    { close: () => file.close() },
  );
}
