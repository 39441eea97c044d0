import {
  CONCESSIONS,
  CONTRASTS,
  INTENSIFIERS,
  FAULTS_WHEN_TOO_MUCH,
  FILLERS,
  NEGATORS,
  phrases,
  isNegator,
  opinionOf,
  type Opinion,
} from "./lexicon/lexicon.ts";
import { isInNegatedList } from "./negated-lists.ts";
import { isSettledAfter, settledBefore } from "./settled-faults.ts";
import { isCalledFor, isUnsurpassed, isWished, reversalAt } from "./sentiment-mood.ts";
import type { Token } from "./tokenizer.ts";

/**
 * One opinion in a text: tokens `from` to `to` (exclusive), and its valence here, negation and
 * emphasis included.
 */
export interface OpinionHit {
  from: number;
  to: number;
  valence: number;
  /** Its entry in the lexicon. */
  opinion: Opinion;
}

/** What the sentiment is decided from. */
export interface SentimentFeatures {
  tokens: readonly Token[];
  /** In the order of the text. */
  hits: readonly OpinionHit[];
  /** The tokens in phrases that only look like opinions: "crash course". */
  innocent: ReadonlySet<number>;
  /** Sums over the hits, both 0 or more. */
  positive: number;
  negative: number;
  /** Negations that reversed no opinion: "it didn't fit". */
  looseNegations: number;
  words: number;
}

/**
 * Links in a list like "no bugs, glitches or crashes": a negation of the first negates the others.
 */
const LINKS = new Set(["or", "nor"]);
/** Links in a list after "free of". */
const LINKS_AFTER_FREE = new Set([...LINKS, "and"]);
const NEGATION_REACH = 6;
const NEGATED_PRAISE = -0.7;
const NEGATED_BLAME = -0.45;
/**
 * "It should be easier" and "I wish it were easy" are criticism; "it could be worse" is faint
 * praise.
 */
const CALLED_FOR = -0.7;
const CAPITALS = 1.25;
const STRETCHED = 1.2;
const BEFORE_CONTRAST = 0.5;
const AFTER_CONTRAST = 1.3;
const CONCEDED = 0.5;
const ASKED = 0.5;
const EXCLAIMED = 0.12;
const TOO_MUCH: Opinion = { valence: -1.5, phrase: true };

const isSentenceEnd = (token: Token): boolean => token.kind === "stop" && /^[.!?…。！？\n]/u.test(token.norm);

const negated = (valence: number): number => valence * (valence > 0 ? NEGATED_PRAISE : NEGATED_BLAME);

/** The longest phrase that begins here, or else the single word. */
function opinionAt(tokens: readonly Token[], at: number): { opinion: Opinion; to: number } | undefined {
  const token = tokens[at];
  if (token === undefined || token.kind === "stop" || token.kind === "other") return undefined;
  let longest: { opinion: Opinion; to: number } | undefined;
  for (const { value, to } of phrases().matchesAt(tokens, at)) {
    if (longest === undefined || to > longest.to) longest = { opinion: value, to };
  }
  if (longest) return longest;
  const next = tokens[at + 1];
  if (token.norm === "too" && next && FAULTS_WHEN_TOO_MUCH.has(next.norm)) return { opinion: TOO_MUCH, to: at + 2 };
  const opinion = opinionOf(token.word);
  return opinion && { opinion, to: at + 1 };
}

/**
 * The start of the negation that governs the opinion at `at`: only fillers, and at most one other
 * word, may come between.
 * @param usedUp the tokens in phrases that are not blame ("no doubt", "nothing beats"): a negation
 *   there negates nothing else
 */
function negationBefore(tokens: readonly Token[], at: number, usedUp: ReadonlySet<number>): number | undefined {
  let strangers = 0;
  for (let i = at - 1; i >= 0 && i >= at - NEGATION_REACH; i--) {
    const token = tokens[i];
    if (token === undefined || token.kind === "stop") return undefined;
    const reversal = usedUp.has(i) ? undefined : reversalAt(tokens, i, at);
    if (reversal !== undefined) return reversal;
    if (CONTRASTS.has(token.norm)) return undefined;
    if (NEGATORS.has(token.norm)) return usedUp.has(i) ? undefined : i;
    if (!FILLERS.has(token.norm) && ++strangers > 1) return undefined;
  }
  return undefined;
}

function degreeBefore(tokens: readonly Token[], at: number): number {
  let factor = 1;
  for (let i = at - 1; i >= 0 && i >= at - 2; i--) factor *= INTENSIFIERS.get(tokens[i]?.norm ?? "") ?? 1;
  return factor;
}

function emphasis(tokens: readonly Token[], from: number, to: number, shouting: boolean): number {
  let factor = 1;
  for (let i = from; i < to; i++) {
    if (!shouting && tokens[i]?.capitals === true) factor = Math.max(factor, CAPITALS);
    if (tokens[i]?.stretched === true) factor = Math.max(factor, STRETCHED);
  }
  return factor;
}

/** Scales the hits of one sentence for "but", "although", "?" and "!". */
function weighSentence(hits: OpinionHit[], tokens: readonly Token[], from: number, to: number): void {
  if (hits.length === 0) return;
  const end = tokens[to]?.norm ?? "";
  const whole = end.includes("?") ? ASKED : 1 + EXCLAIMED * Math.min(3, end.startsWith("!") ? end.length : 0);
  let contrast = -1;
  let concession = -1;
  let concessionEnd = to;
  for (let i = from; i < to; i++) {
    const token = tokens[i];
    if (token === undefined) continue;
    if (CONTRASTS.has(token.norm)) contrast = i;
    else if (CONCESSIONS.has(token.norm) && tokens[i + 1]?.kind !== "stop" && i + 1 < to) {
      concession = i;
      concessionEnd = to;
    } else if (concession >= 0 && token.kind === "stop" && concessionEnd === to) concessionEnd = i;
  }
  for (const hit of hits) {
    hit.valence *= whole;
    if (contrast >= 0) hit.valence *= hit.from < contrast ? BEFORE_CONTRAST : AFTER_CONTRAST;
    if (concession >= 0 && hit.from > concession && hit.from < concessionEnd) hit.valence *= CONCEDED;
  }
}

/** Whether most words are in capitals; if so, capitals don't count as emphasis. */
function isShouting(tokens: readonly Token[]): boolean {
  let words = 0;
  let capitals = 0;
  for (const token of tokens) {
    if (token.kind !== "word" || token.end - token.start < 2) continue;
    words++;
    if (token.capitals) capitals++;
  }
  return capitals * 2 > words;
}

const isSettled = (tokens: readonly Token[], at: number, to: number): boolean =>
  settledBefore(tokens, at) !== undefined || isSettledAfter(tokens, at, to);

/** Finds the opinions of a text and weighs each in its context, in linear time. */
export function sentimentFeatures(tokens: readonly Token[]): SentimentFeatures {
  const shouting = isShouting(tokens);
  const hits: OpinionHit[] = [];
  const loose = new Set<number>();
  const innocent = new Set<number>();
  // See `negationBefore`.
  const usedUp = new Set<number>();
  const symbols = new Set<string>();
  let sentence: OpinionHit[] = [];
  let sentenceStart = 0;
  let negatedTo = -1;
  let links = LINKS;
  let words = 0;

  for (let at = 0; at < tokens.length;) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === "word") words++;
    if (isSentenceEnd(token)) {
      weighSentence(sentence, tokens, sentenceStart, at);
      sentence = [];
      sentenceStart = at + 1;
    }
    const found = opinionAt(tokens, at);
    if (found === undefined) {
      if (isNegator(token.word)) loose.add(at);
      at++;
      continue;
    }
    // Ten hearts are not ten opinions.
    const isRepeated = token.kind === "symbol" && symbols.has(token.norm);
    if (token.kind === "symbol") symbols.add(token.norm);
    if (found.opinion.valence !== 0 && !isRepeated) {
      const negation = NEGATORS.has(token.norm) ? undefined : negationBefore(tokens, at, usedUp);
      const isOver = negation === undefined && found.opinion.valence < 0 && isSettled(tokens, at, found.to);
      const isListed = negation === undefined && isInNegatedList(tokens, { end: negatedTo, at, to: found.to }, links);
      let valence = found.opinion.valence * emphasis(tokens, at, found.to, shouting);
      valence *= degreeBefore(tokens, at);
      if (negation !== undefined) {
        if (!isUnsurpassed(tokens, negation, at, found.to)) valence = negated(valence);
        loose.delete(negation);
        links = tokens[negation]?.norm === "free" ? LINKS_AFTER_FREE : LINKS;
      } else if (isListed || isOver) valence = negated(valence);
      else if (isCalledFor(tokens, at, found.to) || (valence > 0 && isWished(tokens, at, found.to)))
        valence *= CALLED_FOR;
      if (negation !== undefined || isListed) negatedTo = found.to;
      const hit = { from: negation ?? at, to: found.to, valence, opinion: found.opinion };
      hits.push(hit);
      sentence.push(hit);
    }
    for (let inside = at; inside < found.to; inside++) {
      if (found.opinion.phrase && found.opinion.valence >= 0) usedUp.add(inside);
      if (found.opinion.valence === 0) innocent.add(inside);
    }
    at = found.to;
  }
  weighSentence(sentence, tokens, sentenceStart, tokens.length);

  return { tokens, hits, innocent, ...sumOpinions(hits), looseNegations: loose.size, words };
}

/** The sums of praise and blame. */
export function sumOpinions(hits: readonly OpinionHit[]): Pick<SentimentFeatures, "positive" | "negative"> {
  let positive = 0;
  let negative = 0;
  for (const { valence } of hits) {
    if (valence > 0) positive += valence;
    else negative -= valence;
  }
  return { positive, negative };
}
