import { expect, test } from "vitest";
import type { ScopedRow } from "../../../evaluation/labelled-sets.ts";
import { fitBounds, type BoundReport } from "../../../evaluation/training/category-bounds.ts";
import { trainOwn } from "../../../evaluation/training/train-own.ts";
import { madeUpWord } from "../../support/made-up-word.ts";

/** From no evidence of a bug to two strong clues. */
const TEXTS = {
  none: "It is on page",
  weak: "It failed on page",
  strong: "There was an error on page",
  stronger: "It crashes with an error on page",
};

type Counts = Record<keyof typeof TEXTS, [labelled: number, others: number]>;

const rowsOf = (counts: Counts): ScopedRow[] =>
  (Object.keys(TEXTS) as (keyof Counts)[]).flatMap((kind) => {
    const [labelled, others] = counts[kind];
    return Array.from({ length: labelled + others }, (_, at) => ({
      text: `${TEXTS[kind]} ${madeUpWord(at)}.`,
      labels: at < labelled ? ["bug"] : [],
      scope: ["bug"],
    }));
  });

test("keeps no bound that finds fewer bugs, even if the bounds of the folds find more", () => {
  const { bounds, reports } = fitBounds(rowsOf({ none: [2, 18], weak: [5, 4], strong: [2, 13], stronger: [7, 0] }));
  const [{ bound, before, after }] = reports as [BoundReport];
  // The folds look harmless. The bound of all rows would miss the labelled "strong" texts.
  expect(bound).toBe(0.785);
  expect(after.f1).toBeGreaterThan(before.f1);
  expect(after.recall).toBeGreaterThan(before.recall);
  expect(reports).toEqual([expect.objectContaining({ category: "bug", isTaken: false })]);
  expect(bounds).toEqual({});
});

test("keeps a bound that finds more bugs", () => {
  const { bounds } = fitBounds(rowsOf({ none: [0, 20], weak: [20, 1], strong: [5, 0], stronger: [5, 0] }));
  expect(bounds).toEqual({ bug: 0.33 });
});

test("keeps no bound that is better by so little that it may be chance", () => {
  const [{ bound, before, after, isTaken }] = fitBounds(
    rowsOf({ none: [0, 15], weak: [4, 2], strong: [10, 0], stronger: [5, 0] }),
  ).reports as [BoundReport];
  expect(bound).toBe(0.33);
  expect(after.f1).toBeGreaterThan(before.f1);
  // Four texts more are right, and two fewer.
  expect(isTaken).toBe(false);
});

test("learns nothing about a category from labels that another category also satisfies", () => {
  const rows = rowsOf({ none: [0, 20], weak: [20, 1], strong: [5, 0], stronger: [5, 0] });
  const either = rows.map(({ text, labels }) => ({
    text,
    labels: labels.map(() => "bug|performance"),
    scope: ["bug|performance"],
  }));
  expect(fitBounds(either).skipped).toContainEqual({ category: "bug", labelled: 0, others: 21 });
  expect(fitBounds([...rows, ...either]).reports[0]).toMatchObject({ category: "bug", before: { support: 30 } });
});

test("uses the labels of a row's own file as its scope if it has none", () => {
  const rows = rowsOf({ none: [0, 20], weak: [20, 1], strong: [5, 0], stronger: [5, 0] });
  const unscoped = (labels: readonly string[], text: string) => ({ text, labels: [...labels] });
  const own = { name: "own", rows: rows.map(({ text, labels }) => unscoped(labels, text)) };
  const others = { name: "others", rows: rows.map(({ text }) => unscoped(["service"], text)) };
  const { categories } = trainOwn({ sentiment: [], categories: [own, others] }, 0.7);
  expect(categories.reports).toMatchObject([{ category: "bug", before: { support: 30 } }]);
  expect(categories.skipped).toContainEqual({ category: "service", labelled: rows.length, others: 0 });
});

test("keeps the bounds in use unless there are better ones, and goes back to the shipped ones if those are better", () => {
  const rows = rowsOf({ none: [0, 20], weak: [0, 10], strong: [20, 0], stronger: [10, 0] });
  expect(fitBounds(rows, { bug: 0.88, legal: 0.3 })).toMatchObject({
    bounds: { legal: 0.3 },
    reports: [{ category: "bug", isTaken: true, inUse: { support: 30 } }],
  });
  expect(fitBounds(rows, { bug: 0.88 }).bounds).not.toHaveProperty("bug");
  expect(fitBounds(rows.slice(0, 20), { bug: 0.88 }).bounds).toEqual({ bug: 0.88 });
});
