// Runs examples/notebook.ipynb as a reader would: with the packed package, after the commands that
// the notebook names, in Deno's kernel. Saves the outputs of its cells. With --check, only compares
// them with the saved ones. With --tarball <file>, uses that file instead of packing. Needs the npm
// registry, and Python with Jupyter's client (apt-get install python3-jupyter-client
// python3-nbformat).
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { digestOf, outputsOf } from "./notebook-digest.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const saved = join(root, "examples", "notebook.ipynb");
const { values } = parseArgs({ options: { check: { type: "boolean" }, tarball: { type: "string" } } });

// Also try the system's Python, because another one may come before it on PATH.
const python = ["python3", "/usr/bin/python3"].find(
  (command) => spawnSync(command, ["-c", "import jupyter_client, nbformat"]).status === 0,
);
if (python === undefined)
  throw new Error("There is no Python with Jupyter's client: apt-get install python3-jupyter-client python3-nbformat");

const folder = mkdtempSync(join(tmpdir(), "abi-workflows-notebook-"));
try {
  const executed = execute(pack());
  executed.metadata.outputs = digestOf(executed);
  const before = JSON.parse(readFileSync(saved, "utf8"));
  if (!values.check) writeFileSync(saved, `${JSON.stringify(executed, null, 1)}\n`);
  else if (!isDeepStrictEqual(outputsOf(executed), outputsOf(before))) {
    throw new Error("The outputs of the cells differ from the saved ones. Run: node scripts/run-notebook.mjs");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack() {
  if (values.tarball !== undefined) return resolve(values.tarball);
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root, stdio: "ignore" });
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith(".tgz")),
  );
}

/**
 * Runs the notebook in a new project that has only the packages it names; returns it with the
 * outputs of its cells.
 */
function execute(tarball) {
  const project = join(folder, "project");
  mkdirSync(project);
  const notebook = JSON.parse(readFileSync(saved, "utf8"));
  const [, commands] = /```sh\n(.*?)```/s.exec(notebook.cells[0].source.join(""));
  const env = environment();
  const run = (command, args) =>
    execFileSync(command, args, { cwd: project, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  run("sh", ["-ec", commands.replace(" abi-workflows ", ` ${tarball} `)]);
  // Use the notebook of this checkout. The one in the tarball may be older.
  cpSync(saved, join(project, "notebook.ipynb"));
  return JSON.parse(run(python, [join(root, "scripts", "run-notebook.py")]));
}

/**
 * With a home folder of its own, so that the kernel is installed for this run only, and without the
 * key of a language model.
 */
function environment() {
  const cache = execFileSync("npm", ["config", "get", "cache"], { encoding: "utf8" }).trim();
  const others = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OPENAI_")));
  const PATH = dirname(process.execPath) + delimiter + process.env.PATH;
  return { ...others, PATH, HOME: folder, npm_config_cache: cache, npm_config_prefer_offline: "true", NO_COLOR: "1" };
}
