import {
  FEEDBACK_ID,
  isQuotedLine,
  NO_ANSWER,
  splitRequest,
  startsWithMark,
  type SplitRequest,
} from "./split-request.ts";

/** A tool call as the rules plan it. */
export interface PlannedCall {
  name: string;
  args: Record<string, unknown>;
}

/** The result of reading a message: calls, or the reason why there are none. */
export type RequestReading =
  | { calls: PlannedCall[] }
  | { missing: "customer_id" | "text" | "clear_end" }
  | { unknown: true };

const CUSTOMER_ID = /\b(?:customer|client|from)\s+(?:id\s+|no\.?\s+|number\s+|#)?((?=[\w./@+-]*[\d_-])[\w./@+-]*\w)/giu;
const SUBJECT = /\b(?:subject|titled|entitled)\s+(?:is\s+)?([^\s,;:][^,;:\r\n]*)/iu;
/**
 * Requests to process feedback: the first pattern, and the second somewhere after it. These are two
 * searches, because `.*` in between would take quadratic time.
 */
const PROCESSING = [
  [/\b(?:process|handle|record|submit|register|take)\b/iu, /\bfeedback\b/iu],
  [
    /\b(?:customer|client)\b/iu,
    /\b(?:wrote|writes|says|said|sent|sends|complain(?:s|ed)|report(?:s|ed)|told|ask(?:s|ed))\b/iu,
  ],
  [/\bfeedback\b/iu, /\bfrom\b/iu],
] as const;
const HISTORY =
  /\b(?:history|know\s+about|tell\s+me\s+about|show|what\s+(?:has|did|happened|became|becomes)|status\s+of)\b/iu;
/**
 * A feedback id after these words, without the word `feedback` before it: `what happened to F-1?`.
 */
const WHAT_OF =
  /\b(?:about|happened\s+(?:to|with)|becomes?\s+of|became\s+of|status\s+of)\s+((?=[\w./+-]*\d)(?=[\w./+-]*[a-z_-])[\w./+-]*\w)/iu;
const ANALYSIS = [/\banaly[sz]e\b/iu, /\b(?:text|feedback|message|this)\b/iu] as const;
const WANTS_SENTIMENT = /\b(?:sentiment|mood|tone)\b/iu;
const WANTS_CATEGORIES = /\bcategor/iu;
const LIST_MARK = /^\s*(?:[-*•]|\d{1,3}[.)])\s+/u;

/**
 * Reads a request by rules. Only the user's own words decide which tools run and with which ids;
 * the quoted text is passed on unchanged. Everything inside a quotation is data, whatever it looks
 * like. If every line is a request, the lines form a list, provided that they are below a heading
 * or each has a bullet or a number, and that no quotation spans several lines. Otherwise it is
 * unclear whose lines they are, and nothing is done. Any other message is one request.
 */
export function readRequest(message: string): RequestReading {
  const whole = splitRequest(message);
  const list = readList(message);
  if (list === undefined) return readOne(whole);
  const inQuotation = whole.quoted && whole.body?.includes("\n") === true;
  return list.announced && !inQuotation ? { calls: list.calls } : { missing: "clear_end" };
}

/** The calls of a message in which every line is a request; undefined for any other message. */
function readList(message: string): { calls: PlannedCall[]; announced: boolean } | undefined {
  const lines = message.split(/\r?\n/u).filter((line) => line.trim() !== "");
  const [first = "", ...others] = lines.map((line) => line.replace(LIST_MARK, "").trim());
  // "Please process these:" is a heading, not an empty request.
  const heading = others.length > 1 && first.endsWith(":") && !namesCustomer(first);
  const items = heading ? others : [first, ...others];
  if (items.length < 2 || items.some(isQuotedLine)) return undefined;
  const calls: PlannedCall[] = [];
  for (const item of items) {
    const planned = readLine(item);
    if (planned === undefined) return undefined;
    calls.push(...planned);
  }
  return { calls, announced: heading || lines.every((line) => LIST_MARK.test(line)) };
}

const namesCustomer = (text: string): boolean => text.search(CUSTOMER_ID) >= 0;

/** The calls of a line that is a complete request. */
function readLine(line: string): PlannedCall[] | undefined {
  const request = splitRequest(line);
  if (request.body === undefined || (!request.quoted && startsWithMark(request.body))) return undefined;
  const reading = readOne(request);
  return "calls" in reading ? reading.calls : undefined;
}

const follows = (text: string, [first, second]: readonly [RegExp, RegExp]): boolean => {
  const found = first.exec(text);
  return found !== null && second.test(text.slice(found.index + found[0].length));
};

function readOne({ frame, subject, body, ambiguous }: SplitRequest): RequestReading {
  const customerIds = new Set(Array.from(frame.matchAll(CUSTOMER_ID), ([, id]) => id));
  // With two customers, it is unclear which one is meant.
  if (ambiguous || customerIds.size > 1) return { missing: "clear_end" };
  const [customerId] = customerIds;
  const feedbackId = FEEDBACK_ID.exec(frame)?.[1];
  const asked = feedbackId ?? (customerId === undefined ? WHAT_OF.exec(frame)?.[1] : undefined);
  if (body === undefined && asked !== undefined && HISTORY.test(frame)) {
    const args = { feedback_id: asked, customer_id: customerId ?? null };
    return { calls: [{ name: "look_up_feedback", args }] };
  }
  if (body === undefined && customerId !== undefined && HISTORY.test(frame)) {
    const args = { customer_id: customerId, since: null, until: null };
    return { calls: [{ name: "get_customer_history", args }] };
  }
  if (PROCESSING.some((words) => follows(frame, words))) {
    if (customerId === undefined) return { missing: "customer_id" };
    if (body === undefined) return { missing: "text" };
    const stated = subject ?? SUBJECT.exec(frame)?.[1];
    return {
      calls: [
        {
          name: "process_customer_feedback",
          args: {
            feedback_id: feedbackId ?? null,
            customer_id: customerId,
            subject: (stated ?? "").trim() || firstWords(body),
            feedback_text: body,
            sentiment: null,
            categories: null,
            send_response: NO_ANSWER.test(frame) ? false : null,
          },
        },
      ],
    };
  }
  const both = follows(frame, ANALYSIS);
  const names = [
    ...(both || WANTS_SENTIMENT.test(frame) ? ["analyze_feedback_sentiment"] : []),
    ...(both || WANTS_CATEGORIES.test(frame) ? ["categorize_feedback_text"] : []),
  ];
  if (names.length === 0) return { unknown: true };
  return body === undefined ? { missing: "text" } : { calls: names.map((name) => ({ name, args: { text: body } })) };
}

/** A subject for a text without one: its first words, at most 60 characters, on one line. */
function firstWords(text: string): string {
  const words = text
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .split(" ")
    .slice(0, 8)
    .join(" ");
  const characters = Array.from(words);
  return characters.length <= 60 ? words : `${characters.slice(0, 59).join("").trimEnd()}…`;
}
