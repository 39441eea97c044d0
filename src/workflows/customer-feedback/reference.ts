import { createHash } from "node:crypto";
import { containsLink } from "../../integrations/email/link-detection.ts";

/** Letters, digits and the usual marks between them: no sentence, and short enough to be said on the telephone. */
const SPEAKABLE = /^[A-Za-z0-9](?:[A-Za-z0-9._/#:-]{0,18}[A-Za-z0-9])?$/;

/** Base 32 of Douglas Crockford (https://www.crockford.com/base32.html): no letter that is taken for a digit or another one. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 10;

/**
 * What a customer is asked to quote: the feedback's id where it is short enough to be said on the telephone (20 characters at
 * most, letters, digits and the usual marks between them) and can't be taken for a link, else ten characters that are derived from it (`7Q4KD-0M2XF`). The same id, the same
 * reference, for good. Of a million pieces of feedback two share a derived one with a probability of 1 in 2,000: it finds
 * feedback, it does not identify it.
 */
export const referenceOf = (feedbackId: string): string =>
  SPEAKABLE.test(feedbackId) && !containsLink(feedbackId) ? feedbackId : derivedReference(feedbackId);

/** The derived one, whatever the id: a model that chose whose feedback it is chose the id as well, and may say something by it. */
export function derivedReference(feedbackId: string): string {
  // UTF-16 keeps lone surrogates apart, which UTF-8 would all turn into the same replacement character.
  let bits = createHash("sha256").update(Buffer.from(feedbackId, "utf16le")).digest().readBigUInt64BE();
  let text = "";
  for (; text.length < LENGTH; bits >>= 5n) text += DIGITS[Number(bits & 31n)];
  return `${text.slice(0, LENGTH / 2)}-${text.slice(LENGTH / 2)}`;
}

/**
 * What two spellings of one reference have in common: case, blanks and marks do not count, nor whether it is an O or a 0, an
 * I, an L or a 1. Empty where nothing of a reference is left.
 */
export const referenceKey = (reference: string): string =>
  reference
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
