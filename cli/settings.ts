/** The settings as commands use them. */
import { accessSync, constants, statSync } from "node:fs";
import { IoError, ValidationError } from "../src/errors.ts";
import { outboxFolderOf } from "../src/integrations/email/outbox/outbox-folder.ts";
import { createLogger, type Logger } from "../src/log.ts";
import { readSettings, type Settings } from "../src/application/settings.ts";
import { DEFAULT_DATA_DIRECTORY, IN_MEMORY } from "../src/application/settings.ts";
import type { GlobalOptions } from "./command.ts";
import { host, resolvedPath } from "./terminal/host.ts";

/**
 * The settings from the host's environment; `--data` and `--workflows` take precedence. Relative
 * paths start from the host's working directory.
 */
export function settingsFrom({ data, workflows: module }: GlobalOptions): Settings {
  const settings = readSettings({ dataDirectory: data, workflows: module }, host().env);
  const { dataDirectory, customerSource, mailUrl, mailTemplates, workflows, httpTokensFile } = settings;
  const outbox = mailUrl === undefined ? undefined : outboxFolderOf(mailUrl);
  return {
    ...settings,
    ...(dataDirectory !== ":memory:" && { dataDirectory: resolvedPath(dataDirectory) }),
    ...(customerSource !== undefined && !isUrl(customerSource) && { customerSource: resolvedPath(customerSource) }),
    ...(outbox !== undefined && { mailUrl: `outbox:${resolvedPath(outbox)}` }),
    ...(workflows !== undefined && { workflows: resolvedPath(workflows) }),
    ...(httpTokensFile !== undefined && { httpTokensFile: resolvedPath(httpTokensFile) }),
    ...(mailTemplates !== undefined && { mailTemplates: resolvedPath(mailTemplates) }),
  };
}

/**
 * Whether a text begins with a scheme, known or not. A single letter is not a scheme but a Windows
 * drive.
 */
export const isUrl = (location: string): boolean => /^[a-z][a-z\d+.-]+:/i.test(location);

/**
 * Whether a command other than `serve` and `worker` executes runs. With Restate, none does: Restate
 * gives all new runs to the address that was registered last, and that of a command would soon be
 * gone.
 */
export const executesRuns = ({ worker, databaseUrl }: Pick<Settings, "worker" | "databaseUrl">): boolean =>
  worker && !/^restate\+/i.test(databaseUrl ?? "");

/** The log on the host's standard error. */
export function loggerFor({ logLevel }: Pick<Settings, "logLevel">): Logger {
  const { stderr } = host();
  return createLogger(logLevel, stderr === process.stderr ? undefined : stderr);
}

/**
 * For commands that only work on data that is already stored. A folder that was named must exist;
 * the default one may be missing, because perhaps nothing has been stored yet.
 * @throws ValidationError (`no_data_directory`), IoError (`data_directory_unreadable`)
 */
export function requireDataDirectory({ dataDirectory }: Settings): void {
  if (dataDirectory === IN_MEMORY) return;
  const place = readableFolder(dataDirectory);
  if (place?.isDirectory() || (!place && dataDirectory === resolvedPath(DEFAULT_DATA_DIRECTORY))) return;
  const problem = place ? `${dataDirectory} is a file, not a folder` : `There is no folder ${dataDirectory}`;
  throw new ValidationError(`${problem}. Name the data directory with --data or ABI_DATA_DIRECTORY.`, {
    code: "no_data_directory",
  });
}

/** Without this check, a file that this user may not see would look like a missing one. */
function readableFolder(path: string) {
  try {
    const place = statSync(path, { throwIfNoEntry: false });
    if (place?.isDirectory()) accessSync(path, constants.R_OK | constants.X_OK);
    return place;
  } catch (cause) {
    throw new IoError(
      `The data directory ${path} can't be read. Run the command as the user who owns it, or name another folder with --data.`,
      { code: "data_directory_unreadable", cause },
    );
  }
}
