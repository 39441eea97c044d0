import { isVisible } from "../../visible-text.ts";
import { withoutFooters } from "./footers.ts";
import { trimmedEnd } from "./lines.ts";
import { withoutQuotations } from "./quotations.ts";

type Cut = (lines: readonly string[]) => readonly string[];

/** Taking one thing off can uncover the next. A text that has not settled by then is no mail. */
const MAX_PASSES = 6;

/**
 * The customer's own words of a text that may be a mail: without quoted mail, signature and footers (antivirus, confidentiality,
 * company register, unsubscribing, "Sent from my iPhone"). Lines are taken off whole, and only on clear evidence: where in doubt
 * they stay. A text that is nothing but quotations is returned without its footers, one that is nothing but footers as it is.
 * Asked about its own answer, it gives the same again. Takes linear time.
 *
 * @example ownWords("Thanks!\n\nOn 5 May 2026 at 10:00, Ann <ann@shop.example> wrote:\n> Your invoice") // "Thanks!"
 */
export function ownWords(text: string): string {
  const own = settled(text, withoutAll);
  if (own !== undefined) return own;
  const quoted = settled(text, withoutFooters);
  return quoted !== undefined && settled(quoted, withoutAll) === undefined ? quoted : text;
}

const withoutAll: Cut = (lines) => withoutFooters(withoutQuotations(lines));

/** What is left when there is nothing more to take off; undefined where that is nothing that could be read. */
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
