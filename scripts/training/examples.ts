import { ENOUGH_OPINIONS, readBalance } from "../../src/analysis/embedded/sentiment-decision.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import { sentimentFeatures } from "../../src/analysis/embedded/sentiment-features.ts";
import { opinionInputs, wordBuckets } from "../../src/analysis/embedded/sentiment-model/inputs.ts";
import { wordFactor } from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import type { LabelledSet, SentimentRow } from "../../src/analysis/evaluation/labelled-sets.ts";
import { SENTIMENTS, type Sentiment } from "../../src/analysis/sentiment-analyzer.ts";
import type { Example } from "./logistic-regression.ts";

/** A labelled text with everything that training and deciding need, worked out once. */
export interface LabelledText extends Example {
  sentiment: Sentiment;
  /** What the balance says where it decides; undefined where the model does. */
  counted: ReturnType<typeof readBalance> | undefined;
}

export const labelledTexts = (sets: readonly LabelledSet<SentimentRow>[]): LabelledText[] =>
  sets.flatMap(({ rows }, source) =>
    rows.map(({ text, label: sentiment }) => {
      const features = sentimentFeatures(read(text).tokens);
      const buckets = wordBuckets(features.tokens);
      return {
        source,
        sentiment,
        label: SENTIMENTS.indexOf(sentiment),
        opinions: opinionInputs(features),
        buckets,
        wordFactor: wordFactor(buckets.length),
        counted: features.hits.length >= ENOUGH_OPINIONS ? readBalance(features) : undefined,
      };
    }),
  );
