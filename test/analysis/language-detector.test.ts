import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { eld } from "eld/extrasmall";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scoreLanguages } from "../../src/analysis/language-detector.ts";

const WORDS =
  "produkt leider kaputt niemand antwortet excelente muy bueno le colis est arrivé cassé ürün çok güzel þetta er gott " +
  "очень плохой сервис дякую ужасно 很好用的产品 製品は素晴らしいです المنتج ممتاز מוצר מצוין สินค้าดีมาก 제품이 좋아요 ελληνικά हिन्दी " +
  "the parcel came late straße don't l’été constitutionnellement donaudampfschifffahrtsgesellschaftskapitän a o я";

const scoresOfEld = (text: string): Map<string, number> => new Map(Object.entries(eld.detect(text).getScores()));

const rounded = (scores: ReadonlyMap<string, number>): Record<string, string> =>
  Object.fromEntries([...scores].map(([language, score]) => [language, score.toFixed(9)]));

describe("scoreLanguages", () => {
  it("gives the same scores as eld, whose tables it uses", () => {
    const words = fc.array(fc.constantFrom(...WORDS.split(" ")), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, (words) => {
        expect(rounded(scoreLanguages(words))).toEqual(rounded(scoresOfEld(words.join(" "))));
      }),
      { numRuns: 500 },
    );
  });

  it("truncates long texts where eld does", () => {
    const words = fc.array(fc.constantFrom(...WORDS.split(" ")), { minLength: 60, maxLength: 90 });
    fc.assert(
      fc.property(words, (words) => {
        fc.pre(Buffer.byteLength(words.join(" ")) > 400);
        expect(rounded(scoreLanguages(words))).toEqual(rounded(scoresOfEld(words.join(" "))));
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same scores as eld for any letters", () => {
    const word = fc
      .string({ unit: "binary", minLength: 1 })
      .map((text) => text.toLowerCase().replaceAll(/[^\p{L}]/gu, ""));
    fc.assert(
      fc.property(word, (word) => {
        // Letters of two UTF-16 units separate words there, and are in no table.
        fc.pre(word !== "" && !/[\u{10000}-\u{10FFFF}]/u.test(word));
        expect(rounded(scoreLanguages([word]))).toEqual(rounded(scoresOfEld(word)));
      }),
    );
  });

  it("has the tables that the script generates", () => {
    const script = fileURLToPath(new URL("../../scripts/pack-language-tables.ts", import.meta.url));
    expect(execFileSync(process.execPath, [script], { encoding: "utf8" })).toContain("can be reproduced");
  });

  it("has no scores for an empty text", () => {
    expect(scoreLanguages([]).size).toBe(0);
    expect(scoreLanguages(["\u{10FFFF}"]).size).toBe(0);
  });
});
