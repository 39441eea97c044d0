import { createHash } from "node:crypto";

export const FOLDS = 5;

/** The fold of a text, from 0: the same text is always in the same one. */
export const foldOf = (text: string): number => createHash("sha256").update(text).digest().readUInt32BE(0) % FOLDS;
