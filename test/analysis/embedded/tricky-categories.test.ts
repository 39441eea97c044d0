import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readLabelledSets } from "../../../evaluation/labelled-sets.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";

const TRICKY = fileURLToPath(new URL("../tricky", import.meta.url));
/** Of each set: what is known to go wrong, and may get fewer. */
const MOST_MISTAKES = 2;

const categorizer = new EmbeddedFeedbackCategorizer();
const { categories: sets } = await readLabelledSets(TRICKY);

it.each(sets)("tricky sentences about $name have the right categories, but for a few", ({ rows }) => {
  const mistakes = rows.filter(({ text, labels, scope = [] }) => {
    const { categories } = categorizer.categorize(text);
    return scope.some((category) => labels.includes(category) !== categories.some((one) => one === category));
  });
  expect(rows.length).toBeGreaterThan(10);
  expect(mistakes.map(({ text }) => text).slice(MOST_MISTAKES)).toEqual([]);
});

describe("a long text", () => {
  const FILLER = "We walked along the shore in the evening and had tea on the terrace with our friends. ".repeat(8);
  const found = (text: string) => categorizer.categorize(text).categories;

  it("is not about what one word mentions in passing", () => {
    expect(found("There was an error")).toContain("bug");
    expect(found(`${FILLER} There was an error in the paper. ${FILLER}`)).not.toContain("bug");
  });

  it("is about what a phrase states, wherever it stands", () => {
    for (const text of ["I was charged twice.", "I will take you to court."])
      expect(found(`${FILLER} ${text} ${FILLER}`)).toEqual(expect.arrayContaining(found(text)));
  });

  it("is about what several words say together, and not far apart", () => {
    expect(found(`${FILLER} The app crashes with an error and a freeze. ${FILLER}`)).toContain("bug");
    expect(found(`An error. ${FILLER} It crashes. ${FILLER}`)).not.toContain("bug");
  });
});
