import type { Analyzers } from "../src/analysis/chat-model/chat-model-analyzers.ts";
import type { CategoriesResult } from "../src/analysis/feedback-categorizer.ts";
import type { SentimentResult } from "../src/analysis/sentiment-analyzer.ts";
import { withPackages } from "../src/runtime/optional-packages.ts";
import { bySign, guideCategories, guideSentiment } from "./guide-analyzers.ts";
import type { CategoriesAnswer } from "./score-categories.ts";
import type { SentimentAnswer } from "./score-sentiment.ts";

/** An analyser in a comparison. It answers one question or both. */
export interface Contestant {
  /** As on the command line. */
  name: string;
  version?: string;
  sentiment?: (text: string) => Answer<SentimentAnswer>;
  categories?: (text: string) => Answer<CategoriesAnswer>;
  /**
   * How many texts are judged at the same time. More than one only helps if another service does
   * the work.
   */
  parallel: number;
}

/** `fallback` says why another analyser had to answer; absent if this one did. */
type Answer<Result> =
  | (Result & { fallback?: { reason: string; permanent: boolean } })
  | Promise<Result & { fallback?: { reason: string; permanent: boolean } }>;

/** Libraries for comparison. They are not dependencies of this package: users install them. */
export const LIBRARIES = ["vader", "afinn", "wink"] as const;

/** VADER's authors classify scores between -0.05 and 0.05 as neutral. */
const VADER_NEUTRAL = 0.05;

export const guideContestant: Contestant = {
  name: "guide",
  sentiment: guideSentiment,
  categories: guideCategories,
  parallel: 1,
};

export const contestantOf = (name: string, { sentimentAnalyzer, feedbackCategorizer }: Analyzers): Contestant => ({
  name,
  version: sentimentAnalyzer.version,
  sentiment: (text) => sentimentAnalyzer.analyze(text),
  categories: (text) => feedbackCategorizer.categorize(text),
  parallel: 1,
});

/**
 * A contestant whose analysers answer both questions about a text in one paid call. So it asks both
 * at once, and never asks about the same text twice.
 */
export function costlyContestant(name: string, analyzers: Analyzers, parallel: number): Contestant {
  const { sentimentAnalyzer, feedbackCategorizer } = analyzers;
  const asked = new Map<string, Promise<[SentimentResult, CategoriesResult]>>();
  const ask = (text: string): Promise<[SentimentResult, CategoriesResult]> => {
    const answers =
      asked.get(text) ?? Promise.all([sentimentAnalyzer.analyze(text), feedbackCategorizer.categorize(text)]);
    asked.set(text, answers);
    return answers;
  };
  return {
    name,
    version: sentimentAnalyzer.version,
    sentiment: async (text) => (await ask(text))[0],
    categories: async (text) => (await ask(text))[1],
    parallel,
  };
}

/** @throws ValidationError (`package_missing`) that says what to install */
export async function libraryContestant(name: (typeof LIBRARIES)[number]): Promise<Contestant> {
  return { name, sentiment: await judgeOf(name), parallel: 1 };
}

async function judgeOf(name: (typeof LIBRARIES)[number]): Promise<(text: string) => SentimentAnswer> {
  switch (name) {
    case "vader": {
      const { SentimentIntensityAnalyzer } = await withPackages(["vader-sentiment"], () => import("vader-sentiment"));
      return (text) => ({
        sentiment: bySign(SentimentIntensityAnalyzer.polarity_scores(text).compound, VADER_NEUTRAL),
      });
    }
    case "afinn": {
      const { default: Afinn } = await withPackages(["sentiment"], () => import("sentiment"));
      const afinn = new Afinn();
      return (text) => ({ sentiment: bySign(afinn.analyze(text).score) });
    }
    case "wink": {
      const { default: wink } = await withPackages(["wink-sentiment"], () => import("wink-sentiment"));
      return (text) => ({ sentiment: bySign(wink(text).normalizedScore) });
    }
  }
}
