// Compiles the package into dist/, and copies the files there that are not TypeScript: templates,
// shapes, lexicons.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

rmSync(join(root, "dist"), { recursive: true, force: true });
const compile = (...options) => execFileSync(process.execPath, [tsc, ...options], { cwd: root, stdio: "inherit" });
compile("-p", "tsconfig.build.json");
// The code for browsers, with its types.
const client = "src/interfaces/console/client";
compile(
  "-p",
  client,
  "--noEmit",
  "false",
  "--allowImportingTsExtensions",
  "false",
  "--rootDir",
  client,
  "--outDir",
  `dist/${client}`,
);
for (const folder of ["src", "tools", "agents", "evaluation", "cli", "testing"]) {
  cpSync(join(root, folder), join(root, "dist", folder), {
    recursive: true,
    filter: (file) => !/\.ts$|tsconfig\.json$/.test(file),
  });
}
