import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scoreCategories } from "../../evaluation/score-categories.ts";
import { scoreSentiment } from "../../evaluation/score-sentiment.ts";
import { calibrationError } from "../../evaluation/scores.ts";
import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";

const labelled = (...labels: (typeof SENTIMENTS)[number][]) => labels.map((label) => ({ text: "", label }));
const answers = (...sentiments: (typeof SENTIMENTS)[number][]) => sentiments.map((sentiment) => ({ sentiment }));

describe("scoreSentiment", () => {
  it("gives accuracy, the classes, their mean F1 and the confusions", () => {
    const scores = scoreSentiment(
      labelled("positive", "positive", "negative", "neutral"),
      answers("positive", "negative", "negative", "positive"),
    );
    expect(scores).toEqual({
      texts: 4,
      accuracy: 0.5,
      macroF1: (0.5 + 2 / 3) / 3,
      perClass: {
        negative: { precision: 0.5, recall: 1, f1: 2 / 3, support: 1 },
        neutral: { precision: 0, recall: 0, f1: 0, support: 1 },
        positive: { precision: 0.5, recall: 0.5, f1: 0.5, support: 2 },
      },
      confusion: {
        positive: { positive: 1, negative: 1 },
        negative: { negative: 1 },
        neutral: { positive: 1 },
      },
    });
  });

  it("counts only the classes of the set towards the mean", () => {
    const { macroF1, perClass } = scoreSentiment(labelled("positive", "negative"), answers("positive", "neutral"));
    expect(macroF1).toBe(0.5);
    expect(perClass).not.toHaveProperty("neutral");
  });

  it("is 1 for right answers and between 0 and 1 for any answers", () => {
    const label = fc.constantFrom(...SENTIMENTS);
    fc.assert(
      fc.property(fc.array(fc.tuple(label, label), { minLength: 1 }), (pairs) => {
        const rows = labelled(...pairs.map(([label]) => label));
        expect(scoreSentiment(rows, answers(...rows.map(({ label }) => label))).macroF1).toBe(1);
        const { macroF1, accuracy } = scoreSentiment(rows, answers(...pairs.map(([, answer]) => answer)));
        for (const value of [macroF1, accuracy]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("has a calibration error only if every answer has a score", () => {
    const rows = labelled("positive", "negative");
    expect(scoreSentiment(rows, answers("positive", "negative"))).not.toHaveProperty("calibrationError");
    const sure = answers("positive", "positive").map(({ sentiment }) => ({ sentiment, score: 1 }));
    expect(scoreSentiment(rows, sure).calibrationError).toBe(0.5);
  });
});

describe("scoreCategories", () => {
  it("scores only what the source annotates", () => {
    const rows = [
      { text: "", labels: ["bug"], scope: ["bug"] },
      { text: "", labels: [], scope: ["bug"] },
    ];
    const { accuracy, perClass } = scoreCategories(rows, [
      { categories: ["bug", "pricing"] },
      { categories: ["service"] },
    ]);
    expect(accuracy).toBe(1);
    expect(Object.keys(perClass)).toEqual(["bug"]);
  });

  it("uses every label of the set as the scope if there is none", () => {
    const rows = [
      { text: "", labels: ["bug"] },
      { text: "", labels: ["pricing"] },
    ];
    const { perClass, accuracy } = scoreCategories(rows, [{ categories: ["bug", "pricing"] }, { categories: [] }]);
    expect(perClass["bug"]).toEqual({ precision: 1, recall: 1, f1: 1, support: 1 });
    expect(perClass["pricing"]).toEqual({ precision: 0, recall: 0, f1: 0, support: 1 });
    expect(accuracy).toBe(0);
  });

  it("lets either of two categories satisfy a label that means both", () => {
    const rows = [{ text: "", labels: ["bug|performance"], scope: ["bug|performance"] }];
    expect(scoreCategories(rows, [{ categories: ["performance"] }]).macroF1).toBe(1);
    expect(scoreCategories(rows, [{ categories: ["service"] }]).macroF1).toBe(0);
  });

  it("shows what was answered instead of what was missed", () => {
    const scope = ["bug", "service", "pricing"];
    const rows = [["bug"], ["bug", "pricing"], ["service"], [], []].map((labels) => ({ text: "", labels, scope }));
    const answers = [["service"], ["bug", "product"], [], ["pricing"], ["product"]];
    const { confusion } = scoreCategories(
      rows,
      answers.map((categories) => ({ categories })),
    );
    expect(confusion).toEqual({
      bug: { service: 1, bug: 1 },
      pricing: { none: 1 },
      service: { none: 1 },
      none: { pricing: 1, none: 1 },
    });
  });

  it("measures how well the scores of the answers are calibrated", () => {
    const rows = [{ text: "", labels: ["bug"], scope: ["bug", "service"] }];
    const answer = { categories: ["bug", "service"], scores: { bug: 0.9, service: 0.9 } };
    expect(scoreCategories(rows, [answer]).calibrationError).toBeCloseTo(0.4);
  });
});

describe("calibrationError", () => {
  it("is the distance between confidence and accuracy, weighted by frequency", () => {
    const often = Array.from({ length: 10 }, (_, at) => ({ confidence: 0.75, right: at < 5 }));
    expect(calibrationError(often)).toBeCloseTo(0.25);
    expect(calibrationError(often.concat(often.map(() => ({ confidence: 1, right: true }))))).toBeCloseTo(0.125);
    expect(calibrationError([])).toBe(0);
  });
});
