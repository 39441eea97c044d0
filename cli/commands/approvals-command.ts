import type { Command } from "commander";
import { addDecisionCommands } from "./approvals/decision-commands.ts";
import { addExamples, positiveNumber, type GlobalOptions } from "../command.ts";

/** `approvals`: the emails that wait for a person. */
export function addApprovalsCommand(program: Command): void {
  const command = program
    .command("approvals")
    .summary("show outgoing emails that wait for a person, and decide on them")
    .description(
      "Show the emails that wait for a person (APPROVAL=on), and approve, edit or reject them. A decision names " +
        "the rendering (a hash) of the email that you have seen, and applies to exactly that email.",
    );
  addListCommand(command);
  addShowCommand(command);
  addDecisionCommands(command);
  addExamples(
    command,
    ["approvals", "list the emails that wait"],
    ["approvals show F-1", "show an email as it would go out, and its rendering"],
    ["approvals approve F-1 --rendering 5f3c… --by Ann", "send it as it is"],
    ["approvals edit F-1 --rendering 5f3c… --by Ann --text-file - < mine.txt", "send it with your own text"],
    ['approvals reject F-1 --rendering 5f3c… --by Ann --reason "She has called."', "send nothing"],
  );
}

function addListCommand(parent: Command): void {
  parent
    .command("list", { isDefault: true })
    .summary("list the emails that wait (the default)")
    .description(
      "List the runs whose emails wait for a person, oldest first. Works while another process is executing runs.",
    )
    .option("--limit <number>", "how many to show at most", positiveNumber, 20)
    .action(async (_options, command: Command) => {
      const { listWaiting } = await import("./approvals/look.ts");
      await listWaiting(command.optsWithGlobals<GlobalOptions & { limit: number }>());
    });
}

function addShowCommand(parent: Command): void {
  parent
    .command("show")
    .summary("show an email as it would go out")
    .description(
      "Show the email that waits, exactly as it would go out, with its rendering. With --json, this includes its " +
        "HTML.",
    )
    .argument("<id>", "workflow id (workflow-…), feedback id or reference")
    .action(async (id: string, _options, command: Command) => {
      const { showMail } = await import("./approvals/look.ts");
      await showMail(id, command.optsWithGlobals<GlobalOptions>());
    });
}
