const LETTERS = "bcdfghjklm";

/** A word that no list has, another one for each number: texts that differ only in digits count as one text. */
export const madeUpWord = (number: number): string =>
  String(number).replaceAll(/\d/g, (digit) => LETTERS[Number(digit)]!);
