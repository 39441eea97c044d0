import type { Command } from "commander";
import type { Application } from "../application.ts";
import { ValidationError } from "../errors.ts";
import type { WorkflowStatus } from "../workflow/result.ts";
import type { PendingResponse } from "../workflows/customer-feedback/approval.ts";
import { addDecisionCommands } from "./approvals/decision-commands.ts";
import { mailText, waitingTable } from "./approvals/view.ts";
import { addExamples, positiveNumber, settingsFrom, type GlobalOptions } from "./command.ts";
import { note, plural, print, printJson } from "./output.ts";
import { findRunOf, reportUnknownRun, runView, withKeptRuns, withRuns, WORKFLOW } from "./runs.ts";

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
  addDecisionCommands(command);
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
    .argument("<id>", "workflow id (workflow-…), feedback id or reference")
    .action(async (id: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const find = async ({ workflow }: Application): Promise<PendingResponse | undefined> => {
        const run = await findRunOf(workflow, id);
        if (!run) return undefined;
        const pending = await workflow.getPendingResponse(run.workflow_id);
        if (!pending) throw nothingWaits(run);
        return pending;
      };
      // Looking must not send anything.
      const pending = await withKeptRuns(settingsFrom(options), find, { worker: false });
      if (!pending) return reportUnknownRun(id, options.json === true);
      if (options.json) printJson(pending);
      else print(mailText(pending));
    });
}

const nothingWaits = ({ status }: WorkflowStatus): ValidationError =>
  new ValidationError(`No mail waits for a person there: the run's status is ${status}.`, { code: "nothing_waits" });
