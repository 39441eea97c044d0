// Packs the n-gram tables of eld (Apache-2.0) for src/analysis/language-detector.ts. Says whether
// the shipped tables can be reproduced; with --write, writes src/analysis/language-tables.json:
//   node scripts/pack-language-tables.ts [--write]
// eld itself converts them to 50,000 objects, which takes a fifth of a second and 40 MB. Packed,
// they load in a few milliseconds.
import { readFileSync, writeFileSync } from "node:fs";
import { encodeScores, type LanguageTables } from "../src/analysis/language-detector.ts";
import { pack } from "../src/analysis/packed-table.ts";

const TABLES = new URL("../src/analysis/language-tables.json", import.meta.url);
const eld = (path: string): URL => new URL(path, import.meta.resolve("eld/extrasmall"));

interface EldTables {
  languages: Record<number, string>;
  /** By n-gram, then by language. */
  ngrams: Record<string, Record<number, number>>;
}

const { ngramsData } = (await import(eld("../ngrams/extrasmall.js").href)) as { ngramsData: EldTables };
const { dictionary } = (await import(eld("../dictionary.js").href)) as { dictionary: string[] };
const { version } = JSON.parse(readFileSync(eld("../../package.json"), "utf8")) as { version: string };

/**
 * eld maps each byte beyond ASCII to a character of its own choice; we map it to the character with
 * the byte's number.
 */
const bytes = new Map(
  dictionary.map((character, byte) => [character, byte] as const).filter(([, byte]) => byte >= 0x80),
);
const toBytes = (ngram: string): string =>
  ngram
    .split("")
    .map((character) => (/[ '`a-z]/.test(character) ? character : String.fromCharCode(bytes.get(character)!)))
    .join("");

const tables: LanguageTables = {
  notice: `Packed from eld ${version}, https://github.com/nitotm/efficient-language-detector-js, Copyright 2023 Nito T.M., Apache License 2.0`,
  languages: Object.values(ngramsData.languages),
  ngrams: pack(
    Object.entries(ngramsData.ngrams).map(([ngram, scores]) => [
      toBytes(ngram),
      encodeScores(Object.entries(scores).map(([id, score]) => [Number(id), score])),
    ]),
  ),
};
const content = `${JSON.stringify(tables)}\n`;
if (process.argv[2] === "--write") writeFileSync(TABLES, content);
else
  console.log(
    content === readFileSync(TABLES, "utf8")
      ? "the shipped tables can be reproduced, byte for byte"
      : "the shipped tables are different",
  );
