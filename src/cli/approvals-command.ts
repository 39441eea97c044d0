import type { Command } from "commander";
import type { Application } from "../application.ts";
import { ValidationError } from "../errors.ts";
import type { RunResult, WorkflowStatus } from "../workflow/result.ts";
import type { DecidedResponse, PendingResponse } from "../workflows/customer-feedback/approval.ts";
import type { CustomerFeedbackWorkflow } from "../workflows/customer-feedback/customer-feedback-workflow.ts";
import type { CustomerFeedbackResult } from "../workflows/customer-feedback/result.ts";
import { addExamples, positiveNumber, settingsFrom, type GlobalOptions } from "./command.ts";
import { readText } from "./input.ts";
import { harmless, note, oneLine, plural, print, printJson } from "./output.ts";
import { fields, resultText, sentimentText } from "./result-view.ts";
import { reportUnknownRun, runView, withRuns, WORKFLOW } from "./runs.ts";
import { table } from "./table.ts";
import { withApplication } from "./with-application.ts";

/** For how long a decision waits for what a worker makes of it. */
const PATIENCE_MS = 5000;

/** What the run came to, or where that is not known yet, what was decided. */
type Outcome = { result: RunResult } | { decided: DecidedResponse };

interface DecisionOptions extends GlobalOptions {
  rendering: string;
  by: string;
}

type Decide<Options extends DecisionOptions> = (
  workflow: CustomerFeedbackWorkflow,
  workflowId: string,
  options: Options,
) => Promise<DecidedResponse>;

/** `approvals`: the mails that wait for a person. */
export function addApprovalsCommand(program: Command): void {
  const command = program
    .command("approvals")
    .summary("look at mails that wait for a person, and decide on them")
    .description(
      "Look at the mails that wait for a person (APPROVAL=on), and approve, edit or reject them. A decision names the rendering of " +
        "the mail that was looked at, and holds for exactly that mail.",
    );
  addListCommand(command);
  addShowCommand(command);
  addApproveCommand(command);
  addEditCommand(command);
  addRejectCommand(command);
  addExamples(
    command,
    ["approvals", "what waits"],
    ["approvals show F-1", "a mail as it would go out, and its rendering"],
    ["approvals approve F-1 --rendering 5f3c… --by Ann", "let it go out"],
    ["approvals edit F-1 --rendering 5f3c… --by Ann --text-file - < mine.txt", "let it go out with other words"],
    ['approvals reject F-1 --rendering 5f3c… --by Ann --reason "She has called."', "let nothing go out"],
  );
}

function addListCommand(parent: Command): void {
  parent
    .command("list", { isDefault: true })
    .summary("show what waits (the default)")
    .description("Show the runs whose mails wait for a person, newest first. Works while another process is at work.")
    .option("--limit <number>", "at most so many", positiveNumber, 20)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { limit: number }>();
      const filter = { workflow: WORKFLOW, status: "waiting_for_approval", limit: options.limit } as const;
      await withRuns(options, async (engine) => {
        const runs = ((await engine?.list(filter)) ?? []).map(runView);
        if (options.json) return printJson(runs);
        if (runs.length === 0) return note("No mail waits for a person.");
        print(waitingTable(runs));
        note(`${plural(runs.length, "mail")} waiting, newest first`);
      });
    });
}

function addShowCommand(parent: Command): void {
  parent
    .command("show")
    .summary("show a mail as it would go out")
    .description("Show the mail that waits, exactly as it would go out, with its rendering. With --json also its HTML.")
    .argument("<id>", "workflow id (workflow-…) or feedback id")
    .action(async (id: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const show = async ({ workflow }: Application): Promise<void> => {
        const run = await runById(workflow, id);
        if (!run) return reportUnknownRun(id, options.json === true);
        const pending = await workflow.getPendingResponse(run.workflow_id);
        if (!pending) throw nothingWaits(run);
        if (options.json) printJson(pending);
        else print(mailText(pending));
      };
      // Looking must not send anything.
      await withApplication(settingsFrom(options), show, { worker: false });
    });
}

function addApproveCommand(parent: Command): void {
  decisionCommand(parent, "approve", "let a mail go out as it stands", (workflow, id, { rendering, by }) =>
    workflow.approveResponse(id, { rendering, by }),
  );
}

function addEditCommand(parent: Command): void {
  interface EditOptions extends DecisionOptions {
    textFile: string;
    subject?: string;
  }
  decisionCommand<EditOptions>(parent, "edit", "let a mail go out with other words", async (workflow, id, options) => {
    const { rendering, by, subject, textFile } = options;
    const text = await readText(textFile);
    return workflow.editResponse(id, { rendering, by, text, ...(subject === undefined ? {} : { subject }) });
  })
    .requiredOption("--text-file <file>", "the mail's new text (- reads standard input)")
    .option("--subject <line>", "its new subject; without this, it stays");
}

function addRejectCommand(parent: Command): void {
  interface RejectOptions extends DecisionOptions {
    reason?: string;
  }
  decisionCommand<RejectOptions>(parent, "reject", "let no mail go out", (workflow, id, { rendering, by, reason }) =>
    workflow.rejectResponse(id, { rendering, by, ...(reason === undefined ? {} : { reason }) }),
  ).option("--reason <line>", "why not; it stands in the result");
}

/**
 * A command that decides. On a data directory it then goes on with the run to its end. With a database it leaves that to a worker,
 * which is set up to send: the process of whoever decides need not be.
 */
function decisionCommand<Options extends DecisionOptions = DecisionOptions>(
  parent: Command,
  name: DecidedResponse["decision"],
  summary: string,
  decide: Decide<Options>,
): Command {
  return parent
    .command(name)
    .summary(summary)
    .description(
      `${summary[0]?.toUpperCase()}${summary.slice(1)}; then go on with the run (with DATABASE_URL a worker does) and print its result.`,
    )
    .argument("<id>", "workflow id (workflow-…) or feedback id")
    .requiredOption("--rendering <hash>", "which mail: as `approvals show` says")
    .requiredOption("--by <name>", "who decides; it is kept")
    .action(async (id: string, _options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const settings = settingsFrom(options);
      const leaveToWorker = settings.databaseUrl !== undefined;
      const work = async ({ workflow }: Application, signal: AbortSignal): Promise<Outcome | undefined> => {
        const run = await runById(workflow, id);
        if (!run) return undefined;
        const decided = await decide(workflow, run.workflow_id, options);
        if (!leaveToWorker) return { result: await workflow.getWorkflowResult(run.workflow_id, { signal }) };
        note("The decision is kept. A worker goes on with the run, and sends with its own settings.");
        return (await resultSoon(workflow, run.workflow_id, signal)) ?? { decided };
      };
      const outcome = await withApplication(settings, work, { worker: !leaveToWorker });
      if (!outcome) return reportUnknownRun(id, options.json === true);
      if ("decided" in outcome) return reportDecided(outcome.decided, options.json === true);
      const { outboxFolder } = await import("../application.ts");
      const { result } = outcome;
      if (options.json) printJson(result);
      else print(resultText(result as CustomerFeedbackResult, leaveToWorker ? undefined : outboxFolder(settings)));
      process.exitCode = result.success ? 0 : 1;
    });
}

/** The run's result where it ends, or waits again, within a few seconds. */
async function resultSoon(
  workflow: CustomerFeedbackWorkflow,
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

function reportDecided(decided: DecidedResponse, json: boolean): void {
  if (json) printJson({ success: true, ...decided });
  note(`The run has not ended yet. Look again with: abi-workflows status ${decided.workflow_id}`);
}

async function runById(workflow: CustomerFeedbackWorkflow, id: string): Promise<WorkflowStatus | undefined> {
  const run = await workflow.getWorkflowStatus(id);
  return run.status === "not_found" ? workflow.findWorkflow(id) : run;
}

const nothingWaits = ({ status }: WorkflowStatus): ValidationError =>
  new ValidationError(`No mail waits for a person there: the run's status is ${status}.`, { code: "nothing_waits" });

function waitingTable(runs: readonly WorkflowStatus[]): string {
  const columns = [
    { title: "feedback", whole: true },
    { title: "customer" },
    { title: "sentiment" },
    { title: "action", spare: true },
    { title: "started (UTC)", spare: true },
    { title: "workflow id", whole: true },
  ];
  const rows = runs.map(({ workflow_id, start_time = "", result }) => {
    const { feedback_id, customer_id, sentiment, action }: Partial<CustomerFeedbackResult> = result ?? {};
    const judged = [feedback_id, customer_id, sentiment, action].map((value) => value ?? "");
    return [...judged, start_time.slice(0, 19), workflow_id];
  });
  return table(columns, rows, sentimentText);
}

const mailText = ({ feedback_id, customer_id, workflow_id, rendering, ...mail }: PendingResponse): string =>
  [
    fields([
      ["feedback", oneLine(feedback_id)],
      ["customer", oneLine(customer_id)],
      ["workflow id", workflow_id],
      ["rendering", rendering],
      ["from", oneLine(mail.sender)],
      ["to", oneLine(mail.recipient)],
      ["subject", oneLine(mail.subject)],
    ]),
    "",
    harmless(mail.text.trimEnd()),
  ].join("\n");
