import { lookUp, type PackedTable } from "../../packed-table.ts";
import { readData } from "../../read-data.ts";

/** The content of `published-lexicons.json`, which `scripts/pack-opinion-lexicons.ts` generates. */
export interface PublishedLexicons {
  notice: string;
  /** By word, its valence in each list. */
  valences: PackedTable;
}

/**
 * Formats the valences of a word, to one decimal, in the order of the lists; empty if a list lacks
 * it.
 */
export const writeValences = (valences: readonly (number | undefined)[]): string =>
  valences.map((valence) => valence?.toFixed(1).replace(/\.0$/u, "") ?? "").join(",");

let loaded: PublishedLexicons | undefined;

/**
 * The valences of an English word, -5 to 5, in each of three published lists that has it: AFINN-165
 * (Nielsen, A new ANEW, 2011), VADER (Hutto & Gilbert 2014) and the opinion lexicon of Hu & Liu
 * (2004).
 */
export function publishedValences(word: string): number[] {
  loaded ??= readData("./published-lexicons.json", import.meta.url) as PublishedLexicons;
  const valences = lookUp(loaded.valences, word);
  return valences === undefined ? [] : valences.split(",").filter(Boolean).map(Number);
}
