import { statSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { ValidationError } from "../errors.ts";
import { outboxFolderOf } from "../integrations/email/create-mail-transport.ts";
import { createLogger, type Logger } from "../log.ts";
import { DEFAULT_DATA_DIRECTORY, IN_MEMORY, readSettings, type Settings } from "../settings.ts";
import { host, located } from "./host.ts";

/** Options that every command takes. */
export interface GlobalOptions {
  data?: string;
  json?: true;
}

const USAGE = "usage";

/** The command was not called as it can be; ends it with exit code 2. */
export const usageError = (message: string): ValidationError => new ValidationError(message, { code: USAGE });

export const isUsageError = (error: unknown): boolean => error instanceof ValidationError && error.code === USAGE;

/** The settings of the host's environment, with `--data` before them. */
export function settingsFrom({ data }: GlobalOptions): Settings {
  const settings = readSettings(data === undefined ? {} : { dataDirectory: data }, host().env);
  const { dataDirectory, customerSource, mailUrl, mailTemplates } = settings;
  const outbox = mailUrl === undefined ? undefined : outboxFolderOf(mailUrl);
  return {
    ...settings,
    ...(dataDirectory !== ":memory:" && { dataDirectory: located(dataDirectory) }),
    ...(customerSource !== undefined && !isUrl(customerSource) && { customerSource: located(customerSource) }),
    ...(outbox !== undefined && { mailUrl: `outbox:${located(outbox)}` }),
    ...(mailTemplates !== undefined && { mailTemplates: located(mailTemplates) }),
  };
}

/** Whether this begins with a scheme, known or not. A single letter is a Windows drive. */
export const isUrl = (location: string): boolean => /^[a-z][a-z\d+.-]+:/i.test(location);

/** The log on the host's standard error. */
export function loggerFor({ logLevel }: Pick<Settings, "logLevel">): Logger {
  const { stderr } = host();
  return createLogger(logLevel, stderr === process.stderr ? undefined : stderr);
}

/**
 * For commands that look at what is kept, or decide on it, and make no folder: one that was named must be there. The default one
 * may be missing: nothing is kept yet.
 * @throws ValidationError (`no_data_directory`)
 */
export function requireDataDirectory({ dataDirectory }: Settings): void {
  if (dataDirectory === IN_MEMORY) return;
  const place = statSync(dataDirectory, { throwIfNoEntry: false });
  if (place?.isDirectory() || (!place && dataDirectory === located(DEFAULT_DATA_DIRECTORY))) return;
  const problem = place ? `${dataDirectory} is a file, not a folder` : `There is no folder ${dataDirectory}`;
  throw new ValidationError(`${problem}. Name the data directory with --data or ABI_DATA_DIRECTORY.`, {
    code: "no_data_directory",
  });
}

/** For options that may be given more than once. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

/** For options that are a whole number of at least 1. */
export function positiveNumber(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return Number(value);
}

/** Examples below a command's help, one `[command, meaning]` a line. */
export function addExamples(command: Command, ...examples: [line: string, meaning: string][]): Command {
  const lines = examples.map(([line, meaning]) => `  # ${meaning}\n  $ abi-workflows ${line}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
