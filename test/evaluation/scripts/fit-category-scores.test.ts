import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../support/folder.ts";

const SCRIPT = fileURLToPath(new URL("../../../evaluation/scripts/fit-category-scores.ts", import.meta.url));

async function fitted(folder: string): Promise<{ stdout: string; firstLevel: (category: string) => number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, folder]);
  const firstLevel = (category: string): number => Number(new RegExp(`${category} +│ (\\d[.\\d]*)`).exec(stdout)?.[1]);
  return { stdout, firstLevel };
}

it("reads rows without a scope, and labels that either category satisfies, as the evaluation does", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "categories"));
  const row = (text: string, labels: string[]): string => JSON.stringify({ text, labels });
  const right = Array.from({ length: 60 }, (_, at) => row(`The staff ${at}`, ["service|usability"]));
  const wrong = Array.from({ length: 60 }, (_, at) => row(`A broken promise ${at}`, at === 0 ? ["bug"] : []));
  writeFileSync(join(folder, "categories", "made.jsonl"), [...right, ...wrong].join("\n"));
  const { firstLevel } = await fitted(folder);
  expect(firstLevel("service")).toBeGreaterThan(0.85);
  expect(firstLevel("bug")).toBeLessThan(0.15);
});

it("finds how often evidence is right, and trusts categories without texts least", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "categories"));
  const row = (text: string, labels: string[]): string => JSON.stringify({ text, labels, scope: ["service", "bug"] });
  const right = Array.from({ length: 60 }, (_, at) => row(`The staff ${at}`, ["service"]));
  const wrong = Array.from({ length: 60 }, (_, at) => row(`A broken promise ${at}`, []));
  writeFileSync(join(folder, "categories", "made.jsonl"), [...right, ...wrong].join("\n"));
  const { stdout, firstLevel } = await fitted(folder);
  expect(firstLevel("service")).toBeGreaterThan(0.85);
  expect(firstLevel("bug")).toBeLessThan(0.15);
  expect(firstLevel("legal")).toBe(firstLevel("bug"));
  expect(stdout).toMatch(/made +ECE by the other half 0\.\d{3}/);
});
