import { isVisible } from "../../visible-text.ts";
import { withoutFooters } from "./footers.ts";
import { trimmedEnd } from "./lines.ts";
import { withoutQuotations } from "./quotations.ts";

type Cut = (lines: readonly string[]) => readonly string[];

/**
 * Removing one thing can uncover the next. A text that still changes after this many rounds is not
 * an email.
 */
const MAX_PASSES = 6;

/**
 * Returns the customer's own words in a text that may be an email: without quoted mail, signature
 * and footers (antivirus, confidentiality, company register, unsubscribing, "Sent from my iPhone").
 * Only whole lines are removed, and only if the signs are clear; in doubt, they stay. A text of
 * nothing but quotations is returned without its footers, and a text of nothing but footers
 * unchanged. Applied to its own result, it changes nothing. Takes linear time.
 *
 * @example
 * ownWords("Thanks!\n\nOn 5 May 2026 at 10:00, Ann <ann@shop.example> wrote:\n> Your invoice")
 * // "Thanks!"
 */
export function ownWords(text: string): string {
  const own = settled(text, withoutAll);
  if (own !== undefined) return own;
  const quoted = settled(text, withoutFooters);
  return quoted !== undefined && settled(quoted, withoutAll) === undefined ? quoted : text;
}

const withoutAll: Cut = (lines) => withoutFooters(withoutQuotations(lines));

/**
 * What is left when nothing more can be removed; undefined if nothing readable is left, or if the
 * text isn't an email.
 */
function settled(text: string, cut: Cut): string | undefined {
  let lines: readonly string[] = text.split(/\r\n|\r|\n/);
  const whole = lines.length;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const left = cut(lines);
    if (left.length < lines.length) lines = left;
    else if (lines.length === whole) return text;
    else return isVisible(lines.join("")) ? trimmedEnd(lines).join("\n") : undefined;
  }
  return undefined;
}
