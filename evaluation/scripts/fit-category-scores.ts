// Finds how often the categorizer is right, by category and level of evidence, on a folder of
// labelled texts. Prints the figures, and whether the shipped ones can be reproduced. With --write,
// writes src/analysis/embedded/category-sureness.json:
//   node evaluation/scripts/fit-category-scores.ts <folder> [--write]
import { readFileSync, writeFileSync } from "node:fs";
import { CATEGORIES } from "../../src/analysis/categories.ts";
import { findCategories, LEVEL_COUNT, type CategorySureness } from "../../src/analysis/embedded/category-decision.ts";
import { categoryFeatures } from "../../src/analysis/embedded/category-features.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import { labelOf, readLabelledSets, withScopes } from "../labelled-sets.ts";
import { calibrationError } from "../scores.ts";

const SURENESS = new URL("../../src/analysis/embedded/category-sureness.json", import.meta.url);
/**
 * A category's figure starts from that of all categories, which counts as much as this many
 * answers.
 */
const PRIOR_WEIGHT = 20;

interface Answer {
  set: string;
  category: keyof CategorySureness;
  /** Index of its evidence in `CategorySureness`. */
  level: number;
  right: boolean;
  /** 0 or 1: the half of its set that the text is in. */
  half: number;
}

const named = CATEGORIES.filter((category) => category !== "general");

const [folder, option] = process.argv.slice(2);
if (folder === undefined || folder.startsWith("-") || (option !== undefined && option !== "--write")) {
  console.error("usage: node evaluation/scripts/fit-category-scores.ts <folder> [--write]");
  process.exit(2);
}
const { categories: sets } = await readLabelledSets(folder);
const answers = sets.flatMap(({ name: set, rows }): Answer[] =>
  withScopes(rows).flatMap((row, at) => {
    const levels = findCategories(categoryFeatures(read(row.text).tokens));
    return named
      .filter((category) => labelOf(row, category) !== undefined && levels.has(category))
      .map((category) => ({
        set,
        category,
        level: levels.get(category) ?? 0,
        right: labelOf(row, category) !== "no",
        half: at % 2,
      }));
  }),
);

/** The share of right answers. The fewer there are, the closer it is to the prior. */
const share = (answers: readonly Answer[], prior: number): number =>
  (answers.filter(({ right }) => right).length + prior * PRIOR_WEIGHT) / (answers.length + PRIOR_WEIGHT);

function fit(answers: readonly Answer[]): Required<CategorySureness> {
  const levels = Array.from({ length: LEVEL_COUNT }, (_, level) => answers.filter((answer) => answer.level === level));
  const priors = levels.map((answers) => share(answers, 0.5));
  const row = (category: string): number[] =>
    levels.map((answers, level) =>
      Number(
        share(
          answers.filter((answer) => answer.category === category),
          priors[level]!,
        ).toFixed(2),
      ),
    );
  const isKnown = (category: string): boolean => answers.some((answer) => answer.category === category);
  const known = named.filter(isKnown).map(row);
  // A category without labelled texts is trusted least.
  const lowest = priors.map((prior, level) => Math.min(...known.map((row) => row[level]!), Number(prior.toFixed(2))));
  return Object.fromEntries(
    named.map((category) => [category, isKnown(category) ? row(category) : lowest]),
  ) as Required<CategorySureness>;
}

interface Judged {
  confidence: number;
  right: boolean;
}

const judge = (answers: readonly Answer[], by: (answer: Answer) => Required<CategorySureness>): Judged[] =>
  answers.map((answer) => ({ confidence: by(answer)[answer.category][answer.level]!, right: answer.right }));

const fitted = fit(answers);
const halves = [0, 1].map((half) => fit(answers.filter((answer) => answer.half === half)));
console.table(fitted);
/** Each answer with the figures fitted to the other half of the texts. */
const judgedByOtherHalf = (answers: readonly Answer[]): Judged[] => judge(answers, ({ half }) => halves[1 - half]!);
for (const { name } of sets) {
  const own = answers.filter(({ set }) => set === name);
  const others = fit(answers.filter(({ set }) => set !== name));
  const withoutSet = calibrationError(judge(own, () => others));
  console.log(
    `${name.padEnd(20)} ECE by the other half ${calibrationError(judgedByOtherHalf(own)).toFixed(3)}, without this set ${withoutSet.toFixed(3)}`,
  );
}
console.log(`${"all".padEnd(20)} ECE by the other half ${calibrationError(judgedByOtherHalf(answers)).toFixed(3)}`);

const content = `${JSON.stringify(fitted, null, 2)}\n`.replaceAll(
  /\[\s+([^\]]+?)\s+\]/g,
  (_, row: string) => `[${row.replaceAll(/\s+/g, " ")}]`,
);
if (option === "--write") writeFileSync(SURENESS, content);
else
  console.log(
    content === readFileSync(SURENESS, "utf8")
      ? "the shipped figures can be reproduced"
      : "the shipped figures are different",
  );
