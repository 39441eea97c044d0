import { inflect, type WordClass } from "../inflection.ts";
import { PhraseTrie } from "../phrase-trie.ts";
import modifiers from "./modifiers.json" with { type: "json" };
import negative from "./negative.json" with { type: "json" };
import phrases from "./phrases.json" with { type: "json" };
import positive from "./positive.json" with { type: "json" };

/** Valence from -4 to 4, with phrases marked: they hold their own negation. 0 hides the opinion words inside. */
export interface Opinion {
  valence: number;
  phrase: boolean;
}

type Themes = Record<string, Record<string, string>>;

const words = (list: string): string[] => list.split(" ");

function addWords(valences: Map<string, number>, explicit: Set<string>, themes: Themes, sign: 1 | -1): void {
  for (const groups of Object.values(themes)) {
    for (const [group, list] of Object.entries(groups)) {
      const [wordClass, strength] = group.split(" ");
      for (const lemma of words(list)) {
        const valence = sign * Number(strength);
        for (const form of inflect(lemma, wordClass as WordClass)) {
          // What stands in a file itself is meant; a form made by rule gives way to it.
          if (form === lemma) {
            explicit.add(form);
            valences.set(form, valence);
          } else if (!explicit.has(form) && !valences.has(form)) valences.set(form, valence);
        }
      }
    }
  }
}

function addPhrases(trie: PhraseTrie<Opinion>, groups: Record<string, string[]>, sign: 1 | -1): void {
  for (const [strength, patterns] of Object.entries(groups)) {
    const opinion = { valence: sign * Number(strength), phrase: true };
    for (const pattern of patterns) trie.add(pattern, opinion);
  }
}

const factors = (groups: Record<string, string>): [string, number][] =>
  Object.entries(groups).flatMap(([factor, list]) =>
    words(list).map((word): [string, number] => [word, Number(factor)]),
  );

function readOpinions(): { valences: ReadonlyMap<string, Opinion>; trie: PhraseTrie<Opinion> } {
  const valences = new Map<string, number>();
  const explicit = new Set<string>();
  addWords(valences, explicit, positive, 1);
  addWords(valences, explicit, negative, -1);
  for (const word of words(modifiers["never opinions"])) if (!explicit.has(word)) valences.delete(word);
  const trie = new PhraseTrie<Opinion>();
  addPhrases(trie, phrases.positive, 1);
  addPhrases(trie, phrases.negative, -1);
  const hidden = { valence: 0, phrase: true };
  for (const pattern of phrases.none) trie.add(pattern, hidden);
  return { valences: new Map([...valences].map(([word, valence]) => [word, { valence, phrase: false }])), trie };
}

/** English opinion words and what changes their meaning. Built once, when this module is loaded. */
export const { valences: OPINIONS, trie: PHRASES } = readOpinions();
export const NEGATORS = new Set(words(modifiers.negators));
export const FILLERS = new Set(words(modifiers.fillers));
export const DEGREES: ReadonlyMap<string, number> = new Map([
  ...factors(modifiers.intensifiers),
  ...factors(modifiers.dampeners),
]);
export const CONTRASTS = new Set(words(modifiers.contrasts));
export const CONCESSIONS = new Set(words(modifiers.concessions));
export const FAULTS_WHEN_TOO_MUCH = new Set(words(modifiers["faults when too much"]));
