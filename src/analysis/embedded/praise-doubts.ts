import { readData } from "../read-data.ts";
import { PhraseTrie } from "./phrase-trie.ts";
import type { Token } from "./tokenizer.ts";

/**
 * Reasons to doubt praise, in the order in which a model lists their weights. The phrases are in
 * `lexicon/doubts.json`.
 */
export const DOUBTS = [
  "unreal",
  "conditional",
  "past",
  "expected",
  "elsewhere",
  "others",
  "waiting",
  "reported",
  "reversed",
  "ironic",
] as const;

export type Doubt = (typeof DOUBTS)[number];

/**
 * Tokens `from` to `to` (exclusive) that suggest that praise is not meant: "would have been great",
 * "go elsewhere".
 */
export interface DoubtHit {
  doubt: Doubt;
  from: number;
  to: number;
}

/**
 * `none` only looks like a doubt, and hides doubts that begin inside it: "could not be better",
 * "within two days".
 */
function readDoubts(): PhraseTrie<Doubt | "none"> {
  const trie = new PhraseTrie<Doubt | "none">();
  const lexicon = readData("./lexicon/doubts.json", import.meta.url) as Record<Doubt | "none", string[]>;
  for (const doubt of [...DOUBTS, "none"] as const) for (const pattern of lexicon[doubt]) trie.add(pattern, doubt);
  return trie;
}

let read: PhraseTrie<Doubt | "none"> | undefined;
/** English phrases that make praise doubtful, or only seem to; read when they are first needed. */
export const doubts = (): PhraseTrie<Doubt | "none"> => (read ??= readDoubts());

/** The doubts in the order of the text; for each place and kind, the longest. Takes linear time. */
export function praiseDoubts(tokens: readonly Token[]): DoubtHit[] {
  const hits: DoubtHit[] = [];
  let hiddenTo = 0;
  for (let at = 0; at < tokens.length; at++) {
    const longest = new Map<Doubt, DoubtHit>();
    // Shorter ones come first (see `matchesAt`), so longer ones replace them.
    for (const { value, from, to } of doubts().matchesAt(tokens, at)) {
      if (value === "none") hiddenTo = Math.max(hiddenTo, to);
      else longest.set(value, { doubt: value, from, to });
    }
    if (at >= hiddenTo) hits.push(...longest.values());
  }
  return hits;
}
