/**
 * A request, split into the user's own words and the quoted text. Nothing in `body` is ever
 * interpreted as an instruction.
 */
export interface SplitRequest {
  /** The user's words before the text and after its closing quotation mark. */
  frame: string;
  /** The subject, if the frame states one in quotation marks. */
  subject?: string;
  /** The text that the request is about; absent if it contains none. */
  body?: string;
  /** Whether the body is in quotation marks or a fenced block, which show where it ends. */
  quoted: boolean;
  /** Whether the user's words and the quoted ones can't be distinguished. */
  ambiguous?: true;
}

/**
 * Maps an opening quotation mark to its possible closing marks, because keyboards and word
 * processors mix the marks of a family.
 */
const CLOSING: ReadonlyMap<string, string> = new Map([
  ['"', '"”'],
  ["“", '”“"'],
  ["„", '“”"'],
  ["'", "'’"],
  ["‘", "’'"],
  ["‚", "‘’'"],
  ["«", "»"],
  ["»", "«"],
  ["‹", "›"],
  ["›", "‹"],
  ["`", "`´"],
  ["「", "」"],
  ["『", "』"],
]);

const MARKS = [...CLOSING.keys()].join("");

/**
 * A colon, a quotation mark without a letter or digit before it (after one, it may be an apostrophe
 * or an inch mark), or a line quoted as in emails or Markdown.
 */
const SEPARATOR = new RegExp(`:(?=[\\s${MARKS}]|$)|(?<![\\p{L}\\p{N}])[${MARKS}]|(?<=\\n {0,3})(?:>|~~~)`, "u");
const ANNOUNCES_SUBJECT = /\b(?:subject|titled|entitled)\s*$/iu;

export const startsWithMark = (text: string): boolean => CLOSING.has(text[0] ?? "");

/** Whether a line is quoted as a whole, or begins or ends a quoted block. */
export const isQuotedLine = (line: string): boolean => /^\s{0,3}(?:>|```|~~~)/u.test(line);

/**
 * The remarks that may follow a quotation as the user's own words: a feedback id, and a request not
 * to answer. Anything else belongs to the text.
 */
export const FEEDBACK_ID = /\bfeedback\s+(?:id(?:\s+is|:)?\s+|no\.?\s+|number\s+|#)?((?=[\w./+-]*\d)[\w./+-]*\w)/iu;
export const NO_ANSWER =
  /\b(?:without\s+(?:an?\s+|any\s+)?(?:answer(?:ing)?|repl(?:y|ying)|respon(?:se|ding)|(?:e-?)?mail)|(?:do\s+not|don't|don’t)\s+(?:answer|reply|respond)|no\s+(?:answer|reply|response))\b/iu;

const MAX_REMARK_LENGTH = 100;

/**
 * Splits at the first colon or opening quotation mark that does not belong to a stated subject. A
 * quoted text extends to the last closing mark that is followed only by a remark, whatever is in
 * between; an unquoted one extends to the end.
 */
export function splitRequest(text: string): SplitRequest {
  const { frame, rest, onNewLine } = cut(text.trim());
  if (rest === undefined) return { frame, quoted: false };
  if (!ANNOUNCES_SUBJECT.test(frame.slice(-100)) || !startsWithMark(rest)) return bodyOf(frame, rest, onNewLine);
  const { subject, ambiguous } = leadingQuotation(rest);
  if (ambiguous) return { frame, quoted: false, ambiguous };
  if (subject === undefined) return bodyOf(frame, rest, onNewLine);
  const after = cut(rest.slice(subject.length + 2));
  const whole = frame + after.frame;
  return {
    ...(after.rest === undefined ? { frame: whole, quoted: false } : bodyOf(whole, after.rest, after.onNewLine)),
    subject,
  };
}

interface Cut {
  frame: string;
  /** What follows the separator, including an opening quotation mark. */
  rest?: string;
  /** Whether the rest begins on its own line, or its separator is not a colon. */
  onNewLine: boolean;
}

/** Splits into the text before the first separator and the rest after it. */
function cut(text: string): Cut {
  const at = text.search(SEPARATOR);
  if (at < 0) return { frame: text, onNewLine: false };
  const after = text.slice(text[at] === ":" ? at + 1 : at);
  const rest = after.trimStart();
  const onNewLine = text[at] !== ":" || after.slice(0, after.length - rest.length).includes("\n");
  return { frame: text.slice(0, at), rest, onNewLine };
}

function bodyOf(frame: string, rest: string, onNewLine: boolean): SplitRequest {
  // In "'Tis late, I can't log in", the last apostrophe does not end a quotation, because what
  // follows is not a remark.
  const quotation = beginsFencedBlock(rest) ? fencedBlock(rest) : quotationAtStart(rest);
  const body = (quotation?.text ?? (onNewLine ? withoutQuoteMarks(rest) : rest)).trim();
  return {
    frame: quotation === undefined ? frame : `${frame} ${quotation.remark}`,
    ...(body !== "" && { body }),
    quoted: quotation !== undefined,
  };
}

interface Quotation {
  text: string;
  remark: string;
}

/** A quotation that ends at the last closing mark with at most a remark after it. */
function quotationAtStart(text: string): Quotation | undefined {
  const closing = CLOSING.get(text[0] ?? "");
  if (closing === undefined) return undefined;
  for (let at = text.length - 1; at > 0 && at >= text.length - MAX_REMARK_LENGTH; at -= 1) {
    const remark = text.slice(at + 1);
    if (closing.includes(text[at] ?? "") && isRemark(remark)) return { text: text.slice(1, at), remark };
  }
  return undefined;
}

const beginsFencedBlock = (text: string): boolean => /^(?:`{3,}[^`\n]*|~{3,}[^\n]*)\n/u.test(text);

/** A block between lines of three or more backticks or tildes. */
function fencedBlock(text: string): Quotation | undefined {
  const fence = /^(?:`{3,}|~{3,})/u.exec(text)?.[0];
  if (fence === undefined) return undefined;
  const begin = text.indexOf("\n");
  const end = text.lastIndexOf(`\n${fence}`);
  if (end < 0) return undefined;
  const remark = text.slice(end + 1 + fence.length);
  return isRemark(remark) ? { text: text.slice(begin, end), remark } : undefined;
}

const isRemark = (text: string): boolean =>
  /^[\s.,;!?()–-]*$/u.test(
    text
      .replace(FEEDBACK_ID, "")
      .replace(NO_ANSWER, "")
      .replaceAll(/\b(?:and|but|please|the)\b/giu, ""),
  );

/** The text without the `>` before each line, if every line has one. */
function withoutQuoteMarks(text: string): string {
  const lines = text.split("\n");
  const quoted = lines.every((line) => /^\s{0,3}>/u.test(line) || line.trim() === "");
  return quoted ? lines.map((line) => line.replace(/^\s{0,3}> ?/u, "")).join("\n") : text;
}

/**
 * A quotation on one line at the very start. Its closing mark comes before a space, a punctuation
 * mark or the end of the line. Of several such marks, it is the one directly before the next
 * colon, or before the end of the line if there is no colon. If there is none there, the quotation
 * is ambiguous.
 */
function leadingQuotation(text: string): { subject?: string; ambiguous?: true } {
  const closing = CLOSING.get(text[0] ?? "") ?? "";
  const [line = ""] = text.slice(1).split(/[\r\n]/u, 1);
  const ends = Array.from(line.matchAll(new RegExp(`[${closing}](?=$|[\\s:,;.)])`, "gu")), ({ index }) => index);
  const [first] = ends;
  if (first === undefined) return {};
  const colon = line.indexOf(":", first);
  const before = colon < 0 ? line.length : colon;
  if (ends.includes(before - 1)) return { subject: line.slice(0, before - 1) };
  return ends.length > 1 ? { ambiguous: true } : { subject: line.slice(0, first) };
}

const ANY_MARK = new RegExp(`[${MARKS}”’´」』]`, "gu");

const FENCE = /(?:^|\n) {0,3}(`{3,}|~{3,})/gu;

/**
 * Whether a text ends inside a quotation or a block of code. In doubt, the answer is yes: an
 * apostrophe after an s (`the users' data`) and an inch mark (`a 5" screen`) do not end a
 * quotation.
 */
export function endsInQuotation(text: string): boolean {
  const [fence, ...furtherFences] = text.matchAll(FENCE);
  if (fence !== undefined) {
    const end = furtherFences.find(([, marks = ""]) => marks.startsWith(fence[1] ?? ""));
    if (end === undefined) return true;
    return endsInQuotation(`${text.slice(0, fence.index)} ${text.slice(end.index + end[0].length)}`);
  }
  const open: string[] = [];
  for (const { 0: mark, index: at } of text.matchAll(ANY_MARK)) {
    const ended = open.findLastIndex((closing) => closing.includes(mark));
    const before = text.slice(Math.max(0, at - 20), at);
    const after = text.slice(at + 1, at + 3);
    const begins = /(?:^|[^\p{L}\p{N}.,;!?…])$/u.test(before) && !/^(?:$|[\s.,;:!?)])/u.test(after);
    if (ended >= 0 && !begins && !continues(before, mark, after)) open.length = ended;
    else if (CLOSING.has(mark) && (begins || (ended < 0 && /(?:^|[\s:(])$/u.test(before))))
      open.push(CLOSING.get(mark) ?? "");
  }
  return open.length > 0;
}

/**
 * Whether a mark is an apostrophe or an inch mark, so that the quotation around it may continue.
 */
const continues = (before: string, mark: string, after: string): boolean =>
  /^[\p{L}\p{N}]/u.test(after) ||
  (/['’]/u.test(mark) && before.endsWith("s") && /^\s\p{L}/u.test(after)) ||
  (mark === '"' && /(?:^|\s)\d+(?:\.\d+)?$/u.test(before) && /^\s\p{L}/u.test(after));
