const LETTERS = "bcdfghjklm";

/** A word that is in no list, different for each number. Digits would not do: texts that differ only in digits count as one. */
export const madeUpWord = (number: number): string =>
  String(number).replaceAll(/\d/g, (digit) => LETTERS[Number(digit)]!);
