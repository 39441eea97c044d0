import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `ingest`: mails from files. */
export function addIngestCommand(program: Command): void {
  const command = program
    .command("ingest")
    .summary("take in mails from files")
    .description(
      "Take in every mail of a file (one mail, or an mbox), a Maildir, or a folder of .eml files. A customer's mail is processed as " +
        "feedback, a reply to a mail of ours is noted with the feedback that it answers, what machines and lists have sent is ignored, " +
        "and what can't be decided is held for a person (held-mails). Stop it whenever you like and run it again: a mail counts once.",
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
    ["ingest - < mail.eml", "one mail, as a mail server hands it to a program"],
    ["ingest mails --json | jq 'select(.status == \"needs_person\")'", "what a person must decide, as JSON"],
  );
}
