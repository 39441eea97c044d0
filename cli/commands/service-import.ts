import { fromWireError, type WireError } from "../../src/errors.ts";
import type {
  CustomerIssue,
  CustomerRecord,
  CustomerSource,
} from "../../src/integrations/customers/customer-source.ts";
import { withoutAbsent } from "../../src/json.ts";
import type { LoadCounts, LoadOptions } from "../../src/pipelines/customer-data-pipeline.ts";
import type { ServiceClient } from "../service-client.ts";

const PATH = "/pipelines/customer-data/import_customers";
/** Customers in one request: few enough to show progress, and to repeat a request quickly. */
const CHUNK_SIZE = 500;
/**
 * Sent for a value that was not understood here. The service doesn't understand it either, so it
 * keeps the stored value.
 */
const NOT_UNDERSTOOD = "not understood";

interface ImportLine extends LoadCounts {
  issues: { place: string; customer_id?: string; message: string; skipped: boolean }[];
}

/**
 * Loads the customers of a source into the graph of a service, as `CustomerDataPipeline.loadAll`
 * does into that of this process.
 * @throws as `loadAll`, and the service's errors
 */
export async function importInto(
  service: ServiceClient,
  source: CustomerSource,
  { signal, onProgress, onInvalid, onUnreadColumn }: LoadOptions,
): Promise<LoadCounts> {
  const counts: LoadCounts = { loaded: 0, invalid: 0 };
  const onIssue = (issue: CustomerIssue): void => {
    if (issue.skipped) counts.invalid += 1;
    onInvalid?.(issue);
  };
  const flush = async (records: readonly CustomerRecord[]): Promise<void> => {
    const stored = await send(service, records, signal);
    counts.loaded += stored.loaded;
    for (const { customer_id: id, ...issue } of stored.issues) {
      if (issue.skipped) onIssue({ ...issue, ...withoutAbsent({ id }) });
    }
    onProgress?.({ ...counts });
  };
  const request = {
    includeTransactions: false,
    includeInteractions: false,
    onIssue,
    ...withoutAbsent({ onUnreadColumn, signal }),
  };
  let chunk: CustomerRecord[] = [];
  for await (const record of source.list(request)) {
    signal?.throwIfAborted();
    chunk.push(record);
    if (chunk.length < CHUNK_SIZE) continue;
    await flush(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await flush(chunk);
  return counts;
}

async function send(
  service: ServiceClient,
  records: readonly CustomerRecord[],
  signal: AbortSignal | undefined,
): Promise<ImportLine> {
  const lines = await service.callForLines(PATH, {
    body: { type: "application/jsonl", text: records.map(toLine).join("") },
    ...withoutAbsent({ signal }),
  });
  const failed = lines.find(({ success }) => success === false);
  if (failed) throw fromWireError(failed as unknown as WireError);
  const answers = lines as unknown as ImportLine[];
  return { ...answers.at(-1)!, issues: answers.flatMap(({ issues }) => issues) };
}

function toLine(record: CustomerRecord): string {
  const value = record.lifetime_value === null ? { lifetime_value: NOT_UNDERSTOOD } : {};
  return `${JSON.stringify({ ...record, ...value })}\n`;
}
