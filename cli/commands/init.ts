import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import validateName from "validate-npm-package-name";
import { IoError, ValidationError } from "../../src/errors.ts";
import { usageError, type GlobalOptions } from "../command.ts";
import { host } from "../terminal/host.ts";
import { bold, dim, oneLine, print, printJson } from "../terminal/output.ts";
import { ownPackage, type OwnPackage } from "./own-package.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { shellQuoted } from "../../src/files/private-files.ts";

/** Creates the user's project in a new or empty folder. */
export function init(folder: string, { json }: GlobalOptions): void {
  const target = resolve(host().cwd(), folder);
  const self = ownPackage();
  const name = projectName(target);
  checkEmpty(folder, target);
  writeProject(target, name, self);
  const commands = nextCommands(target, self);
  if (json) return printJson({ status: "created", name, folder: target, next: commands.map(([command]) => command) });
  const width = Math.max(...commands.map(([command]) => command.length)) + 2;
  const lines = commands.map(([command, meaning]) =>
    meaning === "" ? `  ${bold(command)}` : `  ${bold(command.padEnd(width))}${dim(`# ${meaning}`)}`,
  );
  print(`Created ${oneLine(folder)}: a workflow, its tests, an agent, and a service.\n\nNext:\n${lines.join("\n")}`);
}

/** The next commands, with their meaning. */
function nextCommands(target: string, { checkout }: OwnPackage): [command: string, meaning: string][] {
  const way = relative(host().cwd(), target);
  return [
    ...(way === "" ? [] : [[`cd ${shellQuoted(way)}`, ""] as [string, string]]),
    ...(checkout === undefined
      ? []
      : [[`npm pack ${shellQuoted(checkout)}`, "makes the .tgz that package.json refers to"] as [string, string]]),
    ["npm install", ""],
    ["npm test", "one test kills the process before and after payments"],
    ["npm run dev", "the service and its console; restarts when you change a source file"],
  ];
}

const template = (): string => join(packageRoot(), "templates", "project");

/** @throws ValidationError (usage) for a name that npm refuses */
function projectName(target: string): string {
  const name = basename(target);
  const { validForNewPackages, errors = [], warnings = [] } = validateName(name);
  if (validForNewPackages) return name;
  const [fault] = [...errors, ...warnings];
  const better = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  const usable = better !== name && validateName(better).validForNewPackages;
  throw usageError(
    `The folder's name becomes the name of the project, and npm refuses ${oneLine(JSON.stringify(name))}: ${fault}. ` +
      `Name it ${usable ? `${better}, for example` : "my-workflows, for example"}.`,
  );
}

/** A folder that only git has written to counts as empty. */
function checkEmpty(folder: string, target: string): void {
  const shown = oneLine(folder);
  try {
    if (readdirSync(target).every((entry) => entry === ".git")) return;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code === "ENOTDIR") {
      throw new ValidationError(`${shown} is a file, or one of its parent folders is. Name a new or empty folder.`, {
        code: "not_a_folder",
        cause,
      });
    }
    throw unwritable(shown, cause);
  }
  throw new ValidationError(`${shown} is not empty, and nothing in it may be overwritten. Name a new folder.`, {
    code: "folder_not_empty",
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "you have no permission to write there",
  EPERM: "you have no permission to write there",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
};

function unwritable(shown: string, cause: unknown): IoError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  const reason = REASONS[code] ?? `the system says ${code}`;
  return new IoError(`The project can't be created in ${shown}: ${reason}. Name another folder.`, {
    code: "folder_unwritable",
    cause,
  });
}

/**
 * Template files that get their final names only in the project. Under those names, tools would
 * treat them as this package's own files, and `npm pack` would leave out `.gitignore`.
 */
const STORED = [
  ["_gitignore", ".gitignore"],
  ["_package.json", "package.json"],
  ["_tsconfig.json", "tsconfig.json"],
] as const;

/** Writes the whole project; if that fails, removes what it has written. */
function writeProject(target: string, name: string, self: OwnPackage): void {
  const source = template();
  let made: string | undefined;
  try {
    made = mkdirSync(target, { recursive: true });
    cpSync(source, target, { recursive: true });
    for (const [stored, own] of STORED) renameSync(join(target, stored), join(target, own));
    const readme = readFileSync(join(source, "README.md"), "utf8");
    writeFileSync(join(target, "README.md"), readme.replaceAll("my-workflows", name));
    writeFileSync(join(target, "package.json"), packageFile(target, name, self));
  } catch (cause) {
    const ours = [...readdirSync(source), ...STORED.map(([, own]) => own)].map((file) => join(target, file));
    for (const path of made === undefined ? ours : [made]) rmSync(path, { recursive: true, force: true });
    throw unwritable(oneLine(target), cause);
  }
}

/**
 * The project's `package.json`, with the versions of other packages that this package uses itself.
 */
function packageFile(target: string, name: string, self: OwnPackage): string {
  const file = JSON.parse(readFileSync(join(template(), "_package.json"), "utf8")) as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;
  const versions: Record<string, string> = { ...self.versions, [self.name]: ownVersion(target, self) };
  const pinned = (packages: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.keys(packages).map((one) => [one, versions[one] ?? "*"]));
  const { dependencies, devDependencies } = file;
  const content = { ...file, name, dependencies: pinned(dependencies), devDependencies: pinned(devDependencies) };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * The version of this package for the project's `package.json`: the file or repository that it was
 * installed from, or its version in the registry.
 */
function ownVersion(target: string, { version, installedFrom, checkout }: OwnPackage): string {
  // The name that `npm pack` gives it.
  if (checkout !== undefined) return `file:abi-workflows-${version}.tgz`;
  if (installedFrom === undefined) return `^${version}`;
  if (!isAbsolute(installedFrom)) return installedFrom;
  return `file:${relative(target, installedFrom).replaceAll("\\", "/")}`;
}
