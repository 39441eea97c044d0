import { describe, expect, it } from "vitest";
import type { Category } from "../../../src/analysis/categories.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../src/workflows/customer-feedback/policy.ts";

const categorizer = new EmbeddedFeedbackCategorizer();

const critical = (text: string): Category[] =>
  categorizer
    .categorize(text)
    .categories.filter((category) => DEFAULT_ESCALATION_POLICY.criticalCategories.includes(category));

const warmLetter = (sentence: string): string =>
  `Dear all, our garden has never looked as lovely as in this summer, and much of that is thanks to you. The roses that we \
ordered in spring have grown taller than my husband, the bench is comfortable, and the neighbours stop at the fence to \
admire the lanterns. Your colleague on the telephone was so patient with my many questions, and the note in the box made \
the children smile. ${sentence} Please give our warm regards to everybody in the workshop. We have told half the village \
about you, and my sister has already chosen a bench for her terrace. We are looking forward to the autumn catalogue with \
great pleasure, and wish all of you a sunny and peaceful August. With love from the whole family, as every year, and thank \
you again for everything you do.`;

describe("a long and friendly letter", () => {
  it("is about nothing critical without the one sentence", () => {
    expect(warmLetter("").split(/\s+/).length).toBeGreaterThan(120);
    expect(critical(warmLetter(""))).toEqual([]);
  });

  it.each([
    ["bug", "The app crashes when I look at the catalogue."],
    ["bug", "The app opens and then crashes."],
    ["bug", "Your website is buggy."],
    ["bug", "Our order page only shows an error."],
    ["bug", "One of the lanterns came broken."],
    ["bug", "The lid of the third one was already broken."],
    ["bug", "The hinge is defective."],
    ["bug", "My points have vanished."],
    ["bug", "There is a bug in the calendar."],
    ["bug", "It crashes every evening."],
    ["bug", "One of the lanterns caught fire."],
    ["bug", "The small lamp sparked."],
    ["bug", "The pump gave me an electric shock."],
    ["billing", "You overcharged us."],
    ["billing", "I think that you overcharged my husband."],
    ["billing", "The amount was debited twice."],
    ["billing", "Your invoice is wrong."],
    ["billing", "Please refund the broken one."],
    ["security", "I got a phishing mail in your name."],
    ["security", "Your newsletter contained a virus."],
    ["security", "Your driver stole the parcel."],
    ["security", "The link in your email looked suspicious."],
  ] as const)("is about %s if one sentence says so: %s", (category, sentence) => {
    expect(critical(sentence)).toContain(category);
    expect(critical(warmLetter(sentence))).toContain(category);
  });

  it.each([
    "In the film that we watched on the bench, a train crashes into a station.",
    "The hero of the novel crashes his plane, but in the garden one forgets it all.",
    "A virus spreads in the novel, and the hero loses everything.",
    "Her heart was broken when the old bench went to the dump.",
    "My phone crashed my old app for gardeners.",
    "My old lantern was broken.",
    "We came from another shop whose app was always buggy.",
    "The site of our previous supplier crashed every week.",
    "Thank you for the quick refund.",
    "There are no errors in your invoice, which is rare today.",
    "You fixed the bug at once.",
    "To be honest, I was suspicious at first.",
    "My father was in bed with a virus and loved to watch the roses.",
    "This lamp sparks joy.",
    "The story finally catches fire in the last chapter, which I read on the bench.",
    "There was an error in the paper about the village.",
    "Bugs and bees have returned.",
  ])("is about nothing critical if nothing of ours is at fault: %s", (sentence) => {
    expect(critical(warmLetter(sentence))).toEqual([]);
  });
});

it("does not miss a dangerous product in a short text", () => {
  for (const text of [
    "The charger exploded",
    "It caught fire",
    "Smoke came out of the back",
    "The cable melted",
    "It exploded in my hands",
  ])
    expect(critical(text)).toContain("bug");
});
