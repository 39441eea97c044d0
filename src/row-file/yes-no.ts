/** As people, programs and spreadsheets of several languages write it. */
const WORDS = new Map([
  ...["true", "t", "yes", "y", "on", "1", "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí", "si", "vero", "sì"].map(
    (word) => [word, true] as const,
  ),
  ...["false", "f", "no", "n", "off", "0", "falsch", "nein", "faux", "non", "falso"].map(
    (word) => [word, false] as const,
  ),
]);

/** What a text says, in any case; undefined where it is none of the known words. */
export const readYesNo = (text: string): boolean | undefined => WORDS.get(text.trim().toLowerCase().normalize());
