// A worker whose spans go to a file: <database> <file of spans> [hang]. With "hang", it submits a run and never ends its second step.
import { trace } from "@opentelemetry/api";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { fileExporter, setUpTracing } from "../support/tracing.ts";
import { InvoiceWorkflow } from "./invoices.ts";

const [, , place = "", file = "", hang] = process.argv;
setUpTracing(fileExporter(file));
const engine = place.startsWith("postgres:") ? await DurableEngine.connect(place) : new DurableEngine({ path: place });
const send = async (): Promise<void> => {
  process.stdout.write("sending\n");
  if (hang) await new Promise(() => {});
};
const workflow = new InvoiceWorkflow({ engine, send }).register();
engine.onRest(({ status }) => process.stdout.write(`${status}\n`));
engine.startWorker();
if (hang) {
  const id = await trace.getTracer("test").startActiveSpan("request", async (span) => {
    const accepted = await workflow.startWorkflow({ invoice_id: "I-1" });
    span.end();
    return accepted;
  });
  process.stdout.write(`${id}\n`);
}
setInterval(() => {}, 60_000); // an idle worker doesn't keep its process alive
