// Compiles the package into dist/ and copies beside it the files that are not TypeScript: templates, shapes, lexicons.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

rmSync(join(root, "dist"), { recursive: true, force: true });
execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
for (const room of ["src", "tools", "agents", "testing", "evaluation"]) {
  cpSync(join(root, room), join(root, "dist", room), { recursive: true, filter: (file) => !file.endsWith(".ts") });
}
