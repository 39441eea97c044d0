import { contestantOf, guideContestant, libraryContestant, LIBRARIES } from "../contestants.ts";
import { EmbeddedFeedbackCategorizer } from "../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { evaluate, type AnalyzerReport } from "../evaluate.ts";
import type { LabelledSets } from "../labelled-sets.ts";

const embedded = contestantOf("embedded", {
  sentimentAnalyzer: new EmbeddedSentimentAnalyzer(),
  feedbackCategorizer: new EmbeddedFeedbackCategorizer(),
});

/**
 * Lines with figures to compare with the cross-validated ones: other analysers' sentiment, and the
 * categories of the baseline and of the embedded analyser. Scored as in `eval`.
 */
export async function compare({ sentiment, categories }: LabelledSets): Promise<string[]> {
  const rivals = [guideContestant, ...(await Promise.all(LIBRARIES.map(libraryContestant)))];
  const sentimentReports = await evaluate({ sentiment, categories: [] }, rivals);
  const categoryReports = await evaluate({ sentiment: [], categories }, [guideContestant, embedded]);
  return [
    "\nothers, on the same texts",
    ...sentimentReports.flatMap(sentimentLine),
    ...(categories.length > 0 ? ["\ncategories, by phrases that were chosen with knowledge of these texts"] : []),
    ...categoryReports.flatMap(categoryLines),
  ];
}

const sentimentLine = ({ name, sentiment }: AnalyzerReport): string[] =>
  sentiment?.pooled
    ? [
        `  ${name.padEnd(20)} mean macro-F1 ${sentiment.mean?.toFixed(4)}, recall of all negatives ${(sentiment.pooled.perClass.negative?.recall ?? 0).toFixed(3)}`,
      ]
    : [];

const categoryLines = ({ name, categories }: AnalyzerReport): string[] =>
  categories
    ? [
        `  ${name.padEnd(20)} mean macro-F1 ${categories.mean?.toFixed(4)}`,
        ...categories.sets.map(({ name, scores }) => `    ${name.padEnd(18)} macro-F1 ${scores?.macroF1.toFixed(3)}`),
      ]
    : [];
