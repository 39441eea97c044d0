import { describe, expect, it } from "vitest";
import { fitBinary } from "../../../evaluation/training/binary-regression.ts";
import { labelledTexts } from "../../../evaluation/training/examples.ts";
import { answerLeftOut } from "../../../evaluation/training/left-out.ts";
import { thanksAt } from "../../../evaluation/training/thanks.ts";

const set = (name: string, word: string) => ({
  name,
  rows: (["positive", "negative", "neutral"] as const).flatMap((label) =>
    Array.from({ length: 8 }, (_, at) => ({ text: `${word} ${label === "neutral" ? "table" : label} ${at}`, label })),
  ),
});

describe("answers by a method that has not seen the set", () => {
  it("do not change with the set's own labels", () => {
    const sets = [set("a", "zorp"), set("b", "quux"), set("c", "blip"), set("d", "flap")];
    const answers = answerLeftOut(labelledTexts(sets)).filter(({ text }) => text.source === 0);
    const [first, ...others] = sets as [(typeof sets)[number], ...typeof sets];
    const rows = first.rows.map(({ text }) => ({ text, label: "negative" as const }));
    const relabelled = [{ name: first.name, rows }, ...others];
    const again = answerLeftOut(labelledTexts(relabelled)).filter(({ text }) => text.source === 0);
    const said = (all: typeof answers) => all.map(({ sentiment, score }) => [sentiment, score]);
    expect(said(again)).toEqual(said(answers));
    expect(answers).toHaveLength(24);
  });
});

describe("the shares at a bound for thanks", () => {
  it("count who is thanked and who is not", () => {
    const answer = (label: string, sentiment: string, score: number) => ({
      text: { sentiment: label },
      sentiment,
      score,
    });
    const answers = [
      answer("positive", "positive", 0.9),
      answer("positive", "positive", 0.6),
      answer("positive", "neutral", 0.9),
      answer("negative", "positive", 0.8),
      answer("negative", "negative", 0.9),
    ] as unknown as Parameters<typeof thanksAt>[0];
    expect(thanksAt(answers, 0.7)).toEqual({
      bound: 0.7,
      angryThanked: 0.5,
      pleasedThanked: 1 / 3,
      foundThanked: 0.5,
      heldBack: 0.2,
      wrongThanks: 0.5,
    });
  });
});

it("thanks for praise at the bound itself, as the workflow does", () => {
  const answer = { text: { sentiment: "positive" }, sentiment: "positive", score: 0.7 };
  expect(thanksAt([answer] as unknown as Parameters<typeof thanksAt>[0], 0.7)).toMatchObject({ pleasedThanked: 1 });
});

describe("the regression of yes and no", () => {
  it("finds the true shares, and shrinks rare ones towards zero", () => {
    const examples = (input: number, yes: number, no: number) =>
      Array.from({ length: yes + no }, (_, at) => ({ inputs: [1, input], isTrue: at < yes, weight: 1 }));
    const [intercept = 0, slope = 0] = fitBinary([...examples(0, 10, 10), ...examples(1, 30, 10)], 0);
    expect(intercept).toBeCloseTo(0);
    expect(slope).toBeCloseTo(Math.log(3));
    expect(fitBinary([...examples(0, 10, 10), ...examples(1, 30, 10)], 100)[1]).toBeLessThan(0.3);
  });
});
