import { CATEGORIES, type Category } from "../../categories.ts";
import { PhraseTrie } from "../phrase-trie.ts";
import { readData } from "../../read-data.ts";

/**
 * `strong`: enough for the category by itself. `fault`: the same, unless it is denied ("no hidden
 * fees"). `weak`: two together are enough. `not`: hides the clues that begin or end inside it,
 * except longer ones that contain it.
 */
export type ClueKind = "strong" | "fault" | "weak" | "not";

export interface Clue {
  category: Category;
  kind: ClueKind;
}

type Lexicon = Partial<Record<ClueKind, string[]>>;

/** Reads the file of each category. `general` has none, because it applies if no other does. */
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
/** The phrases of all categories in one trie, read when they are first needed. */
export const clues = (): PhraseTrie<Clue> => (read ??= readClues());
