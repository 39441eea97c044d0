import type { Token } from "./tokenizer.ts";

/** How many tokens are searched for the last link. */
const MAX_REST_LENGTH = 24;

/**
 * Whether tokens `at` to `to` (exclusive) continue a list whose previous item ends at token `end`
 * (exclusive): "bugs or crashes". After a comma, they only do if the list has a link before its last
 * item ("bugs, glitches or crashes"). Otherwise, the comma begins something new: "No bugs, crashes
 * every day".
 * @param links words such as "or"
 */
export function isInNegatedList(
  tokens: readonly Token[],
  { end, at, to }: { end: number; at: number; to: number },
  links: ReadonlySet<string>,
): boolean {
  const isLink = (token: number): boolean => links.has(tokens[token]?.norm ?? "");
  const isComma = (token: number): boolean => tokens[token]?.norm === ",";
  if (isLink(at - 1)) return at - 1 === end || (at - 2 === end && isComma(end));
  if (at - 1 !== end || !isComma(end)) return false;
  // The items between here and the last link must be single words, and few, to limit the time.
  let next = to;
  while (next < to + MAX_REST_LENGTH && isComma(next) && tokens[next + 1]?.kind === "word" && !isLink(next + 1))
    next += 2;
  return isLink(isComma(next) ? next + 1 : next);
}
