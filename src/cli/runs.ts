import { existsSync } from "node:fs";
import type { Application } from "../application.ts";
import type { Run, RunStatus, WorkflowEngine } from "../engine/engine.ts";
import { ValidationError } from "../errors.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import type { Json } from "../json.ts";
import { dataFile, openEngine } from "../parts.ts";
import type { Settings } from "../settings.ts";
import { statusOf, type WorkflowStatus } from "../workflow/result.ts";
import type { CustomerFeedbackWorkflow } from "../workflows/customer-feedback/customer-feedback-workflow.ts";
import { referenceKey } from "../workflows/customer-feedback/reference.ts";
import type { GlobalOptions } from "./command.ts";
import { host } from "./host.ts";
import { oneLine, print, printJson } from "./output.ts";
import { requireDataDirectory, settingsFrom } from "./settings.ts";

export const WORKFLOW = "customer-feedback";

/**
 * Opens the runs without executing any, for the time of `work`, so that it can be done beside a process that does.
 * There is no engine where nothing has been run yet: looking at a folder must not fill it.
 */
export async function withRuns(
  options: GlobalOptions,
  work: (engine: WorkflowEngine | undefined) => Promise<void>,
): Promise<void> {
  const settings = settingsFrom(options);
  if (settings.databaseUrl === undefined) {
    requireDataDirectory(settings);
    if (!existsSync(dataFile(settings, "runs.sqlite"))) return work(undefined);
  }
  const engine = await openEngine(settings, { worker: false });
  try {
    await work(engine);
  } finally {
    await engine.close();
  }
}

/**
 * Opens the application to look at a run or to decide on it, for the time of `work`; undefined where nothing has been run yet, and
 * nothing is made then.
 */
export async function withKeptRuns<Result>(
  settings: Settings,
  work: (application: Application, signal: AbortSignal) => Promise<Result>,
  options: { worker: boolean },
): Promise<Result | undefined> {
  const { databaseUrl, ontologyUrl } = settings;
  if (databaseUrl === undefined || ontologyUrl === undefined) requireDataDirectory(settings);
  if (databaseUrl === undefined && !existsSync(dataFile(settings, "runs.sqlite"))) return undefined;
  const { withApplication } = await import("./with-application.ts");
  return withApplication(settings, work, options);
}

/** By workflow id, feedback id, or the reference that the customer was asked to quote. */
export async function findRun(engine: WorkflowEngine | undefined, id: string): Promise<Run | undefined> {
  const tidy = tidyIdentifier(id);
  const run = (await engine?.get(tidy)) ?? (await engine?.find(WORKFLOW, tidy));
  const reference_key = referenceKey(id);
  if (run || !engine || reference_key === "") return run;
  const runs = await engine.list({ workflow: WORKFLOW, input: { reference_key } });
  return onlyOne(id, runs, ({ key }) => key);
}

/** The same where a workflow is open. */
export async function findRunOf(workflow: CustomerFeedbackWorkflow, id: string): Promise<WorkflowStatus | undefined> {
  const run = await workflow.getWorkflowStatus(id);
  if (run.status !== "not_found") return run;
  const found = await workflow.findWorkflow(id);
  return found ?? onlyOne(id, await workflow.findByReference(id), ({ feedback_id }) => feedback_id);
}

/** @throws ValidationError where several have the reference: which one is meant is for a person to say */
function onlyOne<Found>(
  reference: string,
  found: readonly Found[],
  feedbackId: (one: Found) => string,
): Found | undefined {
  if (found.length <= 1) return found[0];
  const ids = found.map((one) => oneLine(feedbackId(one))).join(", ");
  throw new ValidationError(
    `Several pieces of feedback have the reference ${oneLine(reference)}. Give the id of one of them: ${ids}.`,
    { code: "ambiguous_reference" },
  );
}

export function runView(run: Run): WorkflowStatus & { feedback_id: string } {
  const { customer_id = null } = run.input as Record<string, Json>;
  return { feedback_id: run.key, ...statusOf(run, { feedback_id: run.key, customer_id }) };
}

const PAGE = 100;

/** All runs in a status, newest first, read before anything is done to the first of them. */
export async function allRuns(engine: WorkflowEngine, status: RunStatus): Promise<Run[]> {
  const all: Run[] = [];
  for (let after: { after?: string } = {}; ; after = { after: all.at(-1)?.id ?? "" }) {
    const page = await engine.list({ workflow: WORKFLOW, status, limit: PAGE, ...after });
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

/** Runs with a step that keeps failing and is tried for longer than anybody waits for it. */
export const delayedRuns = async (engine: WorkflowEngine): Promise<Run[]> =>
  (await allRuns(engine, "processing")).filter(({ failing }) => failing?.until !== undefined);

/** Says that there is no such run; the command then ends with exit code 1. */
export function reportUnknownRun(id: string, json: boolean): void {
  host().exitCode = 1;
  if (json) printJson({ workflow_id: id, status: "not_found" });
  else print(`There is no run with the workflow id, feedback id or reference ${oneLine(id)} here.`);
}
