import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { SENTIMENTS, type Sentiment } from "../../../src/analysis/sentiment-analyzer.ts";
import { HOSTILE_TEXTS } from "../hostile-texts.ts";

const analyzer = new EmbeddedSentimentAnalyzer();
const judge = (text: string): Sentiment => analyzer.analyze(text).sentiment;

const EXAMPLES: Record<string, [Sentiment, string][]> = {
  "the guide's sentences": [
    ["positive", "This product is great and I love it!"],
    ["negative", "This product is terrible and I hate it!"],
    ["neutral", "This product is okay."],
    ["positive", "The product is great!"],
  ],
  inflections: [
    ["positive", "We loved every minute"],
    ["negative", "It keeps failing"],
    ["negative", "The hinges broke"],
    ["positive", "The friendliest people"],
  ],
  "words that are praise as one part of speech and blame as another": [
    ["negative", "My wallet was stolen"],
    ["negative", "The cook steals from the till"],
    ["positive", "What a steal!"],
  ],
  "contractions with other apostrophes": [
    ["negative", "I wasn´t happy with the room"],
    ["negative", "I wasn′t happy with the room"],
    ["negative", "I wasn’t happy with the room"],
  ],
  "faults that are over, rare or kept away": [
    ["positive", "They solved my problem"],
    ["positive", "My problem was solved within minutes"],
    ["negative", "My problem was not solved"],
    ["negative", "You should have solved my problem"],
    ["positive", "Bug-free and stain-free, well done"],
    ["positive", "It used to crash, now it is stable"],
    ["negative", "I am used to crashes by now"],
  ],
  negation: [
    ["negative", "The soup is not good"],
    ["negative", "It isn't very good"],
    ["negative", "isnt good"],
    ["positive", "Not bad at all"],
    ["positive", "I can't complain"],
    ["positive", "No problems with it so far"],
    ["negative", "It hardly works"],
    ["negative", "This never works"],
    ["negative", "I would not recommend it"],
    ["positive", "It is not only useful but beautiful"],
    ["positive", "The staff was not rude"],
    ["negative", "The new door does not reach the floor"],
    ["negative", "This is not remotely comfortable"],
    ["positive", "I did not order the blue lamp which is superb"],
    ["positive", "It is not red, it is superb"],
    ["positive", "It is not red but superb"],
    ["negative", "It is no longer reliable"],
    ["positive", "No doubt it is great"],
    ["positive", "Nothing short of brilliant"],
    ["positive", "Nothing beats a good cup of their coffee"],
    ["positive", "You can't fault the friendly staff"],
    ["positive", "Without hesitation I recommend them"],
    ["positive", "Not red but superb"],
    ["positive", "No scratches, dents or stains"],
    ["negative", "No scratches, broken all the same"],
    ["neutral", "We saw neither bugs nor crashes"],
  ],
  "reversal without a negation": [
    ["negative", "The room was far from clean"],
    ["negative", "The answer was less than helpful"],
    ["negative", "This one is less reliable"],
    ["positive", "It is more or less perfect"],
    ["negative", "Nowhere near as good as the old one"],
    ["negative", "I used to love this shop"],
    ["positive", "I am used to good food, and this is delicious"],
    ["positive", "I am used to love and respect here"],
    ["positive", "The shirt is free of stains"],
    ["positive", "The room was free of dirt and noise"],
    ["negative", "It came free of charge and broken"],
    ["positive", "Not far from perfect"],
    ["positive", "Never less than excellent"],
    ["negative", "No less awful than before"],
    ["negative", "It is anything but nice"],
    ["negative", "The lamp is free from charm"],
    ["positive", "I spent less on a nice lamp"],
    ["positive", "A machine used to make great coffee"],
    ["positive", "What I used to fix it was excellent glue"],
  ],
  "comparatives that nothing comes up to": [
    ["positive", "It could not be better"],
    ["negative", "You can do better than this"],
    ["positive", "The driver couldn't have been more polite"],
    ["positive", "I have never had a better pizza"],
    ["positive", "You can't find better service"],
    ["positive", "Nothing could be better"],
    ["negative", "They could not be bothered to be nicer"],
    ["negative", "I can not say it is better"],
    ["negative", "I could not be angrier"],
    ["positive", "I never met anyone more reliable"],
    ["negative", "It couldn't have been worse"],
    ["negative", "It can't get any worse"],
    ["negative", "They couldn't be less interested"],
    ["negative", "I have never seen a worse film"],
    ["negative", "The new one is not better"],
    ["negative", "It never got better"],
    ["negative", "It is not a better lamp"],
    ["negative", "It cannot be comfortable"],
  ],
  "set phrases": [
    ["negative", "Too good to be true"],
    ["negative", "It leaves much to be desired"],
    ["negative", "I've had better"],
    ["negative", "It no longer works"],
    ["positive", "I can't recommend this hotel enough"],
    ["positive", "I can't praise the team highly enough"],
    ["positive", "There is nothing to complain about"],
    ["positive", "It was hard to find anything better"],
    ["positive", "I would not hesitate to book again"],
    ["neutral", "If you have questions, don't hesitate to ask"],
  ],
  contrast: [
    ["negative", "The food was good but the service was horrible."],
    ["negative", "The room was excellent but the view was bad."],
    ["positive", "The service was slow, but the food was wonderful."],
    ["positive", "Although the box was damaged, I love the lamp."],
    ["positive", "Bad light, a poor cable and a dirty foot, but a good lamp with a nice shade."],
    ["negative", "A good lamp with a nice shade, but bad light, a poor cable and a dirty foot."],
    ["negative", "Bad light, a poor cable, a dirty foot. It is red but blue inside. A good lamp, a nice shade."],
  ],
  balance: [
    ["neutral", "Good and nice, dirty and stiff"],
    ["negative", "A bad, inferior lamp. It is good and nice."],
    ["positive", "A dirty, stiff lamp. It is good and nice!!!"],
    ["neutral", "A good, nice lamp, with no lid, no foot and no cable, and a little dirty"],
  ],
  questions: [
    ["neutral", "Is the soup good?"],
    ["neutral", "Does anyone know whether the battery is good?"],
    ["positive", "Is it dirty, stiff or faint? The lamp is good and nice."],
    ["neutral", "The lamp is dirty, stiff and faint. It is good and nice."],
    ["negative", "Why is this so slow?"],
  ],
  "complaints without opinion words": [
    ["negative", "I was on hold for three hours"],
    ["negative", "I am still waiting for an answer"],
    ["negative", "I was charged twice in May"],
    ["negative", "It stopped working on Monday"],
    ["negative", "My parcel never arrived"],
    ["negative", "What a waste of money"],
    ["negative", "I want my money back"],
    ["negative", "The internet is down again"],
    ["negative", "The app logs me out every time"],
    ["negative", "Used to be good, now it is just ads"],
    ["negative", "Your chat bot goes in circles"],
    ["negative", "It arrived two weeks late"],
    ["negative", "Still no refund after a month"],
    ["negative", "The parcel was empty"],
    ["negative", "My letters remain unanswered"],
    ["negative", "I have yet to receive an invoice"],
    ["negative", "I phoned several times"],
    ["negative", "It came without the charger"],
    ["negative", "The delivery is two weeks overdue"],
  ],
  "praise without opinion words": [
    ["positive", "The lamp arrived three days early"],
    ["positive", "They replied within minutes"],
    ["neutral", "I ordered 3 more last week"],
    ["negative", "They could have answered within a day"],
    ["negative", "They promised to reply within a day and never did"],
    ["positive", "Ships without unnecessary plastic, which I like"],
    ["positive", "It came without a single scratch"],
  ],
  "wishes and faults": [
    ["negative", "It could be better"],
    ["negative", "The sleeves are too short"],
    ["negative", "You should have told us"],
    ["neutral", "It would be nice to have an export button"],
    ["neutral", "It would be great if you could add a dark mode"],
    ["neutral", "I would love to see more colours"],
    ["negative", "It should be easier to export"],
    ["negative", "The manual ought to be clearer"],
    ["negative", "It needs to be more reliable"],
    ["positive", "It could be worse"],
    ["negative", "I wish it were easier to use"],
    ["negative", "I wish you had been friendlier"],
    ["positive", "I wish you all the best"],
    ["positive", "I wish it were mine, it is superb"],
    ["positive", "It should be perfect for you"],
    ["positive", "Best wishes and great thanks to the team"],
    ["positive", "Wishing the lovely staff a great year"],
    ["positive", "I wish every shop had such friendly staff"],
    ["positive", "I wished for a soft blanket and got a wonderful one"],
    ["positive", "I wish I could give it 6 stars, it is brilliant!"],
    ["negative", "I wish the lamp in the hall of the second house were cheaper"],
    ["negative", "I wish they had told me of the rude waiter"],
    ["positive", "You should be happier than ever with this phone"],
    ["negative", "They should answer faster"],
    ["negative", "This has to be better"],
  ],
  "plain sarcasm": [
    ["negative", "Great, another crash"],
    ["negative", "Thanks for nothing"],
  ],
  "signs and spelling": [
    ["positive", "👍"],
    ["negative", "👎👎"],
    ["positive", ":-)"],
    ["negative", "it rained :("],
    ["positive", "soooo goooood"],
  ],
  "word boundaries": [
    ["neutral", "My badge has a number on it"],
    ["neutral", "The glove is in the hall"],
    ["neutral", "I took a crash course in cooking"],
    ["neutral", "See https://example.org/terrible/bad"],
    ["neutral", "Please write to joy.best@example.com"],
  ],
  "nothing to judge": [
    ["neutral", ""],
    ["neutral", "The meeting is on Tuesday at ten"],
    ["neutral", "Where do I find the second page?"],
    ["neutral", "It is a small lamp"],
    ["neutral", "I used to live in Rome"],
    ["neutral", "It is less than ten minutes from here"],
    ["neutral", "The patient was seen on Monday"],
    ["neutral", "We take a coffee break at ten"],
    ["neutral", "I got a bug report template"],
  ],
};

describe("EmbeddedSentimentAnalyzer", () => {
  for (const [kind, examples] of Object.entries(EXAMPLES)) {
    it.each(examples)(`${kind}: %s – %s`, (sentiment, text) => {
      expect(judge(text)).toBe(sentiment);
    });
  }

  it("does not count faults that are over as blame", () => {
    const negatives = (text: string): boolean => judge(text) === "negative";
    const over = ["You fixed the crash", "The bug has been fixed", "The error went away", "It rarely crashes"];
    const open = ["You caused the crash", "The bug has been found", "The error went on", "It daily crashes"];
    expect(over.filter(negatives)).toEqual([]);
    expect(open.filter(negatives)).toEqual(open);
  });

  it("is more certain with stronger words and emphasis", () => {
    const score = (text: string): number => analyzer.analyze(text).score;
    expect(score("The lamp is superb")).toBeGreaterThan(score("The lamp is good"));
    expect(score("The lamp is very good")).toBeGreaterThan(score("The lamp is good"));
    expect(score("The lamp is fairly good")).toBeLessThan(score("The lamp is good"));
    expect(score("The lamp is good!!!")).toBeGreaterThan(score("The lamp is good"));
    expect(score("The lamp is goooood")).toBeGreaterThan(score("The lamp is good"));
    expect(score("The lamp is GOOD")).toBeGreaterThan(score("The lamp is good"));
    expect(score("Is the lamp terrible?")).toBeLessThan(score("The lamp is terrible"));
  });

  it("does not take capitals for emphasis if all letters are capitals", () => {
    expect(analyzer.analyze("THE LAMP IS GOOD").score).toBe(analyzer.analyze("the lamp is good").score);
  });

  it("is less certain of an opinion expressed by denying its opposite", () => {
    const score = (text: string): number => analyzer.analyze(text).score;
    expect(score("Not ugly, not poor, not dirty")).toBeLessThan(score("Sturdy, tidy, elegant"));
    expect(score("Not sturdy, not tidy, not elegant")).toBeLessThan(score("Bad, poor, dirty"));
  });

  it("returns the words that counted, in order, with their negations", () => {
    expect(analyzer.analyze("It isn't good, the staff was rude and I was on hold").evidence).toEqual([
      "isn't good",
      "rude",
      "on hold",
    ]);
  });

  it("returns the words that reverse them", () => {
    const evidence = (text: string): string[] => analyzer.analyze(text).evidence;
    expect(evidence("It is far from perfect")).toEqual(["far from perfect"]);
    expect(evidence("I used to love it")).toEqual(["used to love"]);
    expect(evidence("I am used to good food")).toEqual(["good"]);
  });

  it("returns no words for a neutral text without opinions", () => {
    expect(analyzer.analyze("The meeting is on Tuesday at ten").evidence).toEqual([]);
  });

  it("returns at most twelve words", () => {
    const opinions = "good bad great poor nice ugly superb awful lovely nasty perfect dirty elegant rude happy sad";
    expect(analyzer.analyze(opinions).evidence).toHaveLength(12);
  });

  it("names the language of text that it can't read, and does not guess", () => {
    expect(analyzer.analyze("Das Produkt ist super, aber der Service ist leider eine Katastrophe.")).toEqual({
      sentiment: "neutral",
      score: 0,
      evidence: [],
      language: "de",
    });
  });

  it.each(["완전 최악", "質が悪い", "最悪", "差评", "سيئ", "Плохо", "แย่มาก", "Die Hotline war nett", "C'est terrible"])(
    "does not judge text that is too short to name its language but not English: %s",
    (text) => {
      expect(analyzer.analyze(text)).toMatchObject({ sentiment: "neutral", score: 0, evidence: [] });
    },
  );

  it.each([
    "Škoda broken",
    "José rude",
    "Nestlé overpriced",
    "Das Keyboard stopped working",
    "Rapide Auto overcharged",
  ])("judges an English opinion beside a foreign name: %s", (text) => {
    expect(judge(text)).toBe("negative");
  });

  it("does not judge a longer text without English words", () => {
    const text = "Bidhaa ilifika ikiwa imeharibika na hakuna mtu anayejibu ujumbe wangu";
    expect(analyzer.analyze(text)).toEqual({ sentiment: "neutral", score: 0, evidence: [], language: "und" });
  });

  it("judges English text with a homograph or a foreign name in it", () => {
    expect(judge("A die hard fan of this, great")).toBe("positive");
    expect(judge("Иван, your support is great")).toBe("positive");
  });

  it("reads the first 20,000 characters", () => {
    const plain = "The table stands in the hall. ".repeat(700);
    expect(analyzer.analyze(`${plain.slice(0, 19_990)} superb`).evidence).toContain("superb");
    expect(analyzer.analyze(`${plain} superb`).evidence).not.toContain("superb");
  });

  it("takes a short text for English if it has an English opinion", () => {
    expect(analyzer.analyze("great").language).toBe("en");
    expect(analyzer.analyze("xyz").language).toBe("und");
  });

  it.each(["Terrible servicio", "No funciona", "Sehr schlecht", "Très mauvais service", "Pessimo servizio"])(
    "does not judge a short text in another language by a word that English also has: %s",
    (text) => {
      expect(analyzer.analyze(text)).toMatchObject({ sentiment: "neutral", score: 0, evidence: [] });
    },
  );

  it.each([undefined, null, 5, {}])("says what it expects if it doesn't get a string: %j", (text) => {
    expect(() => analyzer.analyze(text as never)).toThrow(TypeError);
    expect(() => analyzer.analyze(text as never)).toThrow(/must be a string, not (?:undefined|null|number|object)/);
  });

  it("also says so at its very first call", async () => {
    vi.resetModules();
    const { EmbeddedFeedbackCategorizer, EmbeddedSentimentAnalyzer } = await import("../../../src/analysis.ts");
    expect(() => new EmbeddedSentimentAnalyzer().analyze(undefined as never)).toThrow(
      "must be a string, not undefined",
    );
    expect(() => new EmbeddedFeedbackCategorizer().categorize(undefined as never)).toThrow("must be a string");
  });

  it("has score 0 if there is nothing to read", () => {
    expect(analyzer.analyze(" \n ")).toEqual({ sentiment: "neutral", score: 0, evidence: [], language: "und" });
  });

  it("gives the same well-formed answer for the same text, for any text", () => {
    const words = fc.constantFrom(
      "not ",
      "good ",
      "BAD ",
      "but ",
      "very ",
      "n't ",
      "! ",
      "? ",
      "’",
      "👍",
      "\uD83D",
      "too small ",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(words, { maxLength: 30 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (text) => {
        const result = analyzer.analyze(text);
        expect(SENTIMENTS).toContain(result.sentiment);
        expect(result.score).toBeGreaterThanOrEqual(0);
        expect(result.score).toBeLessThanOrEqual(1);
        for (const quote of result.evidence) expect(text).toContain(quote);
        expect(new EmbeddedSentimentAnalyzer().analyze(text)).toEqual(result);
      }),
    );
  });

  it.each(Object.entries(HOSTILE_TEXTS))("takes little time for a million characters: %s", (_, text) => {
    const { score, evidence } = analyzer.analyze(text);
    expect(score).toBeLessThanOrEqual(1);
    expect(evidence.length).toBeLessThanOrEqual(12);
  });
});
