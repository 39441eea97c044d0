/**
 * Training on the user's own labels: what is fitted, how well it works on held-out texts, and
 * whether it is used.
 */
import type { Fits, TrainedWeights } from "../../src/analysis/embedded/trained-weights.ts";
import { SentimentModel, type SentimentWeights } from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import { readData } from "../../src/analysis/read-data.ts";
import { SENTIMENTS, type Sentiment } from "../../src/analysis/sentiment-analyzer.ts";
import { ValidationError } from "../../src/errors.ts";
import { withoutAbsent } from "../../src/json.ts";
import { withScopes, type LabelledSets } from "../labelled-sets.ts";
import { isBeyondChance } from "../scores.ts";
import { scoreSentiment } from "../score-sentiment.ts";
import { answersOf, fitAdjustment, type FittedAdjustment } from "./adjustment.ts";
import { MIN_TEXTS_EACH, fitBounds, type FittedBounds } from "./category-bounds.ts";
import { labelledTexts } from "./examples.ts";
import type { LeftOutAnswer } from "./left-out.ts";
import { thanksAt } from "./thanks.ts";

/** With fewer texts, the result would say nothing about new ones. */
export const MIN_TEXTS = 100;

/** Figures on held-out texts, from 0 to 1. */
export interface SentimentFigures {
  macroF1: number;
  accuracy: number;
  negativesFound: number;
  /** The share of unhappy customers who would be thanked. */
  unhappyThanked: number;
  calibrationError: number;
}

export interface SentimentTraining {
  texts: Record<Sentiment, number>;
  /** With the shipped weights. */
  before: SentimentFigures;
  /**
   * With an earlier training's weights, on the same texts, which that training may have seen;
   * absent if there is none.
   */
  inUse?: SentimentFigures;
  after: SentimentFigures;
  /** How many held-out texts only the new weights get right. */
  fixed: number;
  /** How many held-out texts only the shipped weights get right. */
  broken: number;
  /** Why the new weights are not used; absent if they are. */
  refusal?: string;
}

export interface OwnTraining {
  /** The fits to use: those that were accepted, and otherwise those of an earlier training. */
  fits: Fits;
  /** Whether anything was accepted. */
  isTaken: boolean;
  texts: { sentiment: number; categories: number };
  /**
   * The number of texts that the embedded analysers can't read, such as those in other languages.
   */
  unreadable: number;
  sentiment: SentimentTraining | { texts: Record<Sentiment, number>; refusal: string };
  categories: Omit<FittedBounds, "bounds">;
  /** Which fits of an earlier training stay in use. */
  kept: { sentiment: boolean; categories: boolean };
}

/** How accurate answers are, and how many unhappy customers they would thank. */
export function figures(answers: readonly LeftOutAnswer[], thankAbove: number): SentimentFigures {
  const rows = answers.map(({ text }) => ({ text: "", label: text.sentiment }));
  const { macroF1, accuracy, perClass, calibrationError = 0 } = scoreSentiment(rows, answers);
  const { angryThanked: unhappyThanked } = thanksAt(answers, thankAbove);
  return { macroF1, accuracy, negativesFound: perClass.negative?.recall ?? 0, unhappyThanked, calibrationError };
}

/**
 * Why a fit is not used; undefined if it is. It must fix more texts than it breaks, by more than
 * chance explains, and must not thank more unhappy customers. The weights in use may have seen
 * these texts, so the fit is only compared with them if they were trained on more texts.
 */
function refusalOf(
  { before, inUse, after, fixed, broken }: Omit<SentimentTraining, "texts">,
  isInUseFromMore: boolean,
): string | undefined {
  if (isInUseFromMore && inUse !== undefined && inUse.macroF1 > after.macroF1) {
    return "the weights in use do better, and were trained on more texts: pass all your texts, or use --reset first";
  }
  if (after.macroF1 <= before.macroF1 || fixed <= broken) return "it is no better on texts that it has not seen";
  if (!isBeyondChance(fixed, broken)) return "it is better by so little that it may be chance";
  if (after.unhappyThanked > before.unhappyThanked) return "it would thank more unhappy customers";
  return undefined;
}

const isRight = ({ text, sentiment }: LeftOutAnswer): boolean => text.sentiment === sentiment;

/**
 * How many texts only the first answers get right. Both are about the same texts, in the same
 * order.
 */
const onlyRightIn = (some: readonly LeftOutAnswer[], others: readonly LeftOutAnswer[]): number =>
  some.filter((answer, at) => isRight(answer) && !isRight(others[at]!)).length;

const weights = (): SentimentWeights =>
  readData("../../src/analysis/embedded/sentiment-model/weights.json", import.meta.url) as SentimentWeights;

function trainSentiment(
  { sentiment: sets }: LabelledSets,
  thankAbove: number,
  current: TrainedWeights | undefined,
): { training: OwnTraining["sentiment"]; fitted?: FittedAdjustment } {
  const all = sets.flatMap(({ rows }) => rows).filter(({ text }) => read(text).readable);
  const number = (label: Sentiment): number => all.filter((row) => row.label === label).length;
  const texts = { positive: number("positive"), negative: number("negative"), neutral: number("neutral") };
  const refusal = tooFew(all.length, texts);
  if (refusal !== undefined) return { training: { texts, refusal } };
  const fitted = fitAdjustment(labelledTexts([{ name: "own", rows: all }]), weights());
  const inUse =
    current?.sentiment &&
    answersOf(
      new SentimentModel(weights(), current.sentiment),
      fitted.before.map(({ text }) => text),
    );
  const compared = {
    before: figures(fitted.before, thankAbove),
    ...(inUse && { inUse: figures(inUse, thankAbove) }),
    after: figures(fitted.after, thankAbove),
    fixed: onlyRightIn(fitted.after, fitted.before),
    broken: onlyRightIn(fitted.before, fitted.after),
  };
  const refused = refusalOf(compared, (current?.texts.sentiment ?? 0) > all.length);
  return {
    training: { texts, ...compared, ...withoutAbsent({ refusal: refused }) },
    ...(refused === undefined && { fitted }),
  };
}

function tooFew(all: number, texts: Record<Sentiment, number>): string | undefined {
  const scarce = SENTIMENTS.filter((sentiment) => texts[sentiment] < MIN_TEXTS_EACH);
  if (all >= MIN_TEXTS && scarce.length === 0) return undefined;
  return `it takes ${MIN_TEXTS} labelled texts in English, ${MIN_TEXTS_EACH} of each sentiment`;
}

/**
 * Learns from labelled texts what the shipped analysers lack. A fit is only accepted if it is
 * better on held-out texts, which are judged by what was fitted without them.
 * @param thankAbove see `CustomerFeedbackWorkflowConfiguration`
 * @param current the weights of an earlier training. They are compared, too, and stay in use if
 *   nothing better is found
 * @throws ValidationError (`too_few_labels`) if there are too few labels to fit anything
 */
export function trainOwn(sets: LabelledSets, thankAbove: number, current?: TrainedWeights): OwnTraining {
  const { training, fitted } = trainSentiment(sets, thankAbove, current);
  const rows = sets.categories.flatMap(({ rows }) => withScopes(rows));
  const { bounds, reports, skipped } = fitBounds(rows, current?.categories);
  if (!("before" in training) && reports.length === 0) throw tooFewLabels(training);
  const texts = [...sets.sentiment, ...sets.categories].flatMap<{ text: string }>(({ rows }) => rows);
  const adjustment = fitted?.adjustment ?? current?.sentiment;
  const hasNewBounds = reports.some(({ isTaken }) => isTaken);
  return {
    fits: {
      ...(adjustment && { sentiment: adjustment }),
      ...(Object.keys(bounds).length > 0 && { categories: bounds }),
    },
    texts: { sentiment: Object.values(training.texts).reduce((sum, one) => sum + one, 0), categories: rows.length },
    unreadable: texts.filter(({ text }) => !read(text).readable).length,
    sentiment: training,
    categories: { reports, skipped },
    isTaken: fitted !== undefined || hasNewBounds,
    kept: {
      sentiment: fitted === undefined && current?.sentiment !== undefined,
      categories: !hasNewBounds && current?.categories !== undefined,
    },
  };
}

const tooFewLabels = ({ texts }: { texts: Record<Sentiment, number> }): ValidationError =>
  new ValidationError(
    `There are too few labels to learn from. Sentiment takes ${MIN_TEXTS} labelled texts in English, ${MIN_TEXTS_EACH} of each sentiment ` +
      `(there are ${SENTIMENTS.map((sentiment) => `${texts[sentiment]} ${sentiment}`).join(", ")}); a category takes ${MIN_TEXTS_EACH} texts ` +
      `with it and ${MIN_TEXTS_EACH} without.`,
    { code: "too_few_labels" },
  );
