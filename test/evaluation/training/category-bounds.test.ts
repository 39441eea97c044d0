import { expect, test } from "vitest";
import type { CategoryRow } from "../../../evaluation/labelled-sets.ts";
import { fitBounds } from "../../../evaluation/training/category-bounds.ts";

/** From no evidence of a bug to two strong clues. */
const TEXTS = {
  none: "It is on page",
  weak: "It failed on page",
  strong: "There was an error on page",
  stronger: "It crashes with an error on page",
};

type Counts = Record<keyof typeof TEXTS, [labelled: number, others: number]>;

const rowsOf = (counts: Counts): CategoryRow[] =>
  (Object.keys(TEXTS) as (keyof Counts)[]).flatMap((kind) => {
    const [labelled, others] = counts[kind];
    return Array.from({ length: labelled + others }, (_, at) => ({
      text: `${TEXTS[kind]} ${at}.`,
      labels: at < labelled ? ["bug"] : [],
      scope: ["bug"],
    }));
  });

test("keeps no bound that finds fewer bugs, even if the bounds of the folds find more", () => {
  const { bounds, reports } = fitBounds(rowsOf({ none: [1, 17], weak: [4, 1], strong: [1, 8], stronger: [9, 0] }));
  const [{ bound, before, after }] = reports as [(typeof reports)[0]];
  // The folds look harmless. The bound of all rows would miss the labelled "strong" text.
  expect(bound).toBe(0.75);
  expect(after.f1).toBeGreaterThan(before.f1);
  expect(after.recall).toBeGreaterThan(before.recall);
  expect(reports).toEqual([expect.objectContaining({ category: "bug", isTaken: false })]);
  expect(bounds).toEqual({});
});

test("keeps a bound that finds more bugs", () => {
  const { bounds } = fitBounds(rowsOf({ none: [0, 20], weak: [20, 1], strong: [5, 0], stronger: [5, 0] }));
  expect(bounds).toEqual({ bug: 0.3 });
});
