// The overhead of a tool call: the whole workflow and a short operation, as tools and called
// directly.
import { tool as createTool } from "@langchain/core/tools";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { EmbeddedSentimentAnalyzer, openApplication, readSettings } from "../src/index.ts";
import { feedback, feedbackText, writeCustomers } from "./support/feedback.ts";
import type { Bench } from "./support/bench.ts";
import { figure, processorMs, quantile, table } from "./support/measure.ts";
import { z } from "zod";

export const about = "a call through as_tools() against the same call without a tool";

const WARM_UP = 50;

export async function run(bench: Bench): Promise<void> {
  const calls = bench.options.items ?? 200;
  const folder = mkdtempSync(join(bench.folder, "tool-"));
  const settings = {
    dataDirectory: join(folder, "data"),
    customerSource: writeCustomers(folder),
    responseCap: 1_000_000,
  };
  const application = await openApplication(readSettings(settings, {}));
  const { workflow, customerDataPipeline } = application;
  await customerDataPipeline.loadAll();
  const tools = new Map(workflow.as_tools().map((tool) => [tool.name, tool]));
  const analyzer = new EmbeddedSentimentAnalyzer();
  const bare = createTool(async ({ n }) => String(n), { name: "bare", schema: z.object({ n: z.number() }) });
  let n = 0;
  const work: Record<string, () => Promise<unknown>> = {
    "the workflow, called directly": () => workflow.run(feedback(n++)),
    "the workflow as a tool": () => tools.get("process_customer_feedback")!.invoke(feedback(n++)),
    "the sentiment of a text, called directly": async () => analyzer.analyze(`${feedbackText(n)} (${n++})`),
    "the sentiment of a text as a tool": () =>
      tools.get("analyze_feedback_sentiment")!.invoke({ text: `${feedbackText(n)} (${n++})` }),
    "a LangChain tool that does nothing": () => bare.invoke({ n: n++ }),
  };
  const figures = new Map(Object.keys(work).map((what) => [what, { wall: [] as number[], processor: [] as number[] }]));
  for (let call = -WARM_UP; call < calls; call++) {
    for (const [what, perform] of Object.entries(work)) {
      const [begin, before] = [performance.now(), processorMs()];
      await perform();
      if (call < 0) continue;
      figures.get(what)!.wall.push(performance.now() - begin);
      figures.get(what)!.processor.push(processorMs() - before);
    }
  }
  await application.close();
  const rows = [...figures].map(([what, { wall, processor }]) => [
    what,
    figure(quantile(wall)),
    figure(quantile(wall, 0.99)),
    figure(processor.reduce((sum, one) => sum + one, 0) / processor.length),
  ]);
  console.log(`\n${table(["call", "p50 ms", "p99 ms", "ms processor"], rows)}`);
}
