import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { ValidationError } from "../errors.ts";
import { outboxFolderOf } from "../integrations/email/create-mail-transport.ts";
import type { Settings } from "../settings.ts";
import type { BackupSources } from "./backup.ts";
import { addExamples, requireDataDirectory, settingsFrom, type GlobalOptions } from "./command.ts";
import { oneLine, print, printJson } from "./output.ts";

/** `backup`: a copy of the data directory, of one moment, beside processes that work with it. */
export function addBackupCommand(program: Command): void {
  const command = program
    .command("backup")
    .summary("copy runs, knowledge graph, conversations and outbox into a folder")
    .description(
      "Copy runs, knowledge graph, conversations and outbox into a new folder, all of one moment, while other processes may be at " +
        "work. To go on from a backup, copy it and name the copy with --data. What is kept elsewhere (DATABASE_URL, ONTOLOGY_URL, " +
        "MAIL_URL) is not in it.",
    )
    .argument("<folder>", "a folder that is empty or not there yet")
    .action(async (folder: string, _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const settings = settingsFrom(options);
      const { backUp } = await import("./backup.ts");
      const copied = await backUp(await sourcesOf(settings), folder);
      const elsewhere = keptElsewhere(settings);
      if (options.json) return printJson({ folder, copied, kept_elsewhere: elsewhere });
      print(oneLine(`Copied to ${folder}: ${copied.join(", ")}`));
      for (const variable of elsewhere) print(`Not in it: what ${variable} names. Back that up with its own tools.`);
    });
  addExamples(command, ["backup /backups/today", "then try it: abi-workflows status --data /backups/today"]);
}

const keptElsewhere = ({ databaseUrl, ontologyUrl, mailUrl }: Settings): string[] => [
  ...(databaseUrl === undefined ? [] : ["DATABASE_URL"]),
  ...(ontologyUrl === undefined ? [] : ["ONTOLOGY_URL"]),
  ...(mailUrl === undefined || outboxFolderOf(mailUrl) !== undefined ? [] : ["MAIL_URL"]),
];

async function sourcesOf(settings: Settings): Promise<BackupSources> {
  requireDataDirectory(settings);
  const { dataFile, outboxFolder } = await import("../application.ts");
  const there = (path: string | undefined): string[] => (path !== undefined && existsSync(path) ? [path] : []);
  const own = (name: string): string[] => there(dataFile(settings, name));
  const [runs] = settings.databaseUrl === undefined ? own("runs.sqlite") : [];
  const graph = settings.ontologyUrl === undefined ? own("ontology.sqlite") : [];
  const databases = [...graph, ...own("conversations.sqlite")];
  const folders = settings.dataDirectory === ":memory:" ? [] : there(outboxFolder(settings));
  if (runs === undefined && databases.length + folders.length === 0) {
    throw new ValidationError(
      `There is nothing to back up in ${basename(settings.dataDirectory)}. Name the data directory with --data.`,
      { code: "nothing_to_back_up" },
    );
  }
  return { ...(runs === undefined ? {} : { runs }), databases, folders };
}
