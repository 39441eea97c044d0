import type { Command } from "commander";
import { addExamples, positiveNumber, type GlobalOptions } from "../command.ts";

export interface AssignOptions extends GlobalOptions {
  customerId: string;
  subject?: string;
  textFile?: string;
  response: boolean;
}

/** `held-mails`: the mails that came in and wait for a person. */
export function addHeldMailsCommand(program: Command): void {
  const command = program
    .command("held-mails")
    .summary("look at mails that came in and wait for a person, and decide on them")
    .description(
      "Look at the mails that could not be processed without a guess: their sender is unknown or not certain, or there is no text in them. " +
        "Say whose feedback one is, or dismiss it.",
    );
  command
    .command("list", { isDefault: true })
    .summary("show what waits (the default)")
    .description("Show the mails that wait for a person, the oldest first.")
    .option("--limit <number>", "at most so many", positiveNumber, 20)
    .action(async (_options, sub: Command) => {
      const { listHeldMails } = await import("./held-mails.ts");
      await listHeldMails(sub.optsWithGlobals<GlobalOptions & { limit: number }>());
    });
  command
    .command("show")
    .summary("show one with its text")
    .description("Show a mail with its text.")
    .argument("<id>", "id of the mail, as the list says")
    .action(async (id: string, _options, sub: Command) => {
      const { showHeldMail } = await import("./held-mails.ts");
      await showHeldMail(id, sub.optsWithGlobals<GlobalOptions>());
    });
  command
    .command("assign")
    .summary("process one as feedback of a customer")
    .description("Process a mail as feedback of a customer, and print the result.")
    .argument("<id>", "id of the mail, as the list says")
    .requiredOption("--customer-id <id>", "whose feedback it is")
    .option("--subject <line>", "in place of its own subject")
    .option("--text-file <file>", "in place of its own text, such as where that is too long (- reads standard input)")
    .option("--no-response", "send no mail of any kind to the customer")
    .action(async (id: string, _options, sub: Command) => {
      const { assignHeldMail } = await import("./held-mails.ts");
      await assignHeldMail(id, sub.optsWithGlobals<AssignOptions>());
    });
  command
    .command("dismiss")
    .summary("do nothing about one")
    .description("Do nothing about a mail, permanently. It stays in the knowledge graph.")
    .argument("<id>", "id of the mail, as the list says")
    .action(async (id: string, _options, sub: Command) => {
      const { dismissHeldMail } = await import("./held-mails.ts");
      await dismissHeldMail(id, sub.optsWithGlobals<GlobalOptions>());
    });
  addExamples(
    command,
    ["held-mails", "what waits"],
    ["held-mails assign 5f3c… --customer-id C-1001", "it is feedback of this customer"],
    ["held-mails dismiss 5f3c…", "nothing is to be done about it"],
  );
}
