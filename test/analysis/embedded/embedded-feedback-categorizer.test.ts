import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inStableOrder, type Category } from "../../../src/analysis/categories.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { HOSTILE_TEXTS } from "../hostile-texts.ts";

const categorizer = new EmbeddedFeedbackCategorizer();
const categories = (text: string): Category[] => categorizer.categorize(text).categories;

const ABOUT: [Category, string][] = [
  ["product", "The product is great!"],
  ["product", "The fabric feels thin"],
  ["product", "The pizzas were cold"],
  ["product", "This item has an odd shape"],
  ["service", "Nobody at customer service could help"],
  ["service", "The waitresses were rude"],
  ["service", "My parcel never arrived"],
  ["pricing", "It is far too expensive"],
  ["pricing", "Good value for money"],
  ["pricing", "What a steal!"],
  ["pricing", "It was worth every cent"],
  ["service", "My order came two weeks late"],
  ["service", "Took ages to get a reply"],
  ["service", "Flight delayed 5 hours"],
  ["service", "The lady at the front desk smiled"],
  ["service", "You lost our luggage"],
  ["service", "Great support"],
  ["performance", "The dashboard takes 30 seconds to load"],
  ["performance", "The signal drops all the time"],
  ["product", "The mattress was soft"],
  ["usability", "It was not easy to set up"],
  ["usability", "The interface is confusing"],
  ["usability", "Pairing the two was so easy"],
  ["usability", "I could not find the option to export"],
  ["performance", "The site is painfully slow"],
  ["performance", "It lags when I open it"],
  ["bug", "The app crashes when I open it"],
  ["bug", "The export doesn't work since the last update"],
  ["bug", "I get an error when I save"],
  ["bug", "Nothing happens when I press save"],
  ["bug", "The button is greyed out"],
  ["bug", "I get a 500 on every page"],
  ["bug", "The totals don't add up"],
  ["security", "My account was hacked"],
  ["security", "Someone used my card without my permission"],
  ["security", "There is a payment I did not authorize, it is fraud"],
  ["security", "My account was taken over"],
  ["security", "I can see another customer's orders"],
  ["security", "You leaked my phone number"],
  ["billing", "You took 59 dollars twice"],
  ["billing", "I was charged twice"],
  ["billing", "Where is my refund?"],
  ["billing", "There is a mistake on my invoice"],
  ["legal", "We join the class action"],
  ["legal", "You will hear from my lawyer"],
  ["legal", "This violates the GDPR"],
  ["legal", "We will take legal action"],
  ["legal", "A lawyer will write to you"],
  ["legal", "I am going to sue you"],
  ["legal", "I will report you to the regulator"],
  ["legal", "Next I contact the FTC"],
  ["legal", "This is a breach of contract"],
];

const NOT_ABOUT: [Category, string][] = [
  ["product", "This item is mine"],
  ["legal", "A classy hotel with a lot of action"],
  ["legal", "Legal size paper is out of stock"],
  ["legal", "Is the software HIPAA compliant?"],
  ["legal", "Trading standards are high here"],
  ["bug", "I found a bug in my salad"],
  ["bug", "Since the last update I love it"],
  ["security", "I caught a virus on the cruise"],
  ["legal", "My mother in law loves it"],
  ["legal", "My husband is a lawyer and he loves this bag."],
  ["legal", "Bought it for an attorney, with a voltage regulator"],
  ["security", "This is a breach of contract"],
  ["legal", "Sue was very kind, see you at the food court"],
  ["performance", "I like fast food"],
  ["performance", "The service was very slow"],
  ["performance", "I like how quickly the refund came"],
  ["performance", "They solved it very fast"],
  ["service", "No complaints"],
  ["bug", "I took a crash course in cooking"],
  ["bug", "No bugs, no problems, it never crashes"],
  ["bug", "The frozen yogurt was nice"],
  ["billing", "You can charge the battery via USB"],
  ["billing", "Shipping is free of charge"],
  ["security", "The steak stole the show"],
  ["security", "The strap gives a secure fit"],
  ["pricing", "A great deal of noise, priceless"],
  ["pricing", "The handle feels really cheap"],
  ["pricing", "Worth the trip, and worth the wait"],
  ["pricing", "We spent more time outside than inside"],
  ["pricing", "Someone tried to steal my bag"],
  ["usability", "We met an easy going couple"],
  ["usability", "A warm coat that is easy to wash"],
  ["usability", "I can't find my card"],
  ["usability", "A hotel in a convenient location"],
];

const DENIED: [Category, string][] = [
  ["bug", "Nothing is broken, I love it."],
  ["bug", "You fixed the bug, thank you!"],
  ["bug", "I never had a crash"],
  ["bug", "Not a single error in a year"],
  ["bug", "Free of bugs"],
  ["bug", "It runs without errors"],
  ["bug", "No crashes or errors so far"],
  ["bug", "No bugs, glitches or crashes"],
  ["bug", "No bugs, glitches, errors, or crashes"],
  ["bug", "No bugs, glitches, errors, outages, malfunctions or crashes"],
  ["bug", "No bugs and no crashes"],
  ["bug", "It is free of bugs, glitches and crashes"],
  ["bug", "It is free from errors"],
  ["security", "I have not been hacked"],
  ["security", "No fraud, all fine"],
  ["billing", "No hidden fees"],
  ["billing", "There were no extra charges"],
  ["bug", "The technical issues were resolved in minutes"],
  ["bug", "The crash was fixed at once"],
  ["bug", "The crash has been fixed in this release"],
  ["bug", "Thanks for fixing the login problem"],
  ["bug", "Bug-free and error-free"],
  ["bug", "The bug is gone"],
  ["bug", "The error went away"],
  ["bug", "It used to crash"],
  ["bug", "It rarely crashes"],
  ["bug", "We see fewer errors"],
  ["bug", "It has stopped crashing"],
  ["bug", "You got rid of all the bugs"],
  ["bug", "It prevents crashes"],
  ["security", "It protects us from hackers"],
  ["security", "We are safe against fraud"],
  ["performance", "No bugs, glitches or crashes"],
  ["billing", "They waived all fees"],
  ["billing", "No hidden fees and no surprise charges"],
  ["legal", "There is nothing illegal about it"],
  ["legal", "No legal action, no lawsuit, we agreed"],
];

const NOT_DENIED: [Category, string][] = [
  ["bug", "It is not working"],
  ["bug", "You still have not fixed the bug"],
  ["bug", "Have you fixed the crash yet?"],
  ["bug", "Please come back once you fixed the crash"],
  ["bug", "It never opens without crashing"],
  ["bug", "Not only did it crash, it did so twice"],
  ["bug", "Nothing but errors"],
  ["bug", "No, it is broken"],
  ["bug", "No bugs, crashes every day"],
  ["bug", "No bugs, but glitches or crashes"],
  ["bug", "No fee, errors, crashes or glitches all day"],
  ["bug", "Have you fixed the crash, please?"],
  ["bug", "The crash was not fixed"],
  ["bug", "The crash has not been fixed"],
  ["bug", "The bug is not gone"],
  ["bug", "I am used to crashes"],
  ["bug", "Is the bug gone?"],
  ["bug", "It does not prevent crashes"],
  ["bug", "Free, of bugs and errors full"],
  ["security", "You did not protect us from hackers"],
  ["security", "You should protect us from hackers"],
  ["bug", "You are still fixing the crash"],
  ["bug", "Try fixing the crash"],
  ["bug", "Was the crash fixed? The errors were fixed?"],
  ["bug", "Tell me once the errors are all fixed"],
  ["bug", `No bugs${", glitches".repeat(30)} or crashes`],
  ["performance", "The app crashes, no bugs or glitches else"],
  ["security", "The login is not secure"],
  ["security", "I have no idea who hacked me"],
  ["billing", "You give no refund"],
  ["billing", "Nobody explained the hidden fees"],
  ["billing", "I never got my invoice"],
  ["legal", "I will not hesitate to take legal action"],
];

describe("EmbeddedFeedbackCategorizer", () => {
  it.each(DENIED)("finds no %s if it is denied: %s", (category, text) => {
    expect(categories(text)).not.toContain(category);
  });

  it.each(NOT_DENIED)("finds %s if it only looks denied: %s", (category, text) => {
    expect(categories(text)).toContain(category);
  });

  it.each(ABOUT)("finds %s in: %s", (category, text) => {
    expect(categories(text)).toContain(category);
  });

  it.each(NOT_ABOUT)("finds no %s in: %s", (category, text) => {
    expect(categories(text)).not.toContain(category);
  });

  it("finds what the guide's sentence is about", () => {
    expect(categories("The product design is excellent but the price is too high.")).toEqual(["product", "pricing"]);
  });

  it.each(["We were billed for a minibar that we never touched", "They debited it from my card", "She was robbed"])(
    "treats what was done to someone as a statement: %s",
    (text) => {
      const filler = "We walked along the shore in the evening and had tea on the terrace with our friends. ".repeat(8);
      expect(categories(text)).toEqual(expect.arrayContaining([text.includes("robbed") ? "security" : "billing"]));
      expect(categories(`${filler} ${text}. ${filler}`)).toEqual(
        expect.arrayContaining([text.includes("robbed") ? "security" : "billing"]),
      );
    },
  );

  it("recognises denied fees of any kind", () => {
    for (const kind of ["hidden", "extra", "additional", "unexpected", "other"])
      expect(categories(`There were no ${kind} fees`)).not.toContain("billing");
  });

  it("lists several in the stable order, with a score and the words for each", () => {
    const result = categorizer.categorize("I was charged twice, your staff is rude and the app crashes");
    expect(result.categories).toEqual(inStableOrder(["bug", "billing", "service", "performance"]));
    expect(result.evidence).toMatchObject({ service: ["staff", "rude"], billing: ["was charged"], bug: ["crashes"] });
    expect(Object.keys(result.scores)).toEqual(result.categories);
  });

  it("is more certain if the text says more", () => {
    const score = (text: string): number => categorizer.categorize(text).scores.service ?? 0;
    expect(score("The staff and the waiter were rude")).toBeGreaterThan(score("I saw the staff"));
  });

  it("scores how often such evidence is right: a single sign of a bug rarely is, several are", () => {
    const score = (text: string): number => categorizer.categorize(text).scores.bug ?? 0;
    expect(score("A broken promise")).toBeLessThan(0.5);
    expect(score("Since the update it crashes, shows an error and does not load")).toBeGreaterThan(0.8);
  });

  it.each([undefined, null, 5])("says what it expects if it doesn't get a string: %j", (text) => {
    expect(() => categories(text as never)).toThrow(TypeError);
    expect(() => categories(text as never)).toThrow("must be a string");
  });

  it("returns general if nothing fits", () => {
    expect(categorizer.categorize("We were there on Tuesday and it rained")).toEqual({
      categories: ["general"],
      scores: { general: 0 },
      evidence: {},
      language: "en",
    });
  });

  it("returns general and the language for text that it can't read", () => {
    expect(categorizer.categorize("Der Support antwortet nicht, und die Rechnung ist falsch.")).toEqual({
      categories: ["general"],
      scores: { general: 0 },
      evidence: {},
      language: "de",
    });
  });

  it("gives the same well-formed answer for the same text, for any text", () => {
    const words = fc.constantFrom(
      "staff ",
      "price ",
      "crash ",
      "charged ",
      "twice ",
      "my ",
      "lawyer ",
      "class ",
      "action ",
      "n't work ",
      "\uD83D",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(words, { maxLength: 30 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (text) => {
        const result = categorizer.categorize(text);
        expect(result.categories.length).toBeGreaterThan(0);
        expect(result.categories).toEqual(inStableOrder(result.categories));
        for (const score of Object.values(result.scores)) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
        }
        for (const quote of Object.values(result.evidence).flat()) expect(text).toContain(quote);
        expect(new EmbeddedFeedbackCategorizer().categorize(text)).toEqual(result);
      }),
    );
  });

  it.each(Object.entries(HOSTILE_TEXTS))("takes little time for a million characters: %s", (_, text) => {
    expect(categories(text).length).toBeGreaterThan(0);
  });
});
