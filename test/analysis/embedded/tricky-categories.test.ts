import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readLabelledSets } from "../../../evaluation/labelled-sets.ts";
import { scoreCategories } from "../../../evaluation/score-categories.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";

const TRICKY = fileURLToPath(new URL("../tricky", import.meta.url));
/** Known mistakes in each set; there may be fewer. */
const MAX_MISTAKES = 2;

const categorizer = new EmbeddedFeedbackCategorizer();
const { categories: sets } = await readLabelledSets(TRICKY);

it.each(sets)("tricky sentences about $name have the right categories, except for a few", ({ rows }) => {
  const mistakes = rows.filter(({ text, labels, scope = [] }) => {
    const { categories } = categorizer.categorize(text);
    return scope.some((category) => labels.includes(category) !== categories.some((one) => one === category));
  });
  expect(rows.length).toBeGreaterThan(10);
  expect(mistakes.map(({ text }) => text).slice(MAX_MISTAKES)).toEqual([]);
});

// Both halves were written before any rule was changed for them; the rules were made while only the
// first half was known.
it.each([
  ["known", 0.8],
  ["held-out", 0.65],
])("sentences of other domains, the %s half, have the right categories in most cases", async (half, least) => {
  const folder = fileURLToPath(new URL(`../domains/${half}`, import.meta.url));
  const rows = (await readLabelledSets(folder)).categories.flatMap(({ rows }) => rows);
  expect(rows).toHaveLength(106);
  expect(
    scoreCategories(
      rows,
      rows.map(({ text }) => categorizer.categorize(text)),
    ).macroF1,
  ).toBeGreaterThan(least);
});

it("treats a thing inside a phrase about something else as a mention", () => {
  const found = (text: string) => categorizer.categorize(text).categories;
  expect(found("The sound cuts out after every video.")).toEqual(["bug"]);
  expect(found("The sound quality is poor, and it cuts out.")).toContain("product");
});

describe("what only looks like something", () => {
  const found = (text: string) => categorizer.categorize(text).categories;

  it.each([
    ["billing", "There is a charge on my card that I do not know"],
    ["billing", "I disputed a charge last week"],
    ["billing", "You charge my credit card every month"],
    ["bug", "Since the latest version it is broken"],
    ["bug", "The new version crashes"],
    ["bug", "It is unusable in the latest version"],
    ["performance", "The pages slow down after an hour"],
    ["security", "Please add 2FA"],
  ] as const)("hides no %s in: %s", (category, text) => {
    expect(found(text)).toContain(category);
  });

  it.each([
    ["billing", "The phone holds a charge well"],
    ["billing", "It lasts for ten hours on a charge"],
    ["billing", "I pay with a credit card"],
    ["bug", "Since the latest update I love it"],
    ["bug", "Since the last update everything works"],
    ["bug", "The latest version is much better"],
    ["bug", "The new version has a lovely design"],
    ["usability", "They are hard working people"],
    ["usability", "Your people are difficult to reach"],
  ] as const)("is not %s: %s", (category, text) => {
    expect(found(text)).not.toContain(category);
  });
});

describe("a long text", () => {
  const FILLER = "We walked along the shore in the evening and had tea on the terrace with our friends. ".repeat(8);
  const found = (text: string) => categorizer.categorize(text).categories;

  it("ignores a category that one word mentions in passing", () => {
    expect(found("There was an error")).toContain("bug");
    expect(found(`${FILLER} There was an error in the paper. ${FILLER}`)).not.toContain("bug");
  });

  it("finds a category that a phrase states anywhere", () => {
    for (const text of ["I was charged twice.", "I will take you to court."])
      expect(found(`${FILLER} ${text} ${FILLER}`)).toEqual(expect.arrayContaining(found(text)));
  });

  it("finds a category that several words express together if they are close", () => {
    expect(found(`${FILLER} The app crashes with an error and a freeze. ${FILLER}`)).toContain("bug");
    expect(found(`An error. ${FILLER} It crashes. ${FILLER}`)).not.toContain("bug");
  });
});
