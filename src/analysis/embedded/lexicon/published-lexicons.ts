import { lookUp, type PackedTable } from "../../packed-table.ts";
import { readData } from "../../read-data.ts";

/** What stands in `published-lexicons.json`; `scripts/pack-opinion-lexicons.ts` makes it. */
export interface PublishedLexicons {
  notice: string;
  /** By word, what each list says of it. */
  valences: PackedTable;
}

/** From -5 to 5, to one decimal, in the order of the lists; nothing stands where a list lacks the word. */
export const writeValences = (valences: readonly (number | undefined)[]): string =>
  valences.map((valence) => valence?.toFixed(1).replace(/\.0$/u, "") ?? "").join(",");

let loaded: PublishedLexicons | undefined;

/**
 * What AFINN-165 (Nielsen, A new ANEW, 2011), VADER (Hutto & Gilbert 2014) and the opinion lexicon of Hu & Liu (2004) say of
 * an English word, those of them that have it: -5 to 5.
 */
export function publishedValences(word: string): number[] {
  loaded ??= readData("./published-lexicons.json", import.meta.url) as PublishedLexicons;
  const valences = lookUp(loaded.valences, word);
  return valences === undefined ? [] : valences.split(",").filter(Boolean).map(Number);
}
