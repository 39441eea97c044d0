// A long batch, 16 at a time: does the rate stay constant? Prints a row for every 1,000 pieces of
// feedback.
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { openApplication, readSettings } from "../src/index.ts";
import { feedback, writeCustomers } from "./support/feedback.ts";
import type { Bench } from "./support/bench.ts";
import { figure, processorMs, table } from "./support/measure.ts";

export const about = "20,000 pieces of feedback (or --items) in one batch, the rate over time";

const AT_ONCE = 16;
const ROW = 1000;

export async function run(bench: Bench): Promise<void> {
  const items = bench.options.items ?? 20_000;
  const folder = mkdtempSync(join(bench.folder, "batch-"));
  const application = await openApplication(
    readSettings(
      {
        dataDirectory: join(folder, "data"),
        customerSource: writeCustomers(folder),
        maxParallelRequests: AT_ONCE,
        responseCap: 1_000_000,
      },
      {},
    ),
  );
  let majorCollections = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) majorCollections += 1;
    }
  });
  observer.observe({ entryTypes: ["gc"] });

  const rows: string[][] = [];
  let done = 0;
  let since = { time: performance.now(), processor: processorMs(), majorCollections, done };
  for await (const { success, error } of application.workflow.runBatch(feedbackUntil(items))) {
    if (!success) throw new Error(error);
    done += 1;
    if (done % ROW !== 0 && done !== items) continue;
    bench.progress(`${done} of ${items}`);
    const seconds = (performance.now() - since.time) / 1000;
    const count = done - since.done;
    const { heapUsed, rss } = process.memoryUsage();
    rows.push([
      String(done),
      figure(count / seconds),
      figure((processorMs() - since.processor) / count),
      figure((majorCollections - since.majorCollections) / seconds),
      String(Math.round(heapUsed / 1e6)),
      String(Math.round(rss / 1e6)),
    ]);
    since = { time: performance.now(), processor: processorMs(), majorCollections, done };
  }
  observer.disconnect();
  await application.close();
  bench.progress("");
  const heads = ["feedback", "a second", "ms processor each", "major collections a second", "heap MB", "resident MB"];
  console.log(`\n${table(heads, rows)}`);
}

function* feedbackUntil(end: number): Generator<object> {
  for (let n = 0; n < end; n++) yield feedback(n);
}
