import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `ingest`: processes incoming emails from files. */
export function addIngestCommand(program: Command): void {
  const command = program
    .command("ingest")
    .summary("process incoming emails from files")
    .description(
      "Process every email in a file (one email, or an mbox), a Maildir, or a folder of .eml files. A customer's " +
        "mail is processed as feedback. A reply to one of our emails is stored with the feedback it answers. " +
        "Automatic emails and those from mailing lists are ignored. If an email is unclear, it is held for a person " +
        "(see held-mails). Stop it whenever you like and run it again: an email counts once.",
    )
    .argument("<path>", "file or folder (- reads standard input)")
    .action(async (path: string, _options, command: Command) => {
      const { ingest } = await import("./ingest.ts");
      await ingest(path, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(
    command,
    ["ingest archive.mbox", "an archive of emails"],
    ["ingest ~/Maildir", "a mailbox on this machine"],
    ["ingest - < mail.eml", "one email on standard input, as from a mail server"],
    ["ingest emails --json | jq 'select(.status == \"needs_person\")'", "list the emails that need a person, as JSON"],
  );
}
