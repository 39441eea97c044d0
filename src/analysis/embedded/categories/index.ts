import { CATEGORIES, type Category } from "../../categories.ts";
import { PhraseTrie } from "../phrase-trie.ts";
import { readData } from "../../read-data.ts";

/**
 * `strong` speaks of the category by itself, `fault` does too unless it is denied ("no hidden fees"), two `weak` ones
 * together do, `not` hides what begins or ends inside it, unless that is longer and has it inside.
 */
export type ClueKind = "strong" | "fault" | "weak" | "not";

export interface Clue {
  category: Category;
  kind: ClueKind;
}

type Lexicon = Partial<Record<ClueKind, string[]>>;

/** One file a category; `general` is what is left, and has none. */
function readClues(): PhraseTrie<Clue> {
  const trie = new PhraseTrie<Clue>();
  for (const category of CATEGORIES) {
    if (category === "general") continue;
    const lexicon = readData(`./${category}.json`, import.meta.url) as Lexicon;
    for (const [kind, patterns] of Object.entries(lexicon) as [ClueKind, string[]][]) {
      const clue: Clue = { category, kind };
      for (const pattern of patterns) trie.add(pattern, clue);
    }
  }
  return trie;
}

let read: PhraseTrie<Clue> | undefined;
/** All categories' phrases in one trie, built once, with the first text. */
export const clues = (): PhraseTrie<Clue> => (read ??= readClues());
