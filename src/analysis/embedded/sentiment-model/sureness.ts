import type { Sentiment } from "../../sentiment-analyzer.ts";
import { endsClause } from "../lexicon/lexicon.ts";
import { DOUBTS, type DoubtHit } from "../praise-doubts.ts";
import { balance } from "../sentiment-balance.ts";
import type { SentimentFeatures } from "../sentiment-features.ts";

/** A judgement and how it came about. */
export interface Judgement {
  sentiment: Sentiment;
  /** How far the balance is from another result; undefined if the model decided. */
  distance: number | undefined;
  /** The logits of `negative` and `positive`, relative to `neutral`, bias included. */
  logits: readonly number[];
}

const FARTHEST = 6;
const MAX_BLAME = 3;

/**
 * Praise that is doubted throughout is right in three of four texts at best, however strong it is.
 * That was measured on held-out sets. This limit is just below `DEFAULT_THANK_ABOVE`, so such
 * praise gets no thanks unless `thankAbove` is lower.
 */
const MAX_DOUBTED = 0.74;

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/**
 * What speaks for and against a judgement. A weighted sum of these inputs is the logit of the
 * probability that it is right. The share of `neutral` differs so much between sources that no
 * weights could be learned for it: see `NEUTRAL_WEIGHTS`.
 */
export function surenessInputs(
  { sentiment, distance, logits }: Judgement,
  features: SentimentFeatures,
  doubts: readonly DoubtHit[],
): number[] {
  const [negative = 0, positive = 0] = logits;
  const isCounted = Number(distance !== undefined);
  if (sentiment === "neutral") return isCounted ? [0, 0, 1] : [1, -logOfSum(negative, positive), 0];
  const [own, other] = sentiment === "positive" ? [positive, negative] : [negative, positive];
  const common = [1, (own - other) / 2, own / 2, isCounted, Math.min(FARTHEST, distance ?? 0), ...textInputs(features)];
  if (sentiment === "negative") return common;
  const kinds = DOUBTS.map((doubt) => Number(doubts.some((hit) => hit.doubt === doubt)));
  return [...common, ...kinds, Number(isDoubtedThroughout(features, doubts))];
}

/**
 * Chosen by hand on held-out sets. The first two are for the model's decisions: intercept, and
 * slope of its logit. The third is for a balance's decisions: the logit itself.
 */
export const NEUTRAL_WEIGHTS: readonly number[] = [0.1, 0.5, -1.2];

/** The indexes of the inputs that are 1 or 0: for the model's decisions, and for a balance's. */
export const NEUTRAL_INTERCEPTS: readonly number[] = [0, 2];

const logOfSum = (one: number, other: number): number => Math.log(Math.exp(one) + Math.exp(other));

function textInputs(features: SentimentFeatures): number[] {
  const { tokens, hits, positive, negative, words, looseNegations } = features;
  const root = Math.sqrt(Math.max(1, hits.length));
  return [
    within(negative / root, 0, MAX_BLAME) / 2,
    within(positive / root, 0, FARTHEST) / 2,
    Math.log1p(words) / 2,
    Number(tokens.some(({ kind, norm }) => kind === "stop" && norm.includes("?"))),
    Number(looseNegations > 0),
    within(balance(features), -MAX_BLAME, FARTHEST) / 2,
  ];
}

/** Whether each praise has a doubt in its own clause; then even strong praise says little. */
function isDoubtedThroughout({ tokens, hits }: SentimentFeatures, doubts: readonly DoubtHit[]): boolean {
  if (doubts.length === 0) return false;
  let clause = 0;
  const clauses = tokens.map((token) => (endsClause(token) ? ++clause : clause));
  const doubted = new Set(doubts.map(({ from }) => clauses[from]));
  const praise = hits.filter(({ valence }) => valence > 0);
  return praise.length > 0 && praise.every(({ from }) => doubted.has(clauses[from]));
}

/** Probability that a judgement is right, 0 to 1, by the weights of its sentiment. */
export function sureness(sentiment: Sentiment, inputs: readonly number[], weights: readonly number[]): number {
  let logit = 0;
  for (let at = 0; at < inputs.length; at++) logit += (inputs[at] ?? 0) * (weights[at] ?? 0);
  const share = 1 / (1 + Math.exp(-logit));
  // The last input of praise says that it is doubted throughout.
  return sentiment === "positive" && inputs.at(-1) === 1 ? Math.min(MAX_DOUBTED, share) : share;
}
