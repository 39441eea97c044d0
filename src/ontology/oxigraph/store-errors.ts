/** Errors with the file of the embedded knowledge graph, as callers see them. */
import { IoError, isAbiError, toAbiError, ValidationError } from "../../errors.ts";
import { sqliteFault } from "../../files/sqlite.ts";
import { UnusableFileError } from "../../files/sqlite-file.ts";
import { DamagedFileError } from "./quad-file.ts";

/** The error for a failed call on the store in the file at `path`. */
export function callError(path: string, error: unknown): Error {
  if (isDamage(error)) return damaged(path, error);
  if (!isSqliteError(error) && !isFlushError(error)) return toAbiError(error);
  return new IoError(
    "The knowledge graph's file can't be read or written now. Check whether its disk is full or failing.",
    {
      cause: error,
    },
  );
}

export const isSqliteError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";

/** A flush fails with the system's error, everything else with SQLite's. */
const isFlushError = (error: unknown): boolean =>
  error instanceof Error && "syscall" in error && error.syscall === "fdatasync";

const isDamage = (error: unknown): boolean =>
  error instanceof DamagedFileError || error instanceof SyntaxError || sqliteFault(error) === "damaged";

const damaged = (path: string, cause: unknown): ValidationError =>
  new ValidationError(
    `The file ${path} is damaged or is not a knowledge graph. Replace it with a backup, or choose another file.`,
    { code: "store_unreadable", cause },
  );

const UNUSABLE: Record<UnusableFileError["reason"], [message: string, options: { code: string }]> = {
  foreign: [
    "The knowledge graph's file contains another application's data. Choose another file, or another data directory.",
    { code: "store_unreadable" },
  ],
  earlier: [
    "The knowledge graph's file was written by an earlier build of this package, in a format that this one can't read. " +
      "Read it with that build, or choose another data directory.",
    { code: "store_too_old" },
  ],
  newer: [
    "The knowledge graph's file was written by a newer version of this package. Update the package.",
    { code: "store_too_new" },
  ],
};

/** The error if the file can't be opened. */
export function openingError(error: unknown, path: string): Error {
  if (isAbiError(error)) return error;
  if (error instanceof UnusableFileError) return new ValidationError(...UNUSABLE[error.reason]);
  if (isDamage(error)) return damaged(path, error);
  return new IoError(
    `The knowledge graph in ${path} can't be opened. Check that it is a file, and that it and its folder can be written.`,
    {
      cause: error,
    },
  );
}
