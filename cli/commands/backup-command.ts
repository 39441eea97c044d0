import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `backup`: a copy of the data directory, of one moment, beside processes that work with it. */
export function addBackupCommand(program: Command): void {
  const command = program
    .command("backup")
    .summary("copy runs, knowledge graph, conversations, trained weights and outbox into a folder")
    .description(
      "Copy runs, knowledge graph, conversations, trained weights and outbox into a new folder, all of one moment, while other processes may be at " +
        "work. To go on from a backup, copy it and name the copy with --data. What is kept elsewhere (DATABASE_URL, ONTOLOGY_URL, " +
        "MAIL_URL) is not in it.",
    )
    .argument("<folder>", "a folder that is empty or not there yet")
    .action(async (folder: string, _options, command: Command) => {
      const { backUpDirectory } = await import("./backup-directory.ts");
      await backUpDirectory(folder, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(command, ["backup /backups/today", "then try it: abi-workflows status --data /backups/today"]);
}
