import type { Application } from "../../application.ts";
import { outboxFolder } from "../../parts.ts";
import type { Settings } from "../../settings.ts";
import type { RunResult } from "../../workflow/result.ts";
import type { DecidedResponse } from "../../workflows/customer-feedback/approval.ts";
import type { Workflow } from "../../workflow/workflow.ts";
import type { CustomerFeedbackResult } from "../../workflows/customer-feedback/result.ts";
import type { GlobalOptions } from "../command.ts";
import { host } from "../host.ts";
import { note, print, printJson } from "../output.ts";
import { isWaiting, resultText } from "../result-view.ts";
import { reportUnknownRun, withKeptRuns, type Runs } from "../runs.ts";
import { settingsFrom } from "../settings.ts";
import type { DecisionInput } from "./decision-commands.ts";

/** For how long a decision waits for what a worker makes of it. */
const PATIENCE_MS = 5000;

/** What the run came to, or where that is not known yet, what was decided. */
type Outcome = { result: RunResult } | { decided: DecidedResponse };

/**
 * Decides. On a data directory it then goes on with the run to its end. With a database it leaves that to a worker, which is set up to
 * send: the process of whoever decides need not be.
 */
export async function decideOn(
  id: string,
  options: GlobalOptions,
  prepare: () => DecisionInput | Promise<DecisionInput>,
): Promise<void> {
  const settings = settingsFrom(options);
  const { part, fields } = await prepare();
  const leaveToWorker = settings.databaseUrl !== undefined;
  const work = async ({ service }: Application, runs: Runs, signal: AbortSignal): Promise<Outcome | undefined> => {
    const run = await runs.find(id);
    if (!run) return undefined;
    const { workflow_id } = run;
    const decided = (await service.callApproval(part, { workflow_id, ...fields })) as DecidedResponse;
    const { workflow } = await service.run(workflow_id);
    if (!leaveToWorker) return { result: await workflow.getWorkflowResult(workflow_id, { signal }) };
    note("The decision is kept. A worker goes on with the run, and sends with its own settings.");
    return (await resultSoon(workflow, workflow_id, signal)) ?? { decided };
  };
  const outcome = await withKeptRuns(settings, work, { worker: !leaveToWorker });
  const json = options.json === true;
  if (!outcome) return reportUnknownRun(id, json);
  if ("decided" in outcome) return reportDecided(outcome.decided, json);
  await reportResult(outcome.result, settings, json);
}

/** The run's result where it ends, or waits again, within a few seconds. */
async function resultSoon(
  workflow: Workflow,
  workflowId: string,
  interrupted: AbortSignal,
): Promise<{ result: RunResult } | undefined> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const signal = AbortSignal.any([interrupted, patience.signal]);
    return { result: await workflow.getWorkflowResult(workflowId, { signal }) };
  } catch (error) {
    if (patience.signal.aborted && !interrupted.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The run has not ended: `success` would say more than is known. */
function reportDecided(decided: DecidedResponse, json: boolean): void {
  if (json) printJson({ status: "decided", ...decided });
  note(`It is not known yet whether the mail goes out. Look again with: abi-workflows status ${decided.workflow_id}`);
}

async function reportResult(result: RunResult, settings: Settings, json: boolean): Promise<void> {
  // A worker's outbox is its own.
  const outbox = settings.databaseUrl === undefined ? outboxFolder(settings) : undefined;
  if (json) printJson(result);
  else print(resultText(result as CustomerFeedbackResult, outbox));
  if (isWaiting(result)) note("Nothing has gone out: another mail waits in its place.");
  host().exitCode = result.success ? 0 : 1;
}
