import { prefixOf } from "./lazy-entries.ts";

/**
 * How a word of the lexicon is inflected. A `word` never changes. The others take the regular
 * English endings, unless they are among the irregular ones below.
 */
export type WordClass = "verb" | "noun" | "adjective" | "word";

const IRREGULAR_ADJECTIVES: Record<string, string> = { bad: "bad badly", good: "good" };
const IRREGULAR_NOUNS: Record<string, string> = { thief: "thief thieves" };
const IRREGULAR_VERBS: Record<string, string> = {
  break: "break breaks breaking broke broken",
  cheat: "cheat cheats cheated cheating",
  choose: "choose chooses choosing chose chosen",
  come: "come comes coming came",
  cut: "cut cuts cutting",
  deny: "deny denies denied denying",
  die: "die dies died dying",
  do: "do does did doing done",
  fall: "fall falls falling fell fallen",
  feel: "feel feels feeling felt",
  fight: "fight fights fighting fought",
  find: "find finds finding found",
  forget: "forget forgets forgetting forgot forgotten",
  freeze: "freeze freezes freezing froze frozen",
  get: "get gets getting got gotten",
  give: "give gives giving gave given",
  go: "go goes going went gone",
  hang: "hang hangs hanging hung",
  have: "have has having had",
  hear: "hear hears hearing heard",
  hurt: "hurt hurts hurting",
  keep: "keep keeps keeping kept",
  leave: "leave leaves leaving left",
  lie: "lie lies lied lying",
  lose: "lose loses losing lost",
  make: "make makes making made",
  mislead: "mislead misleads misleading misled",
  pay: "pay pays paying paid",
  put: "put puts putting",
  rip: "rip rips ripped ripping",
  say: "say says saying said",
  see: "see sees seeing saw seen",
  sell: "sell sells selling sold",
  send: "send sends sending sent",
  shrink: "shrink shrinks shrinking shrank shrunk",
  show: "show shows showing showed shown",
  sink: "sink sinks sinking sank sunk",
  speak: "speak speaks speaking spoke spoken",
  spend: "spend spends spending spent",
  steal: "steal steals stealing stole stolen",
  stick: "stick sticks sticking stuck",
  stink: "stink stinks stinking stank stunk",
  swear: "swear swears swearing swore sworn",
  take: "take takes taking took taken",
  tear: "tear tears tearing tore torn",
  tell: "tell tells telling told",
  throw: "throw throws throwing threw thrown",
  wear: "wear wears wearing wore worn",
  win: "win wins winning won",
  write: "write writes writing wrote written",
};

/**
 * `~word` in a pattern (see `PhraseTrie`) names no class. It is inflected as a verb, so verbs
 * include the irregular nouns and adjectives. But a noun doesn't take the forms of a verb.
 */
const IRREGULAR: Record<WordClass, Record<string, string>> = {
  verb: { ...IRREGULAR_VERBS, ...IRREGULAR_NOUNS, ...IRREGULAR_ADJECTIVES },
  noun: IRREGULAR_NOUNS,
  adjective: IRREGULAR_ADJECTIVES,
  word: {},
};

// Character tests instead of regular expressions, because thousands of words are inflected.
const VOWELS = new Set("aeiou");
const DOUBLED = new Set("bdgklmnprt");

const isVowel = (letter: string | undefined): boolean => letter !== undefined && VOWELS.has(letter);

/** Whether the last letter doubles, as in "stopped": after a consonant and a vowel. */
const doubles = (word: string): boolean =>
  word.length > 2 && !isVowel(word.at(-3)) && isVowel(word.at(-2)) && DOUBLED.has(word.at(-1) ?? "");

/** "carry", but not "play". */
const endsInConsonantY = (word: string): boolean => word.length > 1 && word.endsWith("y") && !isVowel(word.at(-2));

const withS = (word: string): string => {
  const last = word.at(-1);
  if (last === "s" || last === "x" || last === "z" || word.endsWith("ch") || word.endsWith("sh")) return `${word}es`;
  return endsInConsonantY(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
};

const verbForms = (verb: string): string[] => {
  const forms = [verb, withS(verb)];
  if (verb.endsWith("ie")) forms.push(`${verb}d`, `${verb.slice(0, -2)}ying`);
  else if (verb.endsWith("ee") || verb.endsWith("oe")) forms.push(`${verb}d`, `${verb}ing`);
  else if (verb.endsWith("e")) forms.push(`${verb}d`, `${verb.slice(0, -1)}ing`);
  else if (endsInConsonantY(verb)) forms.push(`${verb.slice(0, -1)}ied`, `${verb}ing`);
  else {
    // The spelling doesn't show the stress, so "offer" and "refer" both get both forms, one of
    // which never occurs.
    if (doubles(verb)) forms.push(`${verb}${verb.at(-1)}ed`, `${verb}${verb.at(-1)}ing`);
    forms.push(`${verb}ed`, `${verb}ing`);
  }
  return forms;
};

const adverb = (adjective: string): string => {
  if (adjective.length > 2 && adjective.endsWith("le") && !isVowel(adjective.at(-3)))
    return `${adjective.slice(0, -1)}y`;
  if (adjective.endsWith("y")) return `${adjective.slice(0, -1)}ily`;
  if (adjective.endsWith("ic")) return `${adjective}ally`;
  return `${adjective}ly`;
};

const adjectiveForms = (adjective: string): string[] => {
  const forms = [adjective, adverb(adjective)];
  if (adjective.length > 8) return forms;
  if (adjective.endsWith("e")) return [...forms, `${adjective}r`, `${adjective}st`];
  if (adjective.endsWith("y")) return [...forms, `${adjective.slice(0, -1)}ier`, `${adjective.slice(0, -1)}iest`];
  const stem = doubles(adjective) && adjective.length < 5 ? adjective + adjective.at(-1) : adjective;
  return [...forms, `${stem}er`, `${stem}est`];
};

/** The forms of a lower-case word, itself first: `love` → love, loves, loved, loving. */
export function inflect(word: string, wordClass: WordClass): string[] {
  const irregular = IRREGULAR[wordClass][word];
  if (irregular !== undefined) return irregular.split(" ");
  switch (wordClass) {
    case "verb":
      return verbForms(word);
    case "noun":
      return [word, withS(word)];
    case "adjective":
      return adjectiveForms(word);
    case "word":
      return [word];
  }
}

const knownBeginnings = new Map<string, readonly number[]>();

/**
 * The first two letters of each form of a word. For most words they are the same as its own, but
 * not for "go" and "went".
 */
export function formPrefixes(word: string): readonly number[] {
  if (word.length > 3 && IRREGULAR.verb[word] === undefined) return [prefixOf(word)];
  let known = knownBeginnings.get(word);
  if (known === undefined) {
    known = [...new Set(inflect(word, "verb").map(prefixOf))];
    knownBeginnings.set(word, known);
  }
  return known;
}

let changing: Map<number, string[]> | undefined;

function readChanging(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const lemma in IRREGULAR.verb) {
    for (const prefix of formPrefixes(lemma)) {
      if (prefix === prefixOf(lemma)) continue;
      found.set(prefix, [...(found.get(prefix) ?? []), lemma]);
    }
  }
  return found;
}

/**
 * The irregular words that don't begin with this prefix, but have a form that does: "die" for the
 * prefix of "dying".
 */
export const wordsInflectedTo = (prefix: number): readonly string[] => (changing ??= readChanging()).get(prefix) ?? [];
