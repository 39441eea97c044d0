import type { Category } from "../../categories.ts";
import { PhraseTrie } from "../phrase-trie.ts";
import billing from "./billing.json" with { type: "json" };
import bug from "./bug.json" with { type: "json" };
import legal from "./legal.json" with { type: "json" };
import performance from "./performance.json" with { type: "json" };
import pricing from "./pricing.json" with { type: "json" };
import product from "./product.json" with { type: "json" };
import security from "./security.json" with { type: "json" };
import service from "./service.json" with { type: "json" };
import usability from "./usability.json" with { type: "json" };

/** `strong` speaks of the category by itself, two `weak` ones together do, `not` hides what lies inside it. */
export type ClueKind = "strong" | "weak" | "not";

export interface Clue {
  category: Category;
  kind: ClueKind;
}

const LEXICONS: Partial<Record<Category, Record<ClueKind, string[]>>> = {
  product,
  service,
  pricing,
  usability,
  performance,
  bug,
  security,
  billing,
  legal,
};

function readClues(): PhraseTrie<Clue> {
  const trie = new PhraseTrie<Clue>();
  for (const [category, lexicon] of Object.entries(LEXICONS) as [Category, Record<ClueKind, string[]>][]) {
    for (const [kind, patterns] of Object.entries(lexicon) as [ClueKind, string[]][]) {
      const clue: Clue = { category, kind };
      for (const pattern of patterns) trie.add(pattern, clue);
    }
  }
  return trie;
}

/** All categories' phrases in one trie, built once, when this module is loaded. */
export const CLUES = readClues();
