import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { BASE_VERSIONS } from "../../../src/analysis/embedded/trained-weights.ts";

const EMBEDDED = fileURLToPath(new URL("../../../src/analysis/embedded", import.meta.url));

const jsonIn = (folder: string): string[] =>
  readdirSync(join(EMBEDDED, folder))
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .map((file) => join(folder, file));

function digestOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(file.replaceAll("\\", "/"))
      .update("\0")
      .update(readFileSync(join(EMBEDDED, file)));
  return hash.digest("hex");
}

/** The shipped data by which each analyser judges, with its version. */
const SHIPPED = {
  sentiment: {
    version: "9",
    digest: "7bd4dc1306bca4c0caae625f4ae61a5f08d73aec13b824847c0141a94df497ad",
    files: [...jsonIn("lexicon"), join("sentiment-model", "weights.json")],
  },
  categories: {
    version: "8",
    digest: "1e7b8566790127059289fceb45806eeb62000a0ec7e71601b6e6076da4663760",
    files: [...jsonIn("categories"), "category-sureness.json"],
  },
};

/** What to do if the data or the version has changed; "" if neither has. */
function adviceOn(part: keyof typeof SHIPPED): string {
  const { version, digest, files } = SHIPPED[part];
  const now = { version: BASE_VERSIONS[part], digest: digestOf(files) };
  if (now.version === version && now.digest === digest) return "";
  return (
    `The data that ${part} is judged by has changed, or BASE_VERSIONS has. If a judgement or a score may be another one, raise ` +
    `BASE_VERSIONS.${part} in trained-weights.ts, because weights that people have trained belong to the old data, and update the ` +
    `figures in docs/text-analysis.md (npm run eval:leave-one-out). Then put here: version ${now.version}, digest ${now.digest}.`
  );
}

it.each(["sentiment", "categories"] as const)("the version of %s belongs to the shipped data", (part) => {
  expect(SHIPPED[part].files.length).toBeGreaterThan(1);
  expect(adviceOn(part)).toBe("");
});
