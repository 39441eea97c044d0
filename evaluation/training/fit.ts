import { BUCKET_BITS } from "../../src/analysis/embedded/sentiment-model/inputs.ts";
import { judge } from "../../src/analysis/embedded/sentiment-decision.ts";
import {
  OUTCOMES,
  SentimentModel,
  type SentimentWeights,
} from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import {
  NEUTRAL_WEIGHTS,
  sureness,
  surenessInputs,
  type Judgement,
} from "../../src/analysis/embedded/sentiment-model/sureness.ts";
import { fitBinary } from "./binary-regression.ts";
import { mean } from "../scores.ts";
import { scoreSentiment, type SentimentAnswer, type SentimentScores } from "../score-sentiment.ts";
import { SENTIMENTS, type Sentiment } from "../../src/analysis/sentiment-analyzer.ts";
import type { LabelledText } from "./examples.ts";
import { train } from "./logistic-regression.ts";

// Chosen because they work on sources that the training did not see: see `docs/text-analysis.md`.
const OPTIONS = {
  classes: SENTIMENTS.length,
  buckets: 2 ** BUCKET_BITS,
  fewestExamples: 3,
  epochs: 12,
  rate: 0.1,
  opinionDecay: 1e-5,
  wordDecay: 0.1,
};

/** The part of the weights that training itself finds. */
export type Trained = Pick<SentimentWeights, "opinions" | "words" | "wordScale">;
/** The part that is fitted afterwards, on predictions for texts that the training did not see. */
export type Fitted = Pick<SentimentWeights, "bias" | "sureness">;

/** A text with the logits of a model that has not seen it. */
export interface Prediction {
  text: LabelledText;
  logits: readonly number[];
}

const NEUTRAL = SENTIMENTS.indexOf("neutral");
const MAX_BYTE = 127;
const round = (value: number): number => Number(value.toFixed(4));

/**
 * Trains on the texts that the model will decide, makes the weights relative to `neutral`, and
 * rounds them to the stored precision.
 */
export function trainWeights(texts: readonly LabelledText[]): Trained {
  const { opinions, words } = train(
    texts.filter(({ isCounted }) => !isCounted),
    OPTIONS,
  );
  const relative = (values: Float64Array, input: number): number[] =>
    OUTCOMES.map((outcome) => {
      const at = input * OPTIONS.classes;
      return values[at + SENTIMENTS.indexOf(outcome)]! - values[at + NEUTRAL]!;
    });
  const inputs = Array.from({ length: opinions.length / OPTIONS.classes }, (_, input) =>
    relative(opinions, input).map(round),
  );
  const buckets = Array.from({ length: OPTIONS.buckets }, (_, bucket) => relative(words, bucket)).flat();
  const wordScale = Number(
    (buckets.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / MAX_BYTE).toPrecision(6),
  );
  const bytes = Int8Array.from(buckets, (weight) => Math.round(weight / wordScale));
  return { opinions: inputs, wordScale, words: Buffer.from(bytes.buffer).toString("base64") };
}

const UNFITTED: Fitted = {
  bias: OUTCOMES.map(() => 0),
  sureness: { positive: [], negative: [], neutral: [...NEUTRAL_WEIGHTS] },
};

/** Logits for texts, by weights that were trained without them. */
export function predict(trained: Trained, texts: readonly LabelledText[]): Prediction[] {
  const model = new SentimentModel({ ...trained, ...UNFITTED });
  return texts.map((text) => ({ text, logits: model.logits(text.opinions, text.buckets) }));
}

const judgementOf = ({ text, logits }: Prediction, bias: readonly number[]): Judgement =>
  judge(
    text.features,
    logits.map((logit, outcome) => logit + bias[outcome]!),
  );

const inputsOf = (judgement: Judgement, { features, doubts }: LabelledText): number[] =>
  surenessInputs(judgement, features, doubts);

export function decide(
  prediction: Prediction,
  { bias, sureness: weights }: Fitted,
): SentimentAnswer & { score: number } {
  const judgement = judgementOf(prediction, bias);
  const { sentiment } = judgement;
  return { sentiment, score: sureness(sentiment, inputsOf(judgement, prediction.text), weights[sentiment]) };
}

/** The scores of each source, in the order of the sources. */
export function scoresBySource(
  predictions: readonly Prediction[],
  answer: (prediction: Prediction) => SentimentAnswer,
): SentimentScores[] {
  const sources = Map.groupBy(predictions, ({ text }) => text.source);
  return [...sources]
    .sort(([one], [other]) => one - other)
    .map(([, predictions]) =>
      scoreSentiment(
        predictions.map(({ text }) => ({ text: "", label: text.sentiment })),
        predictions.map(answer),
      ),
    );
}

// A narrow range, because a bias expresses how common a sentiment is in these sources, and the next
// source differs.
const BIASES = Array.from({ length: 7 }, (_, at) => (at - 3) / 10);

/** The bias of earlier trainings. It is only replaced if the gain is noticeable. */
const USUAL_BIAS = [0.3, 0] as const;
const NOTICEABLE_GAIN = 0.001;

/**
 * The bias with the best mean macro-F1 over all sources. The value of each bias is averaged with
 * those of its neighbours, so that none is best by chance. If several biases come close to the
 * best, the one nearest to the usual bias is returned.
 */
export function fitBias(predictions: readonly Prediction[]): number[] {
  const quality = BIASES.map((negative) =>
    BIASES.map((positive) => {
      const bias = [negative, positive];
      const answer = (prediction: Prediction): SentimentAnswer => ({
        sentiment: judgementOf(prediction, bias).sentiment,
      });
      return mean(scoresBySource(predictions, answer).map(({ macroF1 }) => macroF1));
    }),
  );
  const candidates = BIASES.flatMap((negative, row) =>
    BIASES.map((positive, column) => {
      const around = [-1, 0, 1].flatMap((up) => [-1, 0, 1].map((left) => quality[row + up]?.[column + left]));
      const distance = Math.abs(negative - USUAL_BIAS[0]) + Math.abs(positive - USUAL_BIAS[1]);
      return { bias: [negative, positive], distance, quality: mean(around.filter((one) => one !== undefined)) };
    }),
  );
  const best = Math.max(...candidates.map(({ quality }) => quality));
  const close = candidates.filter(({ quality }) => quality >= best - NOTICEABLE_GAIN);
  return close.reduce((nearest, one) => (one.distance < nearest.distance ? one : nearest)).bias;
}

const SURENESS_DECAY = 5;

/**
 * Calibrates the scores: for `positive` and `negative`, finds the weights of the `surenessInputs`
 * that are most likely given which answers were right. Those of `neutral` are fixed. Learns only
 * from sources with all sentiments. In other sources, an answer may count as wrong only because the
 * source doesn't use that label.
 */
export function fitSureness(predictions: readonly Prediction[], bias: readonly number[]): Fitted {
  const sources = Map.groupBy(predictions, ({ text }) => text.source);
  const whole = [...sources.values()].filter(
    (own) => new Set(own.map(({ text }) => text.sentiment)).size === SENTIMENTS.length,
  );
  const average = mean(whole.map(({ length }) => Math.sqrt(length)));
  const fit = (sentiment: Sentiment): number[] => {
    const examples = whole.flatMap((own) =>
      own.flatMap((prediction) => {
        const judgement = judgementOf(prediction, bias);
        if (judgement.sentiment !== sentiment) return [];
        const isTrue = prediction.text.sentiment === sentiment;
        return [{ inputs: inputsOf(judgement, prediction.text), isTrue, weight: average / Math.sqrt(own.length) }];
      }),
    );
    return fitBinary(examples, SURENESS_DECAY).map(round);
  };
  const sureness = { positive: fit("positive"), negative: fit("negative"), neutral: [...NEUTRAL_WEIGHTS] };
  return { bias: [...bias], sureness };
}
