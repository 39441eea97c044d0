export const SENTIMENTS = ["positive", "negative", "neutral"] as const;

/** One of `SENTIMENTS`. */
export type Sentiment = (typeof SENTIMENTS)[number];

/** What each sentiment means, in the words that a model gets. */
export const SENTIMENT_MEANINGS: Record<Sentiment, string> = {
  positive: "mostly praise",
  negative: 'mostly complaints, or facts that only an unhappy customer reports ("still waiting", "charged twice")',
  neutral: "questions, plain facts, wishes without a complaint, or as much praise as complaints",
};

/** Says that the configured analyser failed and another one answered, and why. */
export interface AnalysisFallback {
  /** Name of the analyser that failed. */
  from: string;
  /** The analyser that answered instead. */
  analyzer: { name: string; version: string };
  /** For people, in a few words. It doesn't quote the service, whose words may contain anything. */
  reason: string;
  /**
   * Whether the analyser fails for every text until someone acts, for example because its key is
   * refused or its model is unknown.
   */
  permanent: boolean;
}

/** The sentiment of a text, and the basis for this judgement. */
export interface SentimentResult {
  sentiment: Sentiment;
  /**
   * How sure the analyser is, from 0 (a guess) to 1. 0 with `neutral` if the text could not be
   * read.
   */
  score: number;
  /** The words and phrases of the text that led to the sentiment. */
  evidence: string[];
  /**
   * Words of the text that make praise less certain: "would have been", "go elsewhere". Absent if
   * there are none.
   */
  doubts?: string[];
  /** ISO 639-1 code of the text's language, `und` if it can't be determined. */
  language: string;
  fallback?: AnalysisFallback;
}

/**
 * Whether a text was not judged, because of its language or because it contains nothing readable.
 */
export const isUnreadable = ({ score, language }: Pick<SentimentResult, "score" | "language">): boolean =>
  score === 0 && language !== "en";

/** Port: detects the sentiment of one text. */
export interface SentimentAnalyzer {
  /** Name and version are stored as provenance with each result. */
  readonly name: string;
  readonly version: string;
  /** @throws IoError if a service that it uses can't be reached and there is no fallback */
  analyze(text: string, options?: { signal?: AbortSignal }): SentimentResult | Promise<SentimentResult>;
}
