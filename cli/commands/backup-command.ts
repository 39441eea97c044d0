import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `backup`: copies the data directory while other processes use it. */
export function addBackupCommand(program: Command): void {
  const command = program
    .command("backup")
    .summary("copy runs, knowledge graph, conversations, trained weights and outbox into a folder")
    .description(
      "Copy runs, knowledge graph, conversations, trained weights and outbox into a new folder, even while other " +
        "processes are running. Runs and graph are copied as of the same moment. To continue from a backup, copy it " +
        "and name the copy with --data. Data that is stored elsewhere (DATABASE_URL, ONTOLOGY_URL, MAIL_URL) is not " +
        "included.",
    )
    .argument("<folder>", "a folder that is empty or doesn't exist yet")
    .action(async (folder: string, _options, command: Command) => {
      const { backUpDirectory } = await import("./backup-directory.ts");
      await backUpDirectory(folder, command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(command, [
    "backup /backups/today",
    "back up; to try the backup: abi-workflows status --data /backups/today",
  ]);
}
