import { existsSync } from "node:fs";
import type { Application } from "../../src/application/application.ts";
import type { RunOrder, RunStatus } from "../../src/engine/engine.ts";
import { ValidationError } from "../../src/errors.ts";
import { openEngine, runsAndGraph } from "../../src/application/parts.ts";
import type { Settings } from "../../src/application/settings.ts";
import type { StepHistory, WorkflowStatus } from "../../src/framework/result.ts";
import type { GlobalOptions } from "../command.ts";
import { host } from "../terminal/host.ts";
import { oneLine, print, printJson } from "../terminal/output.ts";
import type { ServiceClient } from "../service-client.ts";
import { requireDataDirectory, settingsFrom } from "../settings.ts";

/** Commands show the results of this workflow in a view of their own. */
export const FEEDBACK_WORKFLOW = "customer-feedback";

/** Delivered notifications are listed only on request. */
export const NOTIFICATION_WORKFLOW = "notification";

/** A run as commands show it. */
export interface RunView extends WorkflowStatus {
  workflow: string;
  key: string;
  /** For feedback: its key. */
  feedback_id?: string;
  /** For feedback: what the customer is asked to quote, if that is not the key. */
  reference?: string;
  /** For feedback whose email waits: the beginning of its text. */
  excerpt?: string;
}

export interface RunsFilter {
  workflow?: string;
  status?: RunStatus;
  /** Which come first. Default: the newest. */
  order?: RunOrder;
  /** Workflow id of a run: only runs that come after it in this order. */
  after?: string;
  limit: number;
}

/** The port for runs, wherever they are stored. */
export interface Runs {
  list(filter: RunsFilter): Promise<RunView[]>;
  get(workflowId: string): Promise<RunView | undefined>;
  /**
   * Finds a run by its workflow id, by its key (such as a feedback id), or by the reference that a
   * customer was asked to quote.
   * @throws ValidationError (`ambiguous_reference`) if several match
   */
  find(id: string): Promise<RunView | undefined>;
  history(workflowId: string): Promise<StepHistory[]>;
  /** See `WorkflowEngine.retry`. */
  retry(workflowId: string): Promise<boolean>;
  /** See `WorkflowEngine.cancel`. */
  cancel(workflowId: string): Promise<boolean>;
}

/**
 * Opens the runs for the duration of `work`, without executing any. Another process may be
 * executing them at the same time. If nothing has been run yet, `work` gets undefined, because
 * looking at a folder must not create files in it.
 */
export async function withRuns(options: GlobalOptions, work: (runs: Runs | undefined) => Promise<void>): Promise<void> {
  const service = await serviceFor(options);
  if (service) {
    const { ServiceRuns } = await import("./service-runs.ts");
    return work(new ServiceRuns(service));
  }
  const settings = settingsFrom(options);
  if (settings.databaseUrl === undefined) {
    requireDataDirectory(settings);
    if (!existsSync(runsAndGraph(settings))) return work(undefined);
  }
  const { EngineRuns } = await import("./engine-runs.ts");
  const engine = await openEngine(settings, { worker: false });
  try {
    await work(new EngineRuns(engine));
  } finally {
    await engine.close();
  }
}

/**
 * The service that the options or the environment name; undefined if the command works on its own
 * files.
 */
export async function serviceFor({ url, token }: GlobalOptions): Promise<ServiceClient | undefined> {
  const { env } = host();
  const address = url ?? env["ABI_URL"];
  if (!address) return undefined;
  const { ServiceClient } = await import("../service-client.ts");
  return new ServiceClient(address, token || env["ABI_TOKEN"] || undefined);
}

/**
 * Opens the application to look at a run or to decide on it, for the duration of `work`. If nothing
 * has been run yet, creates nothing and returns undefined.
 */
export async function withStoredRuns<Result>(
  settings: Settings,
  work: (application: Application, runs: Runs, signal: AbortSignal) => Promise<Result>,
  options: { worker: boolean },
): Promise<Result | undefined> {
  const { databaseUrl, ontologyUrl } = settings;
  if (databaseUrl === undefined || ontologyUrl === undefined) requireDataDirectory(settings);
  if (databaseUrl === undefined && !existsSync(runsAndGraph(settings))) return undefined;
  const { withApplication } = await import("../with-application.ts");
  const { EngineRuns } = await import("./engine-runs.ts");
  const workOn = (application: Application, signal: AbortSignal): Promise<Result> =>
    work(application, new EngineRuns(application.engine), signal);
  return withApplication(settings, workOn, options);
}

/**
 * Returns the only one that was found; undefined if there is none.
 * @throws ValidationError (`ambiguous_reference`) if there are several, because only a person can
 *   say which one is meant
 */
export function onlyOne<Found>(
  what: "id" | "reference",
  text: string,
  found: readonly Found[],
  nameOf: (one: Found) => string,
): Found | undefined {
  if (found.length <= 1) return found[0];
  const names = found.map((one) => oneLine(nameOf(one))).join(", ");
  const match = what === "reference" ? "pieces of feedback have the reference" : "runs have the id";
  throw new ValidationError(`Several ${match} ${oneLine(text)}. Use the id of one of them: ${names}.`, {
    code: "ambiguous_reference",
  });
}

const PAGE = 100;

/** All runs with a status, newest first. All of them are read before the first is returned. */
export async function allRuns(runs: Runs, status: RunStatus): Promise<RunView[]> {
  const all: RunView[] = [];
  for (let after: { after?: string } = {}; ; after = { after: all.at(-1)?.workflow_id ?? "" }) {
    const page = await runs.list({ status, limit: PAGE, ...after });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

/**
 * Runs with a step that keeps failing and may be retried for hours, such as an email to a server
 * that is down.
 */
export const delayedRuns = async (runs: Runs): Promise<RunView[]> =>
  (await allRuns(runs, "processing")).filter(({ failing }) => failing?.until !== undefined);

/** Says that there is no such run; the command then ends with exit code 1. */
export function reportUnknownRun(id: string, json: boolean): void {
  host().exitCode = 1;
  if (json) printJson({ workflow_id: id, status: "not_found" });
  else print(`There is no run with the workflow id, feedback id or reference ${oneLine(id)} here.`);
}
