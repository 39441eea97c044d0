import { memoizeByWord } from "../../memoize.ts";
import { wordsInflectedTo, inflect, type WordClass } from "../inflection.ts";
import { PhraseTrie } from "../phrase-trie.ts";
import { readData } from "../../read-data.ts";
import { prefixOf } from "../lazy-entries.ts";
import type { Token } from "../tokenizer.ts";
import { publishedValences } from "./published-lexicons.ts";

/**
 * Valence from -4 to 4; 0 for a phrase that hides the opinion words inside it. Phrases are marked,
 * because they already contain their negation.
 */
export interface Opinion {
  valence: number;
  phrase: boolean;
}

/** Words by theme, and within it by word class and strength: `"verb 2": "admire adore …"`. */
type Themes = Record<string, Record<string, string>>;

interface Phrases {
  positive: Record<string, string[]>;
  negative: Record<string, string[]>;
  /** Phrases that only look like opinions. */
  none: string[];
}

interface Modifiers {
  negators: string;
  fillers: string;
  intensifiers: Record<string, string>;
  dampeners: Record<string, string>;
  contrasts: string;
  concessions: string;
  comparatives: string;
  "faults when too much": string;
  "never opinions": string;
}

const modifiers = readData("./modifiers.json", import.meta.url) as Modifiers;

const words = (list: string): string[] => list.split(" ");

const ruleWords = new Set<string>();

/**
 * A set for the rules, of words separated by blanks, or of pairs of words joined by hyphens.
 * `isRuleWord` knows all its words.
 */
export function wordSet(list: string): ReadonlySet<string> {
  for (const word of list.split(/[ -]/u)) ruleWords.add(word);
  return new Set(words(list));
}

/**
 * Whether a word is in one of the word lists of the rules loaded so far: negators, contrasts,
 * "wish", "fixed" …
 */
export const isRuleWord = (word: string): boolean => ruleWords.has(word);

interface Group {
  /** Lemmas with blanks between and around them. */
  lemmas: string;
  wordClass: WordClass;
  opinion: Opinion;
}

function readGroups(themes: Themes, sign: 1 | -1): Group[] {
  return Object.values(themes).flatMap((groups) =>
    Object.entries(groups).map(([group, list]) => {
      const [wordClass, strength] = group.split(" ");
      const opinion = { valence: sign * Number(strength), phrase: false };
      return { lemmas: ` ${list} `, wordClass: wordClass as WordClass, opinion };
    }),
  );
}

/**
 * Opinion words in all their forms. The lists stay text. When a word is looked up, they are
 * searched for words with the same beginning, and only the forms of those are created.
 */
class OpinionWords {
  private readonly opinions = new Map<string, Opinion>();
  private readonly unfolded = new Set<number>();
  private readonly groups: readonly Group[];
  private readonly never: ReadonlySet<string>;

  constructor(groups: readonly Group[], never: ReadonlySet<string>) {
    this.groups = groups;
    this.never = never;
  }

  readonly get = (word: string): Opinion | undefined => {
    const prefix = prefixOf(word);
    if (!this.unfolded.has(prefix)) {
      this.unfolded.add(prefix);
      for (const group of this.groups) this.unfold(group, word.slice(0, 2), prefix);
    }
    return this.opinions.get(word);
  };

  private unfold(group: Group, letters: string, prefix: number): void {
    const { lemmas } = group;
    const start = ` ${letters}`;
    for (let at = lemmas.indexOf(start); at >= 0; at = lemmas.indexOf(start, at + 1)) {
      this.add(lemmas.slice(at + 1, lemmas.indexOf(" ", at + 1)), group, prefix);
    }
    for (const lemma of wordsInflectedTo(prefix)) if (lemmas.includes(` ${lemma} `)) this.add(lemma, group, prefix);
  }

  private add(lemma: string, { wordClass, opinion }: Group, prefix: number): void {
    for (const form of inflect(lemma, wordClass)) {
      if (prefixOf(form) !== prefix) continue;
      // An entry of the file itself takes precedence over a form derived by a rule.
      if (form === lemma || (!this.opinions.has(form) && !this.never.has(form))) this.opinions.set(form, opinion);
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

function readOpinionWords(): OpinionWords {
  const positive = readGroups(readData("./positive.json", import.meta.url) as Themes, 1);
  const negative = readGroups(readData("./negative.json", import.meta.url) as Themes, -1);
  return new OpinionWords([...positive, ...negative], NEVER_OPINIONS);
}

function readPhrases(): PhraseTrie<Opinion> {
  const trie = new PhraseTrie<Opinion>();
  const phrases = readData("./phrases.json", import.meta.url) as Phrases;
  addPhrases(trie, phrases.positive, 1);
  addPhrases(trie, phrases.negative, -1);
  const hidden = { valence: 0, phrase: true };
  for (const pattern of phrases.none) trie.add(pattern, hidden);
  return trie;
}

const NEVER_OPINIONS = new Set(words(modifiers["never opinions"]));
let opinionWords: OpinionWords | undefined;
/** English opinion words of our own list, read with the first text. */
export const opinions = (): OpinionWords => (opinionWords ??= readOpinionWords());
let opinionPhrases: PhraseTrie<Opinion> | undefined;
/** English phrases that contain an opinion, or only look like one; read with the first text. */
export const phrases = (): PhraseTrie<Opinion> => (opinionPhrases ??= readPhrases());
export const NEGATORS = wordSet(modifiers.negators);
export const isNegator = memoizeByWord((word) => NEGATORS.has(word));
export const FILLERS = wordSet(modifiers.fillers);
export const INTENSIFIERS: ReadonlyMap<string, number> = new Map([
  ...factors(modifiers.intensifiers),
  ...factors(modifiers.dampeners),
]);
export const CONTRASTS = wordSet(modifiers.contrasts);
/** Whether a clause ends here: at punctuation that stops, and at words of contrast. */
export const endsClause = (token: Token | undefined): boolean =>
  token?.kind === "stop" || CONTRASTS.has(token?.norm ?? "");
export const CONCESSIONS = wordSet(modifiers.concessions);
export const COMPARATIVES = wordSet(modifiers.comparatives);
export const FAULTS_WHEN_TOO_MUCH = wordSet(modifiers["faults when too much"]);

/** Whether a word modifies opinions and is not an opinion itself, whatever other lists say. */
const isModifier = (word: string): boolean =>
  NEGATORS.has(word) ||
  INTENSIFIERS.has(word) ||
  CONTRASTS.has(word) ||
  CONCESSIONS.has(word) ||
  NEVER_OPINIONS.has(word);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const opinionsOn = (word: string): readonly number[] => (isModifier(word) ? [] : publishedValences(word));

/** The average valence of a word in published lists, from -5 to 5; undefined if no list has it. */
export function publishedValence(word: string): number | undefined {
  const valences = opinionsOn(word);
  return valences.length === 0 ? undefined : sum(valences) / valences.length;
}

/** How many more of the lists must call a word good than bad, or bad than good. */
const AGREEING = 2;
/**
 * Words that were not chosen for feedback say less about it. Of factors from 0.3 to 0.8, this one
 * worked best on held-out sources.
 */
const PUBLISHED_SHARE = 0.5;

/** The opinion in a word according to the published lists; undefined if they don't agree. */
export function publishedOpinion(word: string): Opinion | undefined {
  const valences = opinionsOn(word);
  if (Math.abs(sum(valences.map(Math.sign))) < AGREEING) return undefined;
  return { valence: (sum(valences) / valences.length) * PUBLISHED_SHARE, phrase: false };
}

export const opinionOf = memoizeByWord((word) => opinions().get(word) ?? publishedOpinion(word));
