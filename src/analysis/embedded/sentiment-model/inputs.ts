import { memoizeByWord } from "../../memoize.ts";
import { NEGATORS, publishedValence } from "../lexicon/lexicon.ts";
import { balance } from "../sentiment-balance.ts";
import type { OpinionHit, SentimentFeatures } from "../sentiment-features.ts";
import type { Token } from "../tokenizer.ts";

/** All words and pairs of words are hashed into 2 to the power of this many buckets. */
export const BUCKET_BITS = 15;

const SECOND_NEGATION_REACH = 3;
const SECOND_NEGATED = -0.6;
const STRONGEST = 4;
const MAX_BALANCE = 6;

/**
 * Places on the balance of opinions. At each, an input rises smoothly from 0 to 1. With these
 * inputs, a linear model can be non-linear in the balance.
 */
const STEPS = [-3, -2, -1.2, -0.6, -0.2, 0.2, 0.5, 0.8, 1.2, 1.8, 2.5, 3.5];
const STEEPNESS = 4;

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const flag = (condition: boolean): number => Number(condition);

/**
 * The model's inputs about a text's opinions: about -2 to 2 each, whatever the text's length. The
 * published opinion lists are inputs of their own, even for words on which they disagree.
 */
export function opinionInputs(features: SentimentFeatures): number[] {
  const { hits, tokens, positive, negative } = features;
  let [question, exclamation, number] = [false, false, false];
  for (const { kind, norm } of tokens) {
    if (kind === "number") number = true;
    else if (kind === "stop") {
      question ||= norm.includes("?");
      exclamation ||= norm.includes("!");
    }
  }
  const sum = balance(features);
  const root = Math.sqrt(Math.max(1, hits.length));
  const praise = within(positive / root, 0, MAX_BALANCE);
  const blame = within(negative / root, 0, MAX_BALANCE);
  let best = 0;
  let worst = 0;
  for (const { valence } of hits) {
    best = Math.max(best, valence);
    worst = Math.min(worst, valence);
  }
  return [
    1,
    ...STEPS.map((step) => 1 / (1 + Math.exp(-(sum - step) * STEEPNESS))),
    within(sum, -MAX_BALANCE, MAX_BALANCE) / 4,
    flag(hits.length === 0),
    flag(features.looseNegations > 0),
    (positive - negative) / (positive + negative + 1),
    praise / 4,
    blame / 4,
    Math.min(praise, blame, STRONGEST) / 2,
    best / 4,
    worst / 4,
    within(hits[0]?.valence ?? 0, -STRONGEST, STRONGEST) / 4,
    within(hits.at(-1)?.valence ?? 0, -STRONGEST, STRONGEST) / 4,
    flag(question),
    flag(exclamation),
    flag(number),
    ...secondOpinion(features),
  ];
}

const publishedValenceOf = memoizeByWord(publishedValence);

/**
 * The verdict of the published lists: their balance, their praise and their blame where our own
 * lexicon has no opinion, and whether they have none of the words.
 */
function secondOpinion({ tokens, hits, innocent }: SentimentFeatures): number[] {
  let sum = 0;
  let praise = 0;
  let blame = 0;
  let words = 0;
  // The first opinion at each token: they may overlap.
  const hitAt: OpinionHit[] = [];
  for (const hit of hits) for (let at = hit.from; at < hit.to; at++) hitAt[at] ??= hit;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    const plain = token && publishedValenceOf(token.word);
    if (plain === undefined || innocent.has(at)) continue;
    const hit = hitAt[at];
    // If there is an opinion here, the rules have already decided whether it is reversed, as in
    // "free of bugs".
    const negated = hit ? hit.valence * hit.opinion.valence < 0 : isNegated(tokens, at);
    const valence = negated ? plain * SECOND_NEGATED : plain;
    words += 1;
    sum += valence;
    if (hit) continue;
    if (valence > 0) praise += valence;
    else blame -= valence;
  }
  const root = Math.sqrt(Math.max(1, words));
  return [
    within(sum / root, -STRONGEST, STRONGEST) / 4,
    within(praise / root, 0, STRONGEST) / 4,
    within(blame / root, 0, STRONGEST) / 4,
    flag(words === 0),
  ];
}

function isNegated(tokens: readonly Token[], at: number): boolean {
  for (let i = at - 1; i >= 0 && i >= at - SECOND_NEGATION_REACH; i--) {
    const token = tokens[i];
    if (token === undefined || token.kind === "stop") return false;
    if (NEGATORS.has(token.norm)) return true;
  }
  return false;
}

const BEGINNING = 0x9e3779b9;
const NUMBER = 0x7f4a7c15;

/** FNV-1a, 32 bits (Fowler, Noll, Vo). */
const hashOf = memoizeByWord((norm) => {
  let value = 0x811c9dc5;
  for (let i = 0; i < norm.length; i++) value = Math.imul(value ^ norm.charCodeAt(i), 0x01000193);
  return value;
});

const bucketOf = (value: number): number => Math.imul(value ^ (value >>> 15), 0x85ebca6b) >>> (32 - BUCKET_BITS);

// The buckets that the current text fills are those that hold the number of this call.
const filled = new Uint32Array(2 ** BUCKET_BITS);
let call = 0;

/**
 * Visits each word and each pair of adjacent words (tokens `from` to `to`, the latter excluded).
 * All numbers count as one word. Each bucket is visited once, at its first occurrence.
 */
export function visitWords(tokens: readonly Token[], visit: (bucket: number, from: number, to: number) => void): void {
  call += 1;
  const enter = (bucket: number, from: number, to: number): void => {
    if (filled[bucket] === call) return;
    filled[bucket] = call;
    visit(bucket, from, to);
  };
  let before = BEGINNING;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined || token.kind === "other") {
      before = BEGINNING;
      continue;
    }
    const own = token.kind === "number" ? NUMBER : hashOf(token.word);
    enter(bucketOf(own), at, at + 1);
    enter(bucketOf(Math.imul(before, 31) + own), before === BEGINNING ? at : at - 1, at + 1);
    before = own;
  }
}

/** The buckets that a text fills. */
export function wordBuckets(tokens: readonly Token[]): number[] {
  const buckets: number[] = [];
  visitWords(tokens, (bucket) => buckets.push(bucket));
  return buckets;
}
