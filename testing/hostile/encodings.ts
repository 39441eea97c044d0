/** Encodings that hide words from people or filters, but that models can still read. */

export const base64 = (text: string): string => Buffer.from(text).toString("base64");

export const hexadecimal = (text: string): string => Buffer.from(text).toString("hex");

export const percent = (text: string): string => encodeURIComponent(text);

export const rot13 = (text: string): string =>
  text.replaceAll(/[a-z]/gi, (letter) => {
    const first = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
  });

export const reversed = (text: string): string => Array.from(text).toReversed().join("");

export const entities = (text: string): string =>
  Array.from(text, (character) => `&#${character.codePointAt(0)};`).join("");

export const escapes = (text: string): string =>
  text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

const LOOK_ALIKES: Readonly<Record<string, string>> = {
  a: "а",
  c: "с",
  e: "е",
  i: "і",
  o: "о",
  p: "р",
  x: "х",
  y: "у",
};

/** Replaces Latin letters with Cyrillic ones that look the same. */
export const homoglyphs = (text: string): string =>
  text.replaceAll(/[aceiopxy]/g, (letter) => LOOK_ALIKES[letter] ?? letter);

const shifted = (text: string, offset: number): string =>
  text.replaceAll(/[!-~]/g, (character) => String.fromCodePoint(character.charCodeAt(0) + offset));

export const fullWidth = (text: string): string => shifted(text, 0xfee0);

/** Tag characters (from U+E0000), which are invisible; spaces become underscores. */
export const tags = (text: string): string => shifted(text.replaceAll(" ", "_"), 0xe0000);

/** Zero-width characters between the letters. */
export const zeroWidth = (text: string): string => Array.from(text).join("\u200B");

/** Each byte as a variation selector after an emoji. */
export const variationSelectors = (text: string): string =>
  `👍${Array.from(Buffer.from(text), (byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16)).join("")}`;

export const leet = (text: string): string =>
  text.replaceAll(/[aeiost]/g, (letter) => ({ a: "4", e: "3", i: "1", o: "0", s: "5", t: "7" })[letter] ?? letter);
