/**
 * Texts of about a million characters, which take a moment in linear time and hours in quadratic
 * time.
 */
const LENGTH = 1_000_000;
const filled = (piece: string): string => piece.repeat(Math.ceil(LENGTH / piece.length));

export const HOSTILE_TEXTS: Record<string, string> = {
  negations: filled("not "),
  "negations before contractions": filled("isn't don't "),
  "a denied list without an end": `no ${filled("bugs, ")}`,
  "faults that are fixed, without an end": filled("fixed bug "),
  "wishes without an end": filled("wish it should be more "),
  "exclamation marks": filled("!"),
  "one word": filled("a"),
  "one stretched opinion": `g${filled("o")}d`,
  "opinions without an end": filled("very good but bad although not "),
  "the beginnings of phrases": filled("still waiting for over at least "),
  "the beginnings of category phrases": filled("since the latest version please fix "),
  "the beginnings of addresses": filled("http:/ a@ www."),
  "one address": `https://${filled("a.")}`,
  "words with dots": filled("a."),
  "emoticon eyes": filled(":"),
  "emoticon mouths": `:${filled("(")}`,
  "underscores between hyphens": filled("-____"),
  apostrophes: filled("'a"),
  numbers: filled("1,"),
  emoji: filled("😡👍🏽"),
  "lone surrogates": filled("\uD83D \uDE00"),
  "combining marks": `a${filled("\u0301")}`,
  "right-to-left marks": filled("\u202Egood"),
  "other scripts": filled("很好"),
};
