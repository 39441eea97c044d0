import { expect, test } from "vitest";
import { surenessOf } from "../../../src/analysis/embedded/category-decision.ts";

const measured = { product: [0.7, 0.8], service: [0.6, 0.9] };

test("the score of a category is how often it was right on labelled texts", () => {
  expect(surenessOf("product", 0, measured)).toBe(0.7);
  expect(surenessOf("product", 1, measured)).toBe(0.8);
});

test("a category without labelled texts has the lowest score of the others", () => {
  expect([0, 1].map((level) => surenessOf("billing", level, measured))).toEqual([0.6, 0.8]);
});

test("the category general has score 0", () => {
  expect(surenessOf("general", 0, measured)).toBe(0);
});
