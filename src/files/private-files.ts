/**
 * Files and folders that are their owner's alone: they hold what customers wrote and who they are. Modes are given where a file
 * is made, so that no umask and no moment in between opens it to others. Windows has no modes: there the folder's own rights count.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { withEscapes } from "../visible-text.ts";

/** For files that we make. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const OTHERS = 0o077;
/** Of folders that several users make files in. */
const STICKY = 0o1000;

const reported = new Set<string>();

/**
 * Makes a folder with mode 0700, and those above it that are missing. One that is there stays as it is; where others may enter
 * it, a warning of the process (`ABI_OPEN_FOLDER`) says so, once a folder.
 * @throws the file system's errors
 */
export function makePrivateFolder(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  if (made === undefined) warnIfOpen(path, "ABI_OPEN_FOLDER", "folder", "700");
}

/**
 * Makes the folders that a file is to be in, as `makePrivateFolder` does. One that is there and shared (`/tmp`), somebody else's
 * or the working directory is not ours to close: nothing is said of it, and the file's own mode must do.
 * @throws the file system's errors
 */
export function makePrivateParent(file: string): void {
  const folder = dirname(file);
  const made = mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (made === undefined && isOurs(folder)) warnIfOpen(folder, "ABI_OPEN_FOLDER", "folder", "700");
}

/**
 * Makes an empty file with mode 0600 for a library that would make it with the umask's. SQLite gives the files beside it
 * (`-wal`, `-shm`, `-journal`) the same mode. A file that is there is not touched; one that others may read is reported
 * (`ABI_OPEN_FILE`), once, unless its folder keeps them out.
 * @throws the file system's errors
 */
export function makePrivateFile(path: string): void {
  makePrivateParent(path);
  // A file that is there is not even opened: closing it again would take this process's locks on it away (POSIX).
  if (!existsSync(path)) closeSync(openSync(path, "a", PRIVATE_FILE));
  else if (isOpen(dirname(path))) warnIfOpen(path, "ABI_OPEN_FILE", "file", "600");
}

/**
 * Replaces a file, for its owner alone: whole or not at all, for somebody may be reading it.
 * @throws the file system's errors
 */
export function replacePrivateFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: PRIVATE_FILE });
  renameSync(`${path}.new`, path);
}

/** Closes a folder that we made, and all that is in it, to others. */
export function makeContentsPrivate(folder: string): void {
  chmodSync(folder, PRIVATE_FOLDER);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeContentsPrivate(path);
    else if (entry.isFile()) chmodSync(path, PRIVATE_FILE);
  }
}

const modeOf = (path: string): number => (process.platform === "win32" ? 0 : statSync(path).mode & 0o777);

const isOpen = (path: string): boolean => (modeOf(path) & OTHERS) !== 0;

function isOurs(folder: string): boolean {
  const { uid, mode } = statSync(folder);
  return uid === process.getuid?.() && (mode & STICKY) === 0 && resolve(folder) !== process.cwd();
}

function warnIfOpen(path: string, code: string, kind: "folder" | "file", wanted: string): void {
  const place = resolve(path);
  if (!isOpen(path) || reported.has(place)) return;
  reported.add(place);
  // Node.js prints warnings as they are.
  const shown = withEscapes(place);
  process.emitWarning(
    `The ${kind} ${shown} is open to other users of this machine (mode ${modeOf(path).toString(8)}). It was there before and stays as it is. ` +
      `To close it, run: chmod ${wanted} ${shellQuoted(shown)}`,
    { type: "SecurityWarning", code },
  );
}

/** A text as one word of a shell's command line. */
export const shellQuoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
