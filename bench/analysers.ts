// Speed of the embedded sentiment analyser, compared with two libraries that rely on word lists.
import { EmbeddedSentimentAnalyzer } from "../src/analysis.ts";
import vader from "vader-sentiment";
import wink from "wink-sentiment";
import { feedbackText } from "./support/feedback.ts";
import type { Bench } from "./support/bench.ts";
import { processorMs, quantile, table } from "./support/measure.ts";

export const about = "sentiment of texts: ours compared with vader-sentiment and wink-sentiment";

export async function run(bench: Bench): Promise<void> {
  const texts = Array.from({ length: bench.options.items ?? 4000 }, (_, n) => `${feedbackText(n)} (${n})`);
  const ours = new EmbeddedSentimentAnalyzer();
  const analysers: Record<string, (text: string) => unknown> = {
    "abi-workflows": (text) => ours.analyze(text),
    "vader-sentiment": (text) => vader.SentimentIntensityAnalyzer.polarity_scores(text),
    "wink-sentiment": (text) => wink(text),
  };
  const rates = new Map<string, number[]>(Object.keys(analysers).map((name) => [name, []]));
  for (let round = -1; round < bench.options.rounds; round++) {
    for (const [name, analyse] of Object.entries(analysers)) {
      const before = processorMs();
      texts.forEach((text) => void analyse(text));
      if (round >= 0) rates.get(name)!.push((texts.length / (processorMs() - before)) * 1000);
    }
  }
  const rows = [...rates].map(([name, all]) => [name, String(Math.round(quantile(all)))]);
  console.log(`\n${table(["analyser", "texts a second of processor time"], rows)}`);
}
