/**
 * Metrics in the text format of Prometheus: what is in the database of runs, and what this process
 * has done.
 */
import type * as PromClient from "prom-client";
import type { Registry } from "prom-client";
import { RUN_STATUSES, type RunCounts, type StepEvent } from "../engine/engine.ts";
import { settlesWithin } from "../concurrency/settles-within.ts";
import { describeCause } from "../log.ts";
import type { Service } from "../framework/service.ts";
import { onMail } from "./mail-events.ts";
import { knownMethod } from "./tracing.ts";

/** A request that was answered. */
export interface ObservedRequest {
  method: string;
  /** The pattern that matched, such as `/runs/:id`; absent if none did. */
  route?: string | undefined;
  status: number;
  /** From the request's arrival to its answer. */
  seconds: number;
}

/** The metrics of one process. */
export interface Metrics {
  /** The media type of `text`. */
  readonly contentType: string;
  /**
   * Returns all metrics, for a scrape. If the database fails or doesn't answer within five seconds,
   * this does not reject: `abi_up` is 0, and only the metrics that come from the database are
   * missing.
   */
  text(): Promise<string>;
  /** Counts a request to this process. HTTP servers call it. */
  observeRequest(request: ObservedRequest): void;
  /** Stops counting steps and emails. */
  close(): void;
}

/** Scrapes usually time out after ten seconds. */
const DATABASE_LIMIT_MS = 5000;
/** In seconds: from a look-up in memory to a slow mail server. */
const STEP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/**
 * For each workflow; any further steps are counted as `other`. Step names may contain what the step
 * works on, and each name costs a series for each bucket.
 */
const MAX_STEP_NAMES = 200;

/**
 * Starts to collect the metrics of a service in this process. `prom-client` is loaded only by this
 * call.
 * @example
 * const metrics = await createMetrics(application.service);
 * app.get("/metrics", async (c) => c.body(await metrics.text(), 200, { "content-type": metrics.contentType }));
 */
export async function createMetrics(service: Pick<Service, "engine" | "workflows" | "logger">): Promise<Metrics> {
  const { default: client } = await import("prom-client");
  const registry = new client.Registry();
  client.collectDefaultMetrics({ register: registry });
  const runs = runGauges(client, registry);
  const observeStep = stepMetrics(client, registry);
  const mails = new client.Counter({
    name: "abi_mails_total",
    help: "Emails by their outcome in this process: sent, delayed (once for each attempt), refused, withheld.",
    labelNames: ["outcome", "recipient", "reason"],
    registers: [registry],
  });
  const requests = new client.Histogram({
    name: "abi_http_request_duration_seconds",
    help: "HTTP requests to this process and how long they took.",
    labelNames: ["method", "route", "status"],
    registers: [registry],
  });
  const stops = [
    service.engine.onStep(observeStep),
    onMail(({ outcome, recipient, reason = "" }) => mails.inc({ outcome, recipient, reason })),
  ];
  const counts = new CountsReader(service);
  const scrape = async (): Promise<string> => {
    runs.set(await counts.read(), [...service.workflows.keys()]);
    return registry.metrics();
  };
  let scraping: Promise<string> | undefined;
  return {
    contentType: registry.contentType,
    // Concurrent scrapes share one, because gauges must not change during a scrape.
    text: () => (scraping ??= scrape().finally(() => (scraping = undefined))),
    observeRequest: ({ method, route = "unmatched", status, seconds }) =>
      requests.observe({ method: knownMethod(method), route, status }, seconds),
    close: () => stops.forEach((stop) => stop()),
  };
}

type Client = Pick<typeof PromClient, "Gauge" | "Counter" | "Histogram">;

/** Gauges of the runs in the database. */
function runGauges(client: Client, registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new client.Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge("abi_up", "1 if the database of runs answers, otherwise 0.");
  const runs = gauge("abi_workflow_runs", "Runs in the database by their status.", ["workflow", "status"]);
  const oldestDue = gauge(
    "abi_workflow_oldest_due_seconds",
    "How long the oldest due run has waited to be claimed; 0 if none is due.",
    ["workflow"],
  );
  const waiting = gauge("abi_approvals_waiting", "Runs that wait for a person.", ["workflow"]);
  const oldestWaiting = gauge(
    "abi_approvals_oldest_seconds",
    "The longest time that a run has waited for a person; 0 if none waits.",
    ["workflow"],
  );
  const set = (counts: readonly RunCounts[] | undefined, workflows: readonly string[]): void => {
    up.set(counts ? 1 : 0);
    // Old values would pass for new ones.
    for (const metric of [runs, oldestDue, waiting, oldestWaiting]) metric.reset();
    const none = workflows.map((workflow): RunCounts => ({ workflow, byStatus: {} }));
    for (const { workflow, byStatus, oldestDueMs = 0, oldestWaitingMs = 0 } of counts ? [...none, ...counts] : []) {
      for (const status of RUN_STATUSES) runs.set({ workflow, status }, byStatus[status] ?? 0);
      oldestDue.set({ workflow }, oldestDueMs / 1000);
      waiting.set({ workflow }, byStatus.waiting_for_approval ?? 0);
      oldestWaiting.set({ workflow }, oldestWaitingMs / 1000);
    }
  };
  return { set };
}

/** @returns the function that counts a step event */
function stepMetrics(client: Client, registry: Registry): (event: StepEvent) => void {
  const durations = new client.Histogram({
    name: "abi_workflow_step_duration_seconds",
    help: "Attempts at steps in this process and how long they took.",
    labelNames: ["workflow", "step", "outcome"],
    buckets: STEP_BUCKETS,
    registers: [registry],
  });
  const retries = new client.Counter({
    name: "abi_workflow_step_retries_total",
    help: "Attempts at steps in this process that failed and are followed by another one.",
    labelNames: ["workflow", "step"],
    registers: [registry],
  });
  const names = new Map<string, Set<string>>();
  const labelOf = (workflow: string, step: string): string => {
    const known = names.get(workflow) ?? new Set();
    names.set(workflow, known);
    if (known.size < MAX_STEP_NAMES) known.add(step);
    return known.has(step) ? step : "other";
  };
  return ({ workflow, step, phase, durationMs = 0, retryInMs }) => {
    if (phase === "started") return;
    const labels = { workflow, step: labelOf(workflow, step) };
    durations.observe({ ...labels, outcome: phase }, durationMs / 1000);
    if (retryInMs !== undefined) retries.inc(labels);
  };
}

/** Reads counts from the database for scrapes, with one query at a time. */
class CountsReader {
  readonly #service: Pick<Service, "engine" | "logger">;
  /** The current query, which later calls share until the database has answered. */
  #pending: Promise<RunCounts[]> | undefined;
  #isFailing = false;

  constructor(service: Pick<Service, "engine" | "logger">) {
    this.#service = service;
  }

  /** Undefined if the database fails or doesn't answer in time. */
  async read(): Promise<RunCounts[] | undefined> {
    const pending = (this.#pending ??= this.#service.engine.counts().finally(() => (this.#pending = undefined)));
    try {
      if (!(await settlesWithin(pending, DATABASE_LIMIT_MS))) throw new Error("no answer");
      const counts = await pending;
      this.#isFailing = false;
      return counts;
    } catch (error) {
      // Log once for each outage, because there is a scrape every few seconds.
      if (!this.#isFailing) {
        const cause = describeCause(error);
        this.#service.logger.warn({ cause }, "metrics don't include runs: their database does not answer");
      }
      this.#isFailing = true;
      return undefined;
    }
  }
}
