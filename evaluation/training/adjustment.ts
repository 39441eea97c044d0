/** What the user's own labels add to the shipped sentiment model. */
import { BUCKET_BITS } from "../../src/analysis/embedded/sentiment-model/inputs.ts";
import { judge } from "../../src/analysis/embedded/sentiment-decision.ts";
import {
  OUTCOMES,
  SentimentModel,
  type SentimentWeights,
} from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import { surenessInputs } from "../../src/analysis/embedded/sentiment-model/sureness.ts";
import { MAX_SHIFT, MIN_SHIFT, type SentimentAdjustment } from "../../src/analysis/embedded/trained-weights.ts";
import { SENTIMENTS, type Sentiment } from "../../src/analysis/sentiment-analyzer.ts";
import type { LabelledText } from "./examples.ts";
import { FOLDS, foldOf } from "./folds.ts";
import type { LeftOutAnswer } from "./left-out.ts";
import { train, type Example } from "./logistic-regression.ts";

// Chosen because they help in a new domain and hardly change others:
// `evaluation/scripts/new-domain.ts` prints both effects.
const OPTIONS = {
  classes: SENTIMENTS.length,
  buckets: 2 ** BUCKET_BITS,
  fewestExamples: 2,
  epochs: 30,
  rate: 0.03,
  opinionDecay: 0,
  wordDecay: 0.1,
};

const NO_SHIFT: Record<Sentiment, number> = { positive: 0, negative: 0, neutral: 0 };
/** Adding 0 avoids `-0`. */
const round = (value: number): number => Number(value.toFixed(4)) + 0;

/**
 * Fits the weights of words, and nothing else. How common each sentiment is among the labels is
 * learned too, but then dropped, because it may differ in the next texts. Texts that are decided
 * without the model are not used.
 */
function fitWords(texts: readonly LabelledText[], base: SentimentModel): SentimentAdjustment["words"] {
  const examples = texts
    .filter(({ isCounted }) => !isCounted)
    .map((text): Example => {
      const { label, buckets, wordFactor } = text;
      const logits = base.logitsOf(text.features);
      const prior = SENTIMENTS.map((sentiment) => logits[OUTCOMES.findIndex((one) => one === sentiment)] ?? 0);
      return { source: 0, label, opinions: [], buckets, wordFactor, prior };
    });
  const { words } = train(examples, OPTIONS);
  const relative = (bucket: number): [negative: number, positive: number] => {
    const weight = (sentiment: Sentiment): number => words[bucket * OPTIONS.classes + SENTIMENTS.indexOf(sentiment)]!;
    return [round(weight("negative") - weight("neutral")), round(weight("positive") - weight("neutral"))];
  };
  const buckets = [...new Set(examples.flatMap(({ buckets }) => buckets))].toSorted((one, other) => one - other);
  const learned = buckets.map((bucket) => [String(bucket), relative(bucket)] as const);
  return Object.fromEntries(learned.filter(([, weights]) => weights.some((weight) => weight !== 0)));
}

/** The answers of a model that is used as it is, whatever it was trained on. */
export const answersOf = (model: SentimentModel, texts: readonly LabelledText[]): LeftOutAnswer[] =>
  texts.map((text) => {
    const judgement = judge(text.features, model.logitsOf(text.features));
    const { sentiment } = judgement;
    return { text, sentiment, score: model.sureness(sentiment, surenessInputs(judgement, text.features, text.doubts)) };
  });

/** How often the range of shifts is halved. */
const STEPS = 24;
/** Pulls shifts towards 0, because a few answers say little. The strength of an L2 penalty. */
const SHIFT_DECAY = 5;

/**
 * For each sentiment, how far to shift the scores' logits, so that the scores agree best with which
 * answers were right.
 */
export function fitShift(answers: readonly LeftOutAnswer[]): Record<Sentiment, number> {
  const shift = (sentiment: Sentiment): number => {
    const own = answers.filter((answer) => answer.sentiment === sentiment);
    /** The slope of the likelihood. It falls everywhere, so it has one zero. */
    const slopeAt = (value: number): number => {
      let slope = -SHIFT_DECAY * value;
      for (const { text, score } of own) {
        const share = 1 / (1 + Math.exp(-(Math.log(score / (1 - score)) + value)));
        slope += Number(text.sentiment === sentiment) - share;
      }
      return slope;
    };
    let [low, high] = [MIN_SHIFT, MAX_SHIFT[sentiment]];
    for (let step = 0; step < STEPS; step++) {
      const middle = (low + high) / 2;
      if (slopeAt(middle) > 0) low = middle;
      else high = middle;
    }
    return round(low);
  };
  return { positive: shift("positive"), negative: shift("negative"), neutral: shift("neutral") };
}

export interface FittedAdjustment {
  adjustment: SentimentAdjustment;
  /** Each text judged by the shipped model. */
  before: LeftOutAnswer[];
  /** Each text judged by an adjustment that was fitted without the text's fold. */
  after: LeftOutAnswer[];
}

const ALL_FOLDS = Array.from({ length: FOLDS }, (_, fold) => fold);

/**
 * Fits an adjustment to all texts. For each fold, it also fits one to the other folds, to judge the
 * texts of this fold. A shift must be fitted to answers about texts that the weights of words have
 * not seen, so each pair of folds is left out once. A text is always in the same fold.
 */
export function fitAdjustment(texts: readonly LabelledText[], weights: SentimentWeights): FittedAdjustment {
  const base = new SentimentModel(weights);
  const folds = ALL_FOLDS.map((fold) => texts.filter((text) => foldOf(text.text) === fold));
  const wordsWithout = (...leftOut: number[]): SentimentAdjustment["words"] =>
    fitWords(
      folds.flatMap((own, fold) => (leftOut.includes(fold) ? [] : own)),
      base,
    );
  const answers = (fold: number, words: SentimentAdjustment["words"], sureness = NO_SHIFT): LeftOutAnswer[] =>
    answersOf(new SentimentModel(weights, { words, sureness }), folds[fold]!);
  /** For each fold, answers about the other folds, by words fitted without this fold and theirs. */
  const unshifted = ALL_FOLDS.map((): LeftOutAnswer[] => []);
  for (const fold of ALL_FOLDS) {
    for (const other of ALL_FOLDS.slice(fold + 1)) {
      const words = wordsWithout(fold, other);
      unshifted[fold]!.push(...answers(other, words));
      unshifted[other]!.push(...answers(fold, words));
    }
  }
  const words = ALL_FOLDS.map((fold) => wordsWithout(fold));
  return {
    adjustment: {
      words: wordsWithout(),
      sureness: fitShift(ALL_FOLDS.flatMap((fold) => answers(fold, words[fold]!))),
    },
    before: folds.flatMap((own) => answersOf(base, own)),
    after: ALL_FOLDS.flatMap((fold) => answers(fold, words[fold]!, fitShift(unshifted[fold]!))),
  };
}
