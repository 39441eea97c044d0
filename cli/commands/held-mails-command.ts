import type { Command } from "commander";
import { addExamples, positiveNumber, type GlobalOptions } from "../command.ts";

export interface AssignOptions extends GlobalOptions {
  customerId: string;
  subject?: string;
  textFile?: string;
  response: boolean;
}

/** `held-mails`: incoming emails that wait for a person. */
export function addHeldMailsCommand(program: Command): void {
  const command = program
    .command("held-mails")
    .summary("show incoming emails that wait for a person, and decide on them")
    .description(
      "Show the emails that couldn't be processed without guessing, for example because the sender is unknown or " +
        "the email has no text. Assign an email to a customer, or dismiss it.",
    );
  command
    .command("list", { isDefault: true })
    .summary("list the emails that wait (the default)")
    .description("List the emails that wait for a person, oldest first.")
    .option("--limit <number>", "how many to show at most", positiveNumber, 20)
    .action(async (_options, sub: Command) => {
      const { listHeldMails } = await import("./held-mails.ts");
      await listHeldMails(sub.optsWithGlobals<GlobalOptions & { limit: number }>());
    });
  command
    .command("show")
    .summary("show an email with its text")
    .description("Show an email with its text.")
    .argument("<id>", "id of the email, as shown in the list")
    .action(async (id: string, _options, sub: Command) => {
      const { showHeldMail } = await import("./held-mails.ts");
      await showHeldMail(id, sub.optsWithGlobals<GlobalOptions>());
    });
  command
    .command("assign")
    .summary("process an email as a customer's feedback")
    .description("Process an email as a customer's feedback, and print the result.")
    .argument("<id>", "id of the email, as shown in the list")
    .requiredOption("--customer-id <id>", "whose feedback it is")
    .option("--subject <line>", "use this instead of the email's subject")
    .option(
      "--text-file <file>",
      "use this instead of the email's text, for example if that is too long (- reads standard input)",
    )
    .option("--no-response", "send no email of any kind to the customer")
    .action(async (id: string, _options, sub: Command) => {
      const { assignHeldMail } = await import("./held-mails.ts");
      await assignHeldMail(id, sub.optsWithGlobals<AssignOptions>());
    });
  command
    .command("dismiss")
    .summary("take no action on an email")
    .description("Close an email without taking action. It stays in the knowledge graph.")
    .argument("<id>", "id of the email, as shown in the list")
    .action(async (id: string, _options, sub: Command) => {
      const { dismissHeldMail } = await import("./held-mails.ts");
      await dismissHeldMail(id, sub.optsWithGlobals<GlobalOptions>());
    });
  addExamples(
    command,
    ["held-mails", "list the emails that wait"],
    ["held-mails assign 5f3c… --customer-id C-1001", "process it as this customer's feedback"],
    ["held-mails dismiss 5f3c…", "take no action on it"],
  );
}
