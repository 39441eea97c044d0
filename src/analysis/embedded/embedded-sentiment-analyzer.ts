import type { SentimentAnalyzer, SentimentResult } from "../sentiment-analyzer.ts";
import { quote } from "./evidence.ts";
import { read } from "./reading.ts";
import { decideSentiment } from "./sentiment-decision.ts";
import { sentimentFeatures } from "./sentiment-features.ts";

/**
 * Judges English text by a lexicon of opinion words and phrases, with negation, degree, emphasis and contrast. Offline,
 * deterministic, linear in the text's length. Text in another language is neutral with score 0 and names the language.
 *
 * The idea of a valence lexicon with rules for what surrounds a word: Hutto & Gilbert, VADER, ICWSM 2014.
 *
 * @example new EmbeddedSentimentAnalyzer().analyze("Not bad at all!").sentiment // "positive"
 */
export class EmbeddedSentimentAnalyzer implements SentimentAnalyzer {
  readonly name = "embedded-sentiment";
  readonly version = "1";

  analyze(text: string): SentimentResult {
    const { tokens, language, readable } = read(text);
    if (!readable) return { sentiment: "neutral", score: 0, evidence: [], language };
    const features = sentimentFeatures(tokens);
    const { sentiment, score } = decideSentiment(features);
    const evidence = quote(text, features.tokens, features.hits);
    const judged = features.words > 0 || evidence.length > 0;
    // Too short to tell by its letters, but it has English opinion words.
    const english = features.hits.some(({ from }) => features.tokens[from]?.kind === "word");
    return { sentiment, score: judged ? score : 0, evidence, language: english ? "en" : language };
  }
}
