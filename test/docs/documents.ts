/** The documents as data: their code, tables and links, and a project in which their code runs as a reader would run it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";

export const root = dirname(dirname(import.meta.dirname));

export const DOCUMENTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md", { cwd: root })];

export const readDocument = (path: string): string => readFileSync(join(root, path), "utf8");

export interface CodeBlock {
  language: string;
  /** `file=agent.ts`: part of this file of the reader. `source=src/…`: an excerpt from our source, with `…` for omissions. */
  file?: string;
  source?: string;
  code: string;
}

export function codeBlocks(path: string): CodeBlock[] {
  const blocks = readDocument(path).matchAll(/^```(\S*)([^\n]*)\n(.*?)^```$/gms);
  return [...blocks].map(([, language = "", info = "", code = ""]) => {
    const [, kind, name = ""] = /^ (file|source)=(\S+)$/.exec(info) ?? [];
    if (kind === "file") return { language, code, file: name };
    return kind === "source" ? { language, code, source: name } : { language, code };
  });
}

/** The files that a reader has at the end of a document; the parts of a file are joined. */
export function filesOf(path: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const { file, code } of codeBlocks(path)) if (file) files[file] = `${files[file] ?? ""}${code}`;
  return files;
}

export interface NotebookOutput {
  output_type: string;
  text?: string[];
  data?: Record<string, string[]>;
}

export interface Notebook {
  metadata: { kernelspec: { name: string }; outputs?: string };
  cells: { cell_type: string; source: string[]; outputs?: NotebookOutput[] }[];
}

export const readNotebook = (): Notebook => JSON.parse(readDocument("examples/notebook.ipynb")) as Notebook;

/** The notebook's cells as one module. @param after returns code to insert after a cell */
export const notebookCode = (after: (cell: string) => string = () => ""): string =>
  readNotebook()
    .cells.filter(({ cell_type }) => cell_type === "code")
    .map(({ source }) => `${source.join("")}\n${after(source.join(""))}\n`)
    .join("");

const PACKAGE = {
  name: "abi-workflows",
  type: "module",
  exports: {
    ".": "./index.js",
    "./tools": "./tools.js",
    "./agents": "./agents.js",
    "./analysis": "./analysis.js",
    "./decisions": "./decisions.js",
    "./http": "./http.js",
    "./mcp": "./mcp.js",
    "./testing": "./testing.js",
  },
};
export const ENTRIES = {
  index: "src/index.ts",
  tools: "tools/index.ts",
  agents: "agents/index.ts",
  analysis: "src/analysis.ts",
  decisions: "src/decisions.ts",
  http: "src/http.ts",
  mcp: "src/mcp.ts",
  testing: "testing/index.ts",
};

/**
 * A reader's project with these files, the sample customers, and this package installed from its sources.
 * Removed after the test.
 */
export function createProject(files: Record<string, string>): string {
  const place = mkdtempSync(join(tmpdir(), "abi-workflows-docs-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  // All other packages are found in the parent folder.
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  const project = join(place, "project");
  const installed = join(project, "node_modules/abi-workflows");
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  write(join(installed, "package.json"), JSON.stringify(PACKAGE));
  for (const [entry, source] of Object.entries(ENTRIES)) {
    write(join(installed, `${entry}.js`), `export * from ${JSON.stringify(pathToFileURL(join(root, source)))};\n`);
  }
  write(join(project, "package.json"), JSON.stringify({ type: "module" }));
  cpSync(join(root, "examples/data/customers.csv"), join(project, "customers.csv"));
  for (const [name, content] of Object.entries(files)) write(join(project, name), content);
  return project;
}

/** Only what every process needs, without the keys and settings of the person who runs the tests. */
const environment = (extras: Record<string, string>): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
  ...extras,
});

export function startNode(
  args: readonly string[],
  { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): ChildProcess {
  const child = spawn(process.execPath, args, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs Node.js and waits for its end. */
export async function runNode(args: readonly string[], options: Parameters<typeof startNode>[1] = {}): Promise<Ended> {
  const child = startNode(args, options);
  const [stdout, stderr] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}
