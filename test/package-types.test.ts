import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, runNode } from "./docs/documents.ts";
import { temporaryFolder } from "./support/folder.ts";

const TSC = join(root, "node_modules/typescript/bin/tsc");
const STRICT = {
  strict: true,
  module: "nodenext",
  target: "es2024",
  noEmit: true,
  skipLibCheck: false,
  types: ["node"],
};

test("the package's types compile in a strict project that also checks its libraries", async () => {
  const place = temporaryFolder();
  // All other packages are found in the parent folder.
  symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
  const project = join(place, "project");
  const installed = join(project, "node_modules/abi-workflows");
  mkdirSync(installed, { recursive: true });
  const build = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", join(installed, "dist")];
  expect((await runNode([TSC, ...build])).stdout).toBe("");

  cpSync(join(root, "package.json"), join(installed, "package.json"));
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
  const lines = entries.map((entry, n) => `export * as e${n} from "abi-workflows${entry.slice(1)}";`);
  writeFileSync(join(project, "all.ts"), lines.join("\n"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const configuration = { compilerOptions: { ...STRICT, typeRoots: [join(root, "node_modules/@types")] } };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ ...configuration, include: ["all.ts"] }));
  expect((await runNode([TSC, "-p", "."], { cwd: project })).stdout).toBe("");
});
