/** The words that people, programs and spreadsheets use in several languages. */
const WORDS = new Map([
  ...["true", "t", "yes", "y", "on", "1", "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí", "si", "vero", "sì"].map(
    (word) => [word, true] as const,
  ),
  ...["false", "f", "no", "n", "off", "0", "falsch", "nein", "faux", "non", "falso"].map(
    (word) => [word, false] as const,
  ),
]);

/** Reads a yes or no, in upper or lower case; undefined if the text is neither. */
export const readYesNo = (text: string): boolean | undefined => WORDS.get(text.trim().toLowerCase().normalize());
