import {
  decide,
  fitBias,
  fitSureness,
  predict,
  trainWeights,
  type Fitted,
  type Prediction,
  type Trained,
} from "./fit.ts";
import type { LabelledText } from "./examples.ts";

/**
 * A text and its judgement. `answerLeftOut` judges the text by weights, bias and sureness that
 * were all fitted without its source.
 */
export interface LeftOutAnswer {
  text: LabelledText;
  sentiment: LabelledText["sentiment"];
  score: number;
}

const sourcesOf = (texts: readonly LabelledText[]): number[] => [...new Set(texts.map(({ source }) => source))];

/** Each source predicted by weights that were trained without it. */
export const predictLeftOut = (texts: readonly LabelledText[]): Prediction[] =>
  predictWithout(texts, trainedWithout(texts));

type TrainedWithout = (...sources: number[]) => Trained;

function trainedWithout(texts: readonly LabelledText[]): TrainedWithout {
  const known = new Map<string, Trained>();
  return (...sources) => {
    const key = sources.toSorted((one, other) => one - other).join(" ");
    const trained = known.get(key) ?? trainWeights(texts.filter(({ source }) => !sources.includes(source)));
    known.set(key, trained);
    return trained;
  };
}

const predictWithout = (texts: readonly LabelledText[], trained: TrainedWithout, ...without: number[]): Prediction[] =>
  sourcesOf(texts).flatMap((own) =>
    predict(
      trained(own, ...without),
      texts.filter(({ source }) => source === own),
    ),
  );

/**
 * Answers about each source by a model that has not seen it: its bias and sureness are fitted to
 * texts of other sources, which are judged by weights trained without either source. So each pair
 * of sources is left out once.
 */
export function answerLeftOut(texts: readonly LabelledText[]): LeftOutAnswer[] {
  const trained = trainedWithout(texts);
  return sourcesOf(texts).flatMap((own) => {
    const others = predictWithout(
      texts.filter(({ source }) => source !== own),
      trained,
      own,
    );
    const fitted = fit(others);
    const predictions = predict(
      trained(own),
      texts.filter(({ source }) => source === own),
    );
    return predictions.map((prediction) => {
      const { sentiment, score } = decide(prediction, fitted);
      return { text: prediction.text, sentiment, score };
    });
  });
}

/** Fits bias and sureness on texts that the weights have not seen. */
export const fit = (predictions: readonly Prediction[]): Fitted => fitSureness(predictions, fitBias(predictions));
