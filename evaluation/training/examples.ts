import type { Reading } from "../../src/analysis/embedded/reading.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import { publishedOpinion } from "../../src/analysis/embedded/lexicon/lexicon.ts";
import { praiseDoubts, type DoubtHit } from "../../src/analysis/embedded/praise-doubts.ts";
import { MIN_OPINIONS } from "../../src/analysis/embedded/sentiment-decision.ts";
import {
  sentimentFeatures,
  sumOpinions,
  type OpinionHit,
  type SentimentFeatures,
} from "../../src/analysis/embedded/sentiment-features.ts";
import { opinionInputs, wordBuckets } from "../../src/analysis/embedded/sentiment-model/inputs.ts";
import { wordFactor } from "../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import type { LabelledSet, SentimentRow } from "../labelled-sets.ts";
import { SENTIMENTS, type Sentiment } from "../../src/analysis/sentiment-analyzer.ts";
import type { Example } from "./logistic-regression.ts";

/** A labelled text with everything that training and deciding need, computed once. */
export interface LabelledText extends Example {
  text: string;
  sentiment: Sentiment;
  features: SentimentFeatures;
  doubts: readonly DoubtHit[];
  /** Whether it has so many opinions that their balance decides, and not the model. */
  isCounted: boolean;
}

type Sets = readonly LabelledSet<SentimentRow>[];

/** An opinion's wording in the text. */
const wordingOf = ({ tokens }: Pick<Reading, "tokens">, { from, to }: OpinionHit): string =>
  tokens
    .slice(from, to)
    .map(({ norm }) => norm)
    .join(" ");

/** For each opinion's wording, the number of sets in which it occurs. */
function spread(sets: Sets): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { rows } of sets) {
    const features = rows.map(({ text }) => sentimentFeatures(read(text).tokens));
    const wordings = new Set(features.flatMap((one) => one.hits.map((hit) => wordingOf(one, hit))));
    for (const wording of wordings) counts.set(wording, (counts.get(wording) ?? 0) + 1);
  }
  return counts;
}

/**
 * How an opinion would be read if our own lexicon lacked it: by the published lists, or not at all.
 */
function withoutOwn(tokens: Reading["tokens"], hit: OpinionHit): OpinionHit[] {
  const opinion = hit.opinion.phrase ? undefined : publishedOpinion(tokens[hit.to - 1]?.norm ?? "");
  if (opinion === undefined) return [];
  return [{ ...hit, opinion, valence: (hit.valence / hit.opinion.valence) * opinion.valence }];
}

/** @param knows whether our own lexicon may be used for an opinion with this wording */
export const labelledTexts = (sets: Sets, knows: (wording: string) => boolean = () => true): LabelledText[] =>
  sets.flatMap(({ rows }, source) =>
    rows.map(({ text, label: sentiment }) => {
      const all = sentimentFeatures(read(text).tokens);
      const hits = all.hits.flatMap((hit) => (knows(wordingOf(all, hit)) ? hit : withoutOwn(all.tokens, hit)));
      const features = { ...all, hits, ...sumOpinions(hits) };
      const buckets = wordBuckets(features.tokens);
      return {
        text,
        source,
        sentiment,
        label: SENTIMENTS.indexOf(sentiment),
        opinions: opinionInputs(features),
        buckets,
        wordFactor: wordFactor(buckets.length),
        features,
        doubts: praiseDoubts(features.tokens),
        isCounted: features.hits.length >= MIN_OPINIONS,
      };
    }),
  );

/**
 * The same texts, read without those opinions of our own lexicon that occur in only one set,
 * because they may be in the lexicon because of that set. The accuracy on these texts is a lower
 * bound for new texts.
 */
export function textsOfSharedOpinions(sets: Sets): LabelledText[] {
  const counts = spread(sets);
  return labelledTexts(sets, (wording) => (counts.get(wording) ?? 0) > 1);
}
