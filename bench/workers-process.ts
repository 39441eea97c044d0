// A process of the workers and cluster benchmarks:
//   node bench/workers-process.ts endpoint | balancer <ports> | worker <settings as JSON>
import { subscribe } from "node:diagnostics_channel";
import { processorMs } from "./support/measure.ts";

export type Role = "endpoint" | "balancer" | "worker";

/** Totals since the start. Only workers count more than `processor`. */
export interface Stats {
  /** Milliseconds. */
  processor: number;
  /** Number of runs that this process has completed. */
  completed: number;
  /** Number of emails that it has sent. */
  mailsSent: number;
  /**
   * Requests to the SPARQL endpoint, and how long they took until the answer began, in
   * milliseconds.
   */
  requests: number;
  requestMs: number;
}

const MAIL_STEPS = new Set(["response_sent", "acknowledgment_sent"]);

const [role, argument] = process.argv.slice(2) as [Role, string];
const stats: Stats = { processor: 0, completed: 0, mailsSent: 0, requests: 0, requestMs: 0 };
const start = { endpoint: startEndpoint, balancer: startBalancer, worker: startWorker }[role];

process.on("message", () => process.send!({ ...stats, processor: processorMs() }));
process.send!(await start());

async function startEndpoint(): Promise<string> {
  const { startSparqlEndpoint } = await import("../test/support/sparql-endpoint.ts");
  const { origin } = await startSparqlEndpoint({ closeWithTest: false });
  return `${origin}/sparql`;
}

async function startBalancer(): Promise<string> {
  const { startTcpBalancer } = await import("../test/support/tcp-balancer.ts");
  const { url } = await startTcpBalancer(argument.split(",").map(Number));
  return url;
}

async function startWorker(): Promise<string> {
  const { openApplication, readSettings } = await import("../src/index.ts");
  const settings = readSettings(JSON.parse(argument), {});
  watchRequests(new URL(settings.ontologyUrl!).origin);
  const { engine } = await openApplication(settings);
  engine.onRest(({ status }) => {
    if (status === "completed") stats.completed += 1;
  });
  engine.onStep(({ step, phase }) => {
    if (phase === "completed" && MAIL_STEPS.has(step)) stats.mailsSent += 1;
  });
  return "ready";
}

/** Counts the requests that `fetch` makes to an origin, by its diagnostics channels. */
function watchRequests(origin: string): void {
  const begun = new WeakMap<object, number>();
  const requestOf = (message: unknown) => (message as { request: { origin: string } }).request;
  subscribe("undici:request:create", (message) => {
    const request = requestOf(message);
    if (request.origin === origin) begun.set(request, performance.now());
  });
  subscribe("undici:request:headers", (message) => {
    const begin = begun.get(requestOf(message));
    if (begin === undefined) return;
    stats.requests += 1;
    stats.requestMs += performance.now() - begin;
  });
}
