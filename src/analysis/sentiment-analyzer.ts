export const SENTIMENTS = ["positive", "negative", "neutral"] as const;

/** One of `SENTIMENTS`. */
export type Sentiment = (typeof SENTIMENTS)[number];

/** What each sentiment means, in the words that a model gets. */
export const SENTIMENT_MEANINGS: Record<Sentiment, string> = {
  positive: "praise prevails",
  negative: 'blame prevails, or facts that only an unhappy customer reports ("still waiting", "charged twice")',
  neutral: "questions, plain facts, wishes without blame, praise and blame in balance",
};

/** Says why an answer is not the one that was asked for. */
export interface AnalysisFallback {
  /** Name of the analyser that was asked and failed. */
  from: string;
  /** The analyser that answered instead. */
  analyzer: { name: string; version: string };
  /** For people, in a few words; nothing of what a service said. */
  reason: string;
  /** Whether it would fail for every other text as well, until somebody mends it: a refused key, an unknown model. */
  permanent: boolean;
}

/** How a text sounds, and how it was told. */
export interface SentimentResult {
  sentiment: Sentiment;
  /** How sure, 0 (a guess) to 1. 0 with `neutral` where the text could not be read. */
  score: number;
  /** The words and phrases of the text that led to it, in their order. */
  evidence: string[];
  /** Words of the text that make praise less sure: "would have been", "go elsewhere". Absent where there are none. */
  doubts?: string[];
  /** ISO 639-1 code of the text's language, `und` where it can't be told. */
  language: string;
  fallback?: AnalysisFallback;
}

/** Whether a text was left unjudged: for its language, or because there is nothing in it that could be read. */
export const isUnreadable = ({ score, language }: Pick<SentimentResult, "score" | "language">): boolean =>
  score === 0 && language !== "en";

/** Port: detects the sentiment of one text. */
export interface SentimentAnalyzer {
  /** Both are written into the provenance of what was stored. */
  readonly name: string;
  readonly version: string;
  /** @throws IoError where a service behind it can't be reached and there is nothing to fall back on */
  analyze(text: string, options?: { signal?: AbortSignal }): SentimentResult | Promise<SentimentResult>;
}
