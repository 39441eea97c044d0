/**
 * Files and folders that only their owner can read, because they hold what customers wrote and who
 * they are. Modes are set when a file is created, so neither the umask nor a gap before a chmod
 * exposes it. The exception is `makeContentsPrivate`, for a copy inside a folder that is private
 * already. Windows has no modes: there, the folder's permissions decide.
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

/** For files that we create. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;
const OTHERS = 0o077;
/** The sticky bit, set on folders in which several users create files. */
const STICKY = 0o1000;

const reported = new Set<string>();

/**
 * Creates a folder with mode 0700, and its missing parents. An existing folder is left as it is; if
 * it is open to other users, a process warning (`ABI_OPEN_FOLDER`) says so, once for each folder.
 * @throws the file system's errors
 */
export function makePrivateFolder(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  if (made === undefined) warnIfOpen(path, "ABI_OPEN_FOLDER", "folder", "700");
}

/**
 * Creates the parent folders of a file, as `makePrivateFolder` does. An existing folder that is
 * shared (`/tmp`), belongs to someone else or is the working directory is not ours to restrict: no
 * warning is raised, and the file's own mode has to protect it.
 * @throws the file system's errors
 */
export function makePrivateParent(file: string): void {
  const folder = dirname(file);
  const made = mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (made === undefined && isOurs(folder)) warnIfOpen(folder, "ABI_OPEN_FOLDER", "folder", "700");
}

/**
 * Creates an empty file with mode 0600, and its folder, for a library that would create it with the
 * umask's mode. SQLite gives the files beside it (`-wal`, `-shm`, `-journal`) the same mode. An
 * existing file is not touched; if both it and its folder are open to other users, a warning
 * (`ABI_OPEN_FILE`) says so, once for each file.
 * @throws the file system's errors
 */
export function makePrivateFile(path: string): void {
  makePrivateParent(path);
  // An existing file isn't even opened: closing it again would release this process's POSIX locks
  // on it.
  if (!existsSync(path)) closeSync(openSync(path, "a", PRIVATE_FILE));
  else if (isOpen(dirname(path))) warnIfOpen(path, "ABI_OPEN_FILE", "file", "600");
}

/**
 * Replaces a file that only its owner can read. The replacement is atomic because another process
 * may be reading it.
 * @throws the file system's errors
 */
export function replacePrivateFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: PRIVATE_FILE });
  renameSync(`${path}.new`, path);
}

/** Denies other users access to a folder that we created, and to everything in it. */
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
  // Node.js prints warnings without escaping them.
  const shown = withEscapes(place);
  process.emitWarning(
    `The ${kind} ${shown} is open to other users of this machine (mode ${modeOf(path).toString(8)}). It was there before and stays as it is. ` +
      `To close it, run: chmod ${wanted} ${shellQuoted(shown)}`,
    { type: "SecurityWarning", code },
  );
}

/** Quotes a text as one word for a shell. */
export const shellQuoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
