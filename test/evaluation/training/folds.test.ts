import { expect, it } from "vitest";
import { FOLDS, foldOf } from "../../../evaluation/training/folds.ts";
import { madeUpWord } from "../../support/made-up-word.ts";

const numbers = Array.from({ length: 100 }, (_, at) => at);

it.each([
  ["numbers", (at: number) => `Order ${at * 37} never came, I paid ${at} euros`],
  ["blanks", (at: number) => `It never${" ".repeat(at + 1)}came`],
  ["punctuation", (at: number) => `It never came${"!".repeat(at)}`],
])("holds out together what differs only in %s", (_, textOf) => {
  expect(new Set(numbers.map(textOf).map(foldOf)).size).toBe(1);
});

it("holds out together what differs only in case, or in what was masked", () => {
  const folds = ["Order 12 never came", "order 4711 NEVER came", "Order ___ never came.", "Ｏrder  never came"].map(
    foldOf,
  );
  expect(new Set(folds).size).toBe(1);
});

it("spreads texts over all folds", () => {
  const folds = numbers.map((at) => foldOf(`Order ${madeUpWord(at)} never came`));
  expect(new Set(folds)).toEqual(new Set(Array.from({ length: FOLDS }, (_, fold) => fold)));
});
