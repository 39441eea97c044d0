import type { SentimentAnalyzer, SentimentResult } from "../sentiment-analyzer.ts";
import { quote } from "./evidence.ts";
import { readData } from "../read-data.ts";
import { read } from "./reading.ts";
import { decideSentiment } from "./sentiment-decision.ts";
import { sentimentFeatures, type SentimentFeatures } from "./sentiment-features.ts";
import { SentimentModel, type SentimentWeights } from "./sentiment-model/sentiment-model.ts";
import { versionWith, type SentimentAdjustment, type TrainedWeights } from "./trained-weights.ts";

const MAX_REASONS = 3;

const openModel = (adjustment?: SentimentAdjustment): SentimentModel =>
  new SentimentModel(readData("./sentiment-model/weights.json", import.meta.url) as SentimentWeights, adjustment);

let shipped: SentimentModel | undefined;

/**
 * The spans of the text that led to a judgement: its opinions, plus what the model relied on if
 * the judgement isn't neutral and none of the opinions agrees with it.
 */
function reasons(features: SentimentFeatures, model: SentimentModel, sentiment: SentimentResult["sentiment"]) {
  const { hits } = features;
  if (sentiment === "neutral") return hits;
  const sign = sentiment === "positive" ? 1 : -1;
  if (hits.some(({ valence }) => Math.sign(valence) === sign)) return hits;
  return [...hits, ...model.reasons(features, sentiment, MAX_REASONS)].sort((one, other) => one.from - other.from);
}

/**
 * Judges English text with a lexicon of opinion words and phrases, considering negation, degree,
 * emphasis and contrast. If it finds fewer than three opinions, a small trained model decides.
 * Offline and deterministic; reads the first 20,000 characters. `score` is a calibrated estimate of
 * the probability that the answer is right. Text in another language is neutral with score 0, and
 * its language is named.
 *
 * The idea of a valence lexicon with rules for the context of a word is from VADER (Hutto &
 * Gilbert, ICWSM 2014).
 *
 * @throws TypeError if it doesn't get a string
 * @example new EmbeddedSentimentAnalyzer().analyze("Not bad at all!").sentiment // "positive"
 */
export class EmbeddedSentimentAnalyzer implements SentimentAnalyzer {
  readonly name = "embedded-sentiment";
  /** Includes the version of trained weights, if they are used: `9+3f2a91c0d4e5`. */
  readonly version: string;
  readonly #adjustment: SentimentAdjustment | undefined;
  #model: SentimentModel | undefined;

  /**
   * @param options `trained`: what `abi-workflows train` has fitted, see `readTrainedWeights`;
   *   default: the shipped weights
   */
  constructor({ trained }: { trained?: TrainedWeights | undefined } = {}) {
    this.#adjustment = trained?.sentiment;
    this.version = versionWith("sentiment", trained);
  }

  analyze(text: string): SentimentResult {
    const { tokens, language, readable } = read(text);
    if (!readable) return { sentiment: "neutral", score: 0, evidence: [], language };
    const features = sentimentFeatures(tokens);
    if (features.words === 0 && features.hits.length === 0)
      return { sentiment: "neutral", score: 0, evidence: [], language };
    const model = (this.#model ??= this.#adjustment ? openModel(this.#adjustment) : (shipped ??= openModel()));
    const { sentiment, score, doubts } = decideSentiment(features, model);
    const evidence = quote(text, tokens, reasons(features, model, sentiment));
    // A short text may have no clear language, but opinion words are English.
    const english = features.hits.some(({ from }) => tokens[from]?.kind === "word");
    return {
      sentiment,
      score,
      evidence,
      ...(doubts.length > 0 && { doubts: quote(text, tokens, doubts) }),
      language: english ? "en" : language,
    };
  }
}
