import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `ingest`: processes incoming mails from files. */
export function addIngestCommand(program: Command): void {
  const command = program
    .command("ingest")
    .summary("process incoming mails from files")
    .description(
      "Process every mail in a file (one mail, or an mbox), a Maildir, or a folder of .eml files. A customer's " +
        "mail is processed as feedback. A reply to one of our mails is stored with the feedback it answers. " +
        "Automatic and list mails are ignored. If a mail is unclear, it is held for a person (see held-mails). Stop " +
        "it whenever you like and run it again: a mail counts once.",
    )
    .argument("<path>", "file or folder (- reads standard input)")
    .action(async (path: string, _options, command: Command) => {
      const { ingest } = await import("./ingest.ts");
      await ingest(path, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(
    command,
    ["ingest archive.mbox", "an archive of mails"],
    ["ingest ~/Maildir", "a mailbox on this machine"],
    ["ingest - < mail.eml", "one mail on standard input, as from a mail server"],
    ["ingest mails --json | jq 'select(.status == \"needs_person\")'", "list the mails that need a person, as JSON"],
  );
}
