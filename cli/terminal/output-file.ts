import { IoError } from "../../src/errors.ts";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such folder"],
  ["ENOTDIR", "something above it is a file"],
  ["EISDIR", "it is a folder"],
  ["ENOSPC", "the disk is full"],
]);

/**
 * Waits for a file that the user has named to be opened or written.
 * @param what what the file is to contain, such as "The page"
 * @throws IoError (`file_unwritable`) that says why it can't be written
 */
export async function orUnwritable<Result>(what: string, file: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    const reason = REASONS.get((cause as NodeJS.ErrnoException).code ?? "") ?? "check that it may be written";
    throw new IoError(`${what} can't be written to ${file}: ${reason}.`, { code: "file_unwritable", cause });
  }
}
