// Packs the package, installs the tarball into an empty project and uses it there as its users
// would. Prints the numbers of checks as "pass N", "fail N" and "skipped N", which .ci/run reads.
// Needs the npm registry.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "abi-workflows-tarball-"));
// Next to each other, because a project inside another one would find the outer one's packages.
const project = join(folder, "project");
const small = join(folder, "workflow-only");
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });

try {
  mkdirSync(project);
  mkdirSync(small);
  run("npm", ["pack", "--silent", "--pack-destination", project], root);
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"));
  // Run the README's own commands, with the tarball in place of the package's name.
  const [, commands] = /## Install\n\n```sh\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8"));
  run("sh", ["-ec", commands.replace(" abi-workflows ", ` ./${tarball} `)], project);
  cpSync(join(root, "scripts", "tarball-checks.mjs"), join(project, "checks.mjs"));
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
  // Also make a project for someone who wants the workflow without an agent.
  run(
    "sh",
    [
      "-ec",
      `npm init -y > package.log && npm install --silent --no-audit --no-fund ../project/${tarball} @langchain/core`,
    ],
    small,
  );
  const checks = spawnSync(process.execPath, ["--test", "--test-reporter=spec", "checks.mjs"], {
    cwd: project,
    stdio: "inherit",
    env: {
      ...process.env,
      ENTRIES: entries.join(" "),
      NOTEBOOK: join(root, "scripts", "run-notebook.mjs"),
      TARBALL: join(project, tarball),
    },
  });
  process.exitCode = checks.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
