/** A request cut into what the user says and what is handed over. Nothing of `body` is ever read as an instruction. */
export interface SplitRequest {
  /** The user's words before the text, and behind its closing quotation mark. */
  frame: string;
  /** Stated in quotation marks in the frame. */
  subject?: string;
  /** The text that is the matter; absent where the request hands over none. */
  body?: string;
  /** Whether the body stands in quotation marks, with an end of its own. */
  quoted: boolean;
}

const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "‘": "’" };
const SEPARATOR = /:(?=\s|["'“„«‘]|$)|(?<=\s|^)["'“„«‘]/u;
const ANNOUNCES_SUBJECT = /\b(?:subject|titled|entitled)\s*$/iu;

/** The user's own words may follow a quotation only if they are of this kind: whatever else stands there belongs to the text. */
export const NO_ANSWER =
  /\b(?:without\s+(?:an?\s+|any\s+)?(?:answer(?:ing)?|repl(?:y|ying)|respon(?:se|ding)|(?:e-?)?mail)|(?:do\s+not|don't|don’t)\s+(?:answer|reply|respond)|no\s+(?:answer|reply|response))\b/iu;

/**
 * Cuts at the first colon or opening quotation mark that does not belong to a stated subject. A quoted text goes on to the
 * last closing mark, whatever stands in between; an unquoted one to the end.
 */
export function splitRequest(text: string): SplitRequest {
  let frame = "";
  let subject: string | undefined;
  let rest = text.trim();
  for (;;) {
    const at = rest.search(SEPARATOR);
    if (at < 0) return { frame: frame + rest, ...(subject !== undefined && { subject }), quoted: false };
    const announced = subject === undefined && ANNOUNCES_SUBJECT.test(frame + rest.slice(0, at));
    frame += rest.slice(0, at);
    rest = rest.slice(rest[at] === ":" ? at + 1 : at).trimStart();
    const stated = announced ? leadingQuotation(rest) : undefined;
    if (stated === undefined) break;
    subject = stated;
    rest = rest.slice(stated.length + 2);
  }
  return { ...bodyOf(frame, rest), ...(subject !== undefined && { subject }) };
}

function bodyOf(frame: string, rest: string): SplitRequest {
  const closing = CLOSING[rest[0] ?? ""];
  const end = closing === undefined ? 0 : rest.lastIndexOf(closing);
  const remark = rest.slice(end + 1);
  // In "'Tis late, I can't log in" the last apostrophe ends no quotation: what follows is no remark of the user's.
  const quoted = end > 0 && isRemark(remark);
  const body = (quoted ? rest.slice(1, end) : rest).trim();
  return { frame: quoted ? `${frame} ${remark}` : frame, ...(body !== "" && { body }), quoted };
}

const isRemark = (text: string): boolean =>
  /^[\s.,;!?()–-]*$/u.test(text.replace(NO_ANSWER, "").replace(/please/iu, ""));

/** A quotation on one line at the very start, with its end before a space, a mark or the end of the text. */
function leadingQuotation(text: string): string | undefined {
  const closing = CLOSING[text[0] ?? ""];
  if (closing === undefined) return undefined;
  const [line = ""] = text.slice(1).split(/[\r\n]/u, 1);
  for (let end = line.indexOf(closing); end >= 0; end = line.indexOf(closing, end + 1)) {
    if (/^(?:$|[\s:,;.)])/u.test(line.slice(end + 1))) return line.slice(0, end);
  }
  return undefined;
}
