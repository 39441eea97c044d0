import { BUCKET_BITS } from "../../src/analysis/embedded/sentiment-model/inputs.ts";
import {
  OUTCOMES,
  SentimentModel,
  probabilities,
  type SentimentWeights,
} from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import { mean } from "../scores.ts";
import { scoreSentiment, type SentimentScores } from "../score-sentiment.ts";
import { SENTIMENTS, type Sentiment } from "../../src/analysis/sentiment-analyzer.ts";
import type { LabelledText } from "./examples.ts";
import { train } from "./logistic-regression.ts";

// Chosen for what holds on sources that the training did not see: see `docs/text-analysis.md`.
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
export type Fitted = Pick<SentimentWeights, "bias" | "certainty" | "sureness">;

/** A text with the logits of a model that has not seen it. */
export interface Prediction {
  text: LabelledText;
  logits: readonly number[];
}

const NEUTRAL = SENTIMENTS.indexOf("neutral");
const HIGHEST_BYTE = 127;
const round = (value: number): number => Number(value.toFixed(4));

/** Trains on what the model will decide, makes the weights relative to `neutral`, and rounds them to what is kept. */
export function trainWeights(texts: readonly LabelledText[]): Trained {
  const { opinions, words } = train(
    texts.filter(({ counted }) => counted === undefined),
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
    (buckets.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / HIGHEST_BYTE).toPrecision(6),
  );
  const bytes = Int8Array.from(buckets, (weight) => Math.round(weight / wordScale));
  return { opinions: inputs, wordScale, words: Buffer.from(bytes.buffer).toString("base64") };
}

const UNFITTED: Fitted = {
  bias: OUTCOMES.map(() => 0),
  certainty: 1,
  sureness: { positive: [0, 0], negative: [0, 0], neutral: [0, 0] },
};

/** Logits for texts, by weights that were trained without them. */
export function predict(trained: Trained, texts: readonly LabelledText[]): Prediction[] {
  const model = new SentimentModel({ ...trained, ...UNFITTED });
  return texts.map((text) => ({ text, logits: model.logits(text.opinions, text.buckets) }));
}

export function decide(
  { text, logits }: Prediction,
  { bias, certainty, sureness }: Fitted,
): { sentiment: Sentiment; score: number } {
  if (text.counted !== undefined) {
    const { sentiment, distance } = text.counted;
    const model = new SentimentModel({ opinions: [], words: "", wordScale: 1, bias, certainty, sureness });
    return { sentiment, score: model.sureness(sentiment, distance) };
  }
  const shares = probabilities(logits, { bias, certainty });
  const sentiment = SENTIMENTS.reduce((best, one) => (shares[one] > shares[best] ? one : best));
  return { sentiment, score: shares[sentiment] };
}

/** The scores of each source, in the order of the sources. */
export function scoresBySource(
  predictions: readonly Prediction[],
  fitted: (source: number) => Fitted,
): SentimentScores[] {
  const sources = Map.groupBy(predictions, ({ text }) => text.source);
  return [...sources]
    .sort(([one], [other]) => one - other)
    .map(([source, predictions]) =>
      scoreSentiment(
        predictions.map(({ text }) => ({ text: "", label: text.sentiment })),
        predictions.map((prediction) => decide(prediction, fitted(source))),
      ),
    );
}

// Narrow: how common a class is differs from source to source, and the next one is none of these.
const BIASES = Array.from({ length: 7 }, (_, at) => (at - 3) / 10);

/** The bias with the best mean macro-F1 of all sources; of its neighbours too, lest it is best by chance. */
export function fitBias(predictions: readonly Prediction[]): number[] {
  const quality = BIASES.map((negative) =>
    BIASES.map((positive) => {
      const fitted = { ...UNFITTED, bias: [negative, positive] };
      return mean(scoresBySource(predictions, () => fitted).map(({ macroF1 }) => macroF1));
    }),
  );
  let best = { quality: 0, bias: [0, 0] };
  BIASES.forEach((negative, row) =>
    BIASES.forEach((positive, column) => {
      const around = [-1, 0, 1].flatMap((up) => [-1, 0, 1].map((left) => quality[row + up]?.[column + left]));
      const value = mean(around.filter((one) => one !== undefined));
      if (value > best.quality) best = { quality: value, bias: [negative, positive] };
    }),
  );
  return best.bias;
}

const CERTAINTIES = Array.from({ length: 30 }, (_, at) => (at + 4) / 20);

/** Makes the probabilities true: the certainty and the sureness under which the labels are likeliest. */
export function fitCertainty(predictions: readonly Prediction[], bias: readonly number[]): Fitted {
  const byModel = predictions.filter(({ text }) => text.counted === undefined);
  const loss = (certainty: number): number =>
    mean(
      byModel.map(
        ({ text, logits }) => -Math.log(probabilities(logits, { bias: [...bias], certainty })[text.sentiment]),
      ),
    );
  const certainty = CERTAINTIES.reduce((best, one) => (loss(one) < loss(best) ? one : best));
  const sureness = Object.fromEntries(
    SENTIMENTS.map((sentiment) => [sentiment, fitSureness(predictions, sentiment)]),
  ) as Fitted["sureness"];
  return { bias: [...bias], certainty, sureness };
}

const INTERCEPTS = Array.from({ length: 31 }, (_, at) => (at - 15) / 5);
const SLOPES = Array.from({ length: 16 }, (_, at) => at / 10);

/** Intercept and slope of the probability that a counted sentiment is right, by its distance. */
function fitSureness(predictions: readonly Prediction[], sentiment: Sentiment): number[] {
  const answers = predictions.flatMap(({ text }) =>
    text.counted?.sentiment === sentiment
      ? [{ distance: Math.min(6, text.counted.distance), right: text.sentiment === sentiment }]
      : [],
  );
  const loss = (intercept: number, slope: number): number =>
    mean(answers.map(({ distance, right }) => Math.log1p(Math.exp((right ? -1 : 1) * (intercept + slope * distance)))));
  let best = { loss: Number.POSITIVE_INFINITY, line: [0, 0] };
  for (const intercept of INTERCEPTS) {
    for (const slope of SLOPES) {
      const value = loss(intercept, slope);
      if (value < best.loss) best = { loss: value, line: [intercept, slope] };
    }
  }
  return best.line;
}
