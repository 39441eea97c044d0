import { existsSync } from "node:fs";
import { basename } from "node:path";
import { TRAINED_WEIGHTS_FILE } from "../../src/analysis/embedded/read-trained-weights.ts";
import { ValidationError } from "../../src/errors.ts";
import { outboxFolderOf } from "../../src/integrations/email/outbox/outbox-folder.ts";
import { dataFile, outboxFolder, runsAndGraph } from "../../src/application/parts.ts";
import type { Settings } from "../../src/application/settings.ts";
import { backUp, type BackupSources } from "./backup.ts";
import type { GlobalOptions } from "../command.ts";
import { oneLine, print, printJson } from "../terminal/output.ts";
import { requireDataDirectory, settingsFrom } from "../settings.ts";

/** Backs up the data directory to a folder. */
export async function backUpDirectory(folder: string, options: GlobalOptions): Promise<void> {
  const settings = settingsFrom(options);
  const copied = await backUp(await sourcesOf(settings), folder);
  const elsewhere = keptElsewhere(settings);
  if (options.json) return printJson({ folder, copied, kept_elsewhere: elsewhere });
  print(oneLine(`Copied to ${folder}: ${copied.join(", ")}`));
  for (const variable of elsewhere)
    print(`Not included: what the server in ${variable} stores. Back it up with that server's own tools.`);
}

const keptElsewhere = ({ databaseUrl, ontologyUrl, mailUrl }: Settings): string[] => [
  ...(databaseUrl === undefined ? [] : ["DATABASE_URL"]),
  ...(ontologyUrl === undefined ? [] : ["ONTOLOGY_URL"]),
  ...(mailUrl === undefined || outboxFolderOf(mailUrl) !== undefined ? [] : ["MAIL_URL"]),
];

async function sourcesOf(settings: Settings): Promise<BackupSources> {
  requireDataDirectory(settings);
  const existing = (path: string | undefined): string[] => (path !== undefined && existsSync(path) ? [path] : []);
  const isEmbedded = settings.databaseUrl === undefined || settings.ontologyUrl === undefined;
  const databases = [
    ...(isEmbedded ? existing(runsAndGraph(settings)) : []),
    ...existing(dataFile(settings, "conversations.sqlite")),
  ];
  const folders = settings.dataDirectory === ":memory:" ? [] : existing(outboxFolder(settings));
  const files = existing(dataFile(settings, TRAINED_WEIGHTS_FILE));
  if (databases.length + files.length + folders.length === 0) {
    throw new ValidationError(
      `There is nothing to back up in ${basename(settings.dataDirectory)}. Name the data directory with --data.`,
      { code: "nothing_to_back_up" },
    );
  }
  return { databases, files, folders };
}
