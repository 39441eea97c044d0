import { createHash } from "node:crypto";

export const FOLDS = 5;

/** A text without case, digits, blanks, punctuation and masks, in which near-duplicates differ. */
const lettersOf = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}]+/gu, " ")
    .trim();

/**
 * The fold of a text, from 0. Texts that differ only in numbers, masks, blanks, case or punctuation
 * are in the same fold. Otherwise a held-out text would be judged by weights learned from its twin.
 */
export const foldOf = (text: string): number =>
  createHash("sha256").update(lettersOf(text)).digest().readUInt32BE(0) % FOLDS;
