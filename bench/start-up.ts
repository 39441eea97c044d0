// How long processes of the package take to start, as a ratio to a Node.js process that does
// nothing.
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { openApplication, readSettings } from "../src/index.ts";
import { feedback, writeCustomers } from "./support/feedback.ts";
import type { Bench } from "./support/bench.ts";
import { figure, quantile, table } from "./support/measure.ts";

export const about = "start-up of the compiled package, as ratios to a bare Node.js";

const ROOT = dirname(import.meta.dirname);
const STARTS_A_ROUND = 7;
const NOTHING = "nothing (bare Node.js)";

export async function run(bench: Bench): Promise<void> {
  execFileSync(process.execPath, [join(ROOT, "scripts/build.mjs")], { stdio: "inherit" });
  const folder = mkdtempSync(join(bench.folder, "start-up-"));
  const bin = installBin(folder);
  const data = await processOne(folder);
  const importing = (name: string): string[] => ["--input-type=module", "-e", name && `import "${name}"`];
  const starts: Record<string, string[]> = {
    [NOTHING]: importing(""),
    'import "abi-workflows"': importing("abi-workflows"),
    'import "abi-workflows/analysis"': importing("abi-workflows/analysis"),
    'for comparison: import "@langchain/core/tools"': importing("@langchain/core/tools"),
    "abi-workflows --help": [bin, "--help"],
    "abi-workflows status": [bin, "status", "--data", data],
  };
  const times = new Map<string, number[]>(Object.keys(starts).map((what) => [what, []]));
  for (let round = 0; round < bench.options.rounds * STARTS_A_ROUND; round++) {
    for (const [what, args] of Object.entries(starts)) {
      const begin = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
      if (status !== 0) throw new Error(`${what}: ${stderr}`);
      times.get(what)!.push(performance.now() - begin);
    }
  }
  const nothing = quantile(times.get(NOTHING)!);
  const rows = [...times].map(([what, all]) => [what, figure(quantile(all)), `${figure(quantile(all) / nothing)} ×`]);
  console.log(`\n${table(["process", "ms", "bare Node.js"], rows)}`);
}

/** Creates a data directory with one run; returns its path. */
async function processOne(folder: string): Promise<string> {
  const dataDirectory = join(folder, "data");
  const settings = readSettings({ dataDirectory, customerSource: writeCustomers(folder) }, {});
  const application = await openApplication(settings);
  await application.workflow.run(feedback(0));
  await application.close();
  return dataDirectory;
}

/**
 * A copy of the command that runs the compiled package. In the checkout, it would run the sources
 * that are next to it.
 */
function installBin(folder: string): string {
  mkdirSync(join(folder, "bin"));
  const bin = join(folder, "bin/abi-workflows.js");
  copyFileSync(join(ROOT, "bin/abi-workflows.js"), bin);
  symlinkSync(join(ROOT, "dist"), join(folder, "dist"));
  return bin;
}
