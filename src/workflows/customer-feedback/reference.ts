import { createHash } from "node:crypto";
import { containsLink } from "../../integrations/email/link-detection.ts";

/**
 * Letters, digits and the usual marks between them: not a sentence, and short enough to say on the
 * phone.
 */
const SPEAKABLE = /^[A-Za-z0-9](?:[A-Za-z0-9._/#:-]{0,18}[A-Za-z0-9])?$/;

/**
 * Base 32 of Douglas Crockford (https://www.crockford.com/base32.html): no letter that could be
 * mistaken for a digit or another letter.
 */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 10;

/**
 * What a customer is asked to quote: the feedback's id if it is easy to say on the phone (at most
 * 20 characters, only letters, digits and punctuation between them) and can't be taken for a link;
 * otherwise ten characters derived from it (`7Q4KD-0M2XF`). The same id always has the same
 * reference. Among a million pieces of feedback, the probability that two share a derived reference
 * is about 1 in 2,000. So a reference helps to find feedback, but doesn't identify it.
 */
export const referenceOf = (feedbackId: string): string =>
  SPEAKABLE.test(feedbackId) && !containsLink(feedbackId) ? feedbackId : derivedReference(feedbackId);

/**
 * The derived reference, even if the id itself could be quoted. If a model chose the customer, it
 * also chose the id, and could put a message into it.
 */
export function derivedReference(feedbackId: string): string {
  // UTF-16 distinguishes lone surrogates; UTF-8 would turn them all into the same replacement
  // character.
  let bits = createHash("sha256").update(Buffer.from(feedbackId, "utf16le")).digest().readBigUInt64BE();
  let text = "";
  for (; text.length < LENGTH; bits >>= 5n) text += DIGITS[Number(bits & 31n)];
  return `${text.slice(0, LENGTH / 2)}-${text.slice(LENGTH / 2)}`;
}

/**
 * The normal form of a reference: it ignores case, spaces and punctuation, and treats O and 0, and
 * I, L and 1, as the same. Empty if nothing is left.
 */
export const referenceKey = (reference: string): string =>
  reference
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
