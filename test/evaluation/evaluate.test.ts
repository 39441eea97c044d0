import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { costlyContestant, libraryContestant, type Contestant } from "../../evaluation/contestants.ts";
import { evaluate, isSilent } from "../../evaluation/evaluate.ts";
import { evaluationPage } from "../../evaluation/evaluation-page.ts";
import { bySign } from "../../evaluation/guide-analyzers.ts";
import type { LabelledSets } from "../../evaluation/labelled-sets.ts";
import { EmbeddedFeedbackCategorizer } from "../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../src/analysis/embedded/embedded-sentiment-analyzer.ts";

const texts = (count: number): string[] => Array.from({ length: count }, (_, at) => `text ${at}`);

const positives = (...all: string[]): LabelledSets => ({
  sentiment: [{ name: "shop", rows: all.map((text) => ({ text, label: "positive" })) }],
  categories: [],
});

const judging = (sentiment: NonNullable<Contestant["sentiment"]>, parallel = 1): Contestant => ({
  name: "somebody",
  sentiment,
  parallel,
});

const failed = (reason: string, permanent = false) => ({
  sentiment: "positive" as const,
  fallback: { reason, permanent },
});

describe("evaluate", () => {
  it("shows twenty mistakes, the most confident first", async () => {
    const judge = judging((text) => ({ sentiment: "negative", score: Number(text.slice(5)) / 100 }));
    const [report] = await evaluate(positives(...texts(25)), [judge]);
    const confidences = report?.sentiment?.worstMistakes.map(({ confidence }) => confidence);
    expect(confidences).toEqual(Array.from({ length: 20 }, (_, at) => (24 - at) / 100));
  });

  it("reports how many texts a second were answered", async () => {
    const judge = judging(async () => {
      await wait(10);
      return { sentiment: "positive" };
    });
    const [report] = await evaluate(positives(...texts(20)), [judge]);
    expect(report?.sentiment?.textsPerSecond).toBeGreaterThan(1);
    expect(report?.sentiment?.textsPerSecond).toBeLessThanOrEqual(100);
  });

  it("scores only answered texts, and counts the reasons for the others, the most frequent first", async () => {
    const judge = judging((text) => {
      if (text === "text 0") return failed("rare");
      return text < "text 3" ? failed("often") : { sentiment: "negative", score: 1 };
    });
    const [report] = await evaluate(positives(...texts(4)), [judge]);
    expect(report?.sentiment).toMatchObject({
      mean: 0,
      pooled: { texts: 1, calibrationError: 1 },
      sets: [{ texts: 4, scores: { texts: 1 } }],
      fallbacks: [
        { reason: "often", texts: 2 },
        { reason: "rare", texts: 1 },
      ],
    });
    expect(report?.sentiment?.worstMistakes).toHaveLength(1);
    expect(isSilent(report!)).toBe(false);
  });

  it("reports no figures for an analyser that answered nothing, and no mean if a whole set is missing", async () => {
    const one = positives("text 0").sentiment[0]!;
    const sets = {
      sentiment: [one, { name: "other", rows: [{ text: "fine", label: "positive" as const }] }],
      categories: [],
    };
    const [silent] = await evaluate(sets, [judging(() => failed("away"))]);
    expect(silent?.sentiment).not.toHaveProperty("mean");
    expect(silent?.sentiment).not.toHaveProperty("pooled");
    expect(isSilent(silent!)).toBe(true);
    const half = judging((text) => (text === "fine" ? { sentiment: "positive" } : failed("away")));
    const [report] = await evaluate(sets, [half]);
    expect(report?.sentiment).toMatchObject({ pooled: { macroF1: 1 } });
    expect(report?.sentiment).not.toHaveProperty("mean");
    const page = evaluationPage({ date: "2026-11-22", version: "1", folder: "f", analyzers: [silent!] });
    expect(page).toContain("<b>–</b>");
    expect(page).not.toMatch(/NaN|undefined|>0\.000/);
  });

  it("does not call an analyser again that was refused", async () => {
    let asked = 0;
    const judge = judging(async () => {
      asked += 1;
      return failed("refused", true);
    }, 2);
    const [report] = await evaluate(positives(...texts(50)), [judge]);
    expect(asked).toBeLessThanOrEqual(2);
    expect(report?.sentiment?.fallbacks).toEqual([{ reason: "refused", texts: 50 }]);
  });

  it("uses the labels of the whole set as the scope of a row without one", async () => {
    const rows = [
      { text: "a", labels: ["bug"] },
      { text: "b", labels: [] },
    ];
    const judge = { name: "somebody", categories: () => ({ categories: ["bug"] }), parallel: 1 };
    const [report] = await evaluate({ sentiment: [], categories: [{ name: "shop", rows }] }, [judge]);
    expect(report?.categories?.worstMistakes).toMatchObject([{ text: "b", answered: "bug", expected: "none of them" }]);
  });

  it("stops when the signal aborts, with its reason", async () => {
    const controller = new AbortController();
    let asked = 0;
    const judge = judging(() => {
      if (++asked === 1) controller.abort(new Error("enough"));
      return { sentiment: "positive" };
    });
    await expect(evaluate(positives(...texts(2000)), [judge], { signal: controller.signal })).rejects.toThrow("enough");
    expect(asked).toBeLessThan(2000);
  });
});

describe("contestants", () => {
  it("treats VADER as neutral up to 0.05, as its authors do", async () => {
    const { sentiment } = await libraryContestant("vader");
    // Compounds of 0 and of 0.0772, by VADER.
    expect(await sentiment?.("It is a table.")).toEqual({ sentiment: "neutral" });
    expect(await sentiment?.("I want it.")).toEqual({ sentiment: "positive" });
  });

  it("calls a paid analyser once for each text, for both questions, however many texts there are", async () => {
    const asked: string[] = [];
    const embedded = new EmbeddedSentimentAnalyzer();
    const contestant = costlyContestant(
      "dear",
      {
        sentimentAnalyzer: {
          name: "dear",
          version: "model 1",
          analyze: (text) => {
            asked.push(text);
            return embedded.analyze(text);
          },
        },
        feedbackCategorizer: new EmbeddedFeedbackCategorizer(),
      },
      4,
    );
    const all = texts(1100);
    const categories = [{ name: "shop", rows: all.map((text) => ({ text, labels: ["bug"] })) }];
    const [report] = await evaluate({ ...positives(...all), categories }, [contestant]);
    expect(asked).toEqual(all);
    expect(report).toMatchObject({ version: "model 1", categories: { pooled: { texts: 1100 } } });
  });
});

it.each([
  [0.05, 0.05, "positive"],
  [-0.05, 0.05, "negative"],
  [0.049, 0.05, "neutral"],
  [0, 0, "neutral"],
  [-0.001, 0, "negative"],
])("judges %d with the border %d as %s", (value, border, sentiment) => {
  expect(bySign(value, border)).toBe(sentiment);
});
