import { NO_ANSWER, splitRequest, type SplitRequest } from "./split-request.ts";

/** A tool call as the rules plan it. */
export interface PlannedCall {
  name: string;
  args: Record<string, unknown>;
}

/** What the rules make of a message: calls, or the reason why there are none. */
export type Reading = { calls: PlannedCall[] } | { missing: "customer_id" | "text" } | { unknown: true };

const CUSTOMER_ID = /\b(?:customer|client|from)\s+(?:id\s+|no\.?\s+|number\s+|#)?((?=[\w./@+-]*[\d_-])[\w./@+-]*\w)/iu;
const FEEDBACK_ID = /\bfeedback\s+(?:id\s+|no\.?\s+|number\s+|#)?((?=[\w./+-]*\d)[\w./+-]*\w)/iu;
const SUBJECT = /\b(?:subject|titled|entitled)\s+(?:is\s+)?([^\s,;:][^,;:\r\n]*)/iu;
const WANTS_PROCESSING =
  /\b(?:process|handle|record|submit|register|take)\b.*\bfeedback\b|\b(?:customer|client)\b.*\b(?:wrote|writes|says|said|sent|sends|complain(?:s|ed)|report(?:s|ed)|told|ask(?:s|ed))\b|\bfeedback\b.*\bfrom\b/isu;
const WANTS_SENTIMENT = /\b(?:sentiment|mood|tone)\b/iu;
const WANTS_CATEGORIES = /\bcategor/iu;
const WANTS_BOTH = /\banaly[sz]e\b.*\b(?:text|feedback|message|this)\b/isu;
const LIST_MARK = /^\s*(?:[-*•]|\d{1,3}[.)])\s+/u;

/**
 * Reads a request by rules. Only the user's own words decide which tools run and with which ids; the text that is handed over
 * is passed on whole. Several requests are several lines each of which is one; otherwise the lines are one text.
 */
export function readRequest(message: string): Reading {
  const lines = message
    .split(/\r?\n/u)
    .map((line) => line.replace(LIST_MARK, "").trim())
    .filter((line) => line !== "");
  const [first = "", ...others] = lines;
  // "Please process these:" is a heading, not a request with nothing in it.
  const items = others.length > 1 && first.endsWith(":") && !namesCustomer(first) ? others : lines;
  const readings = items.length > 1 ? items.map((line) => readLine(line)) : [];
  const calls = readings.flatMap((reading) => reading ?? []);
  return calls.length > 0 && !readings.includes(undefined) ? { calls } : readOne(splitRequest(message));
}

const namesCustomer = (text: string): boolean => CUSTOMER_ID.test(text);

/** The calls of a line that is a whole request by itself. */
function readLine(line: string): PlannedCall[] | undefined {
  const request = splitRequest(line);
  if (request.body === undefined || (!request.quoted && /^["'“„«‘]/u.test(request.body))) return undefined;
  const reading = readOne(request);
  return "calls" in reading ? reading.calls : undefined;
}

function readOne({ frame, subject, body }: SplitRequest): Reading {
  const customerId = CUSTOMER_ID.exec(frame)?.[1];
  if (WANTS_PROCESSING.test(frame)) {
    if (customerId === undefined) return { missing: "customer_id" };
    if (body === undefined) return { missing: "text" };
    const stated = subject ?? SUBJECT.exec(frame)?.[1];
    return {
      calls: [
        {
          name: "process_customer_feedback",
          args: {
            feedback_id: FEEDBACK_ID.exec(frame)?.[1] ?? null,
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
  const both = WANTS_BOTH.test(frame);
  const names = [
    ...(both || WANTS_SENTIMENT.test(frame) ? ["analyze_feedback_sentiment"] : []),
    ...(both || WANTS_CATEGORIES.test(frame) ? ["categorize_feedback_text"] : []),
  ];
  if (names.length === 0) return { unknown: true };
  return body === undefined ? { missing: "text" } : { calls: names.map((name) => ({ name, args: { text: body } })) };
}

/** A subject for a text that came without: its first words, at most 60 characters, on one line. */
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
