import { ownOutbox } from "../../../src/application/parts.ts";
import type { Application } from "../../../src/application/application.ts";
import type { RunResult } from "../../../src/framework/result.ts";
import type { DecidedResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import type { CustomerFeedbackResult } from "../../../src/workflows/customer-feedback/result.ts";
import { usageError, type GlobalOptions } from "../../command.ts";
import { furtherCommand, host } from "../../terminal/host.ts";
import { interruptible } from "../../terminal/interruption.ts";
import { note, print, printJson } from "../../terminal/output.ts";
import { isWaiting, resultText } from "../../result-view.ts";
import { reportUnknownRun, serviceFor, withStoredRuns, type Runs } from "../../runs/runs.ts";
import type { ServiceClient } from "../../service-client.ts";
import { findAt } from "./at-service.ts";
import { settingsFrom } from "../../settings.ts";
import type { DecisionInput } from "./decision-commands.ts";

/** How long the command waits for the result if a worker or a service continues the run. */
const TIMEOUT_MS = 5000;

/** The result of the run or, if there is none yet, the decision. */
type Outcome = { result: RunResult } | { decided: DecidedResponse };

/**
 * Stores the decision. On a data directory, this process then continues the run. With DATABASE_URL,
 * it leaves that to a worker, because this process may not be set up to send mail.
 */
export async function decideOn(
  id: string,
  options: GlobalOptions & { by?: string },
  prepare: () => DecisionInput | Promise<DecisionInput>,
): Promise<void> {
  const service = await serviceFor(options);
  if (service) return decideAt(service, id, await prepare(), options.json === true);
  const { by } = options;
  if (by === undefined) throw usageError("Say who decides with --by <name>. The name is stored.");
  const settings = settingsFrom(options);
  const { decision, fields } = await prepare();
  const leaveToWorker = settings.databaseUrl !== undefined;
  const work = async ({ service }: Application, runs: Runs, signal: AbortSignal): Promise<Outcome | undefined> => {
    const run = await runs.find(id);
    if (!run) return undefined;
    const { workflow_id } = run;
    const decided = (await service.callApproval(decision, { workflow_id, by, ...fields })) as DecidedResponse;
    const { workflow } = await service.run(workflow_id);
    if (!leaveToWorker) return { result: await workflow.getWorkflowResult(workflow_id, { signal }) };
    const sends = decision === "reject" ? "" : ", and sends the email with its own settings";
    note(`The decision is stored. A worker continues the run${sends}.`);
    const result = (patience: AbortSignal) => workflow.getWorkflowResult(workflow_id, { signal: patience });
    const ended = await resultSoon(result, signal);
    return ended ? { result: ended } : { decided };
  };
  const outcome = await withStoredRuns(settings, work, { worker: !leaveToWorker });
  const json = options.json === true;
  if (!outcome) return reportUnknownRun(id, json);
  if ("decided" in outcome) return reportDecided(outcome.decided, json);
  reportResult(outcome.result, ownOutbox(settings), json);
}

/** Decides at a service, which signs with the token's name and continues the run. */
const decideAt = (
  service: ServiceClient,
  id: string,
  { decision, fields }: DecisionInput,
  json: boolean,
): Promise<void> =>
  interruptible(async (signal) => {
    const workflowId = await findAt(service, id);
    if (workflowId === undefined) return reportUnknownRun(id, json);
    const path = `/approvals/${encodeURIComponent(workflowId)}/${decision}`;
    const decided = (await service.call(path, { json: fields, signal })) as DecidedResponse;
    const result = await resultSoon((patience) => service.resultIfAllowed(workflowId, patience), signal);
    if (result) reportResult(result, undefined, json);
    else reportDecided(decided, json);
  });

/** The run's result, if it ends or waits again within a few seconds. */
async function resultSoon(
  result: (signal: AbortSignal) => Promise<RunResult | undefined>,
  interrupted: AbortSignal,
): Promise<RunResult | undefined> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([interrupted, patience.signal]);
    return await result(signal);
  } catch (error) {
    if (patience.signal.aborted && !interrupted.aborted) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Prints the decision without a `success`, because the run has not ended yet, or because the token
 * can't read its result.
 */
function reportDecided(decided: DecidedResponse, json: boolean): void {
  if (json) printJson({ status: "decided", ...decided });
  const state =
    decided.decision === "reject" ? "The email does not go out." : "It is not known yet whether the email goes out.";
  note(`${state} Look again with: ${furtherCommand(`status ${decided.workflow_id}`)}`);
}

/** @param outbox the folder to which emails were written, if known here */
function reportResult(result: RunResult, outbox: string | undefined, json: boolean): void {
  if (json) printJson(result);
  else print(resultText(result as CustomerFeedbackResult, outbox));
  if (isWaiting(result)) note("Nothing was sent: another email is waiting now.");
  host().exitCode = result.success ? 0 : 1;
}
