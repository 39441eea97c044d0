// A process of the workers bench: node bench/workers-process.ts endpoint | worker <settings as JSON>
import { processorMs } from "./support/measure.ts";

export type WorkerRole = "endpoint" | "worker";

const [role, settings] = process.argv.slice(2) as [WorkerRole, string];

process.on("message", () => process.send!(processorMs()));
process.send!(role === "endpoint" ? await startEndpoint() : await startWorker());

async function startEndpoint(): Promise<string> {
  const { startSparqlEndpoint } = await import("../test/support/sparql-endpoint.ts");
  const { origin } = await startSparqlEndpoint({ closeWithTest: false });
  return `${origin}/sparql`;
}

async function startWorker(): Promise<string> {
  const { openApplication, readSettings } = await import("../src/index.ts");
  await openApplication(readSettings(JSON.parse(settings), {}));
  return "ready";
}
