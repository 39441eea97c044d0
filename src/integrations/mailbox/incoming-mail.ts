/**
 * Parses raw emails (RFC 5322, MIME): who wrote what, in reply to what. It accepts any input and
 * trusts none.
 */
import { createHash } from "node:crypto";
import type { Email } from "postal-mime";
import { ValidationError } from "../../errors.ts";
import { withoutAbsent } from "../../json.ts";
import { isVisible } from "../../visible-text.ts";
import { readEmailAddress } from "../email/email-address.ts";
import { isMessageId } from "../email/message-id.ts";
import { oneLine } from "../email/reply-subject.ts";
import { htmlToText } from "./html-to-text.ts";
import { MAX_PART_DEPTH, MAX_HEADER_BYTES, readableBeginning } from "./mail-limits.ts";

export { MAX_MAIL_BYTES } from "./mail-limits.ts";

/** Text and HTML beyond this are not read. In UTF-16 code units. */
const MAX_TEXT_LENGTH = 1_000_000;

/**
 * A longer From header is ignored. If only the headers can be read, all are cut off at this length.
 * In UTF-16 code units.
 */
const MAX_FIELD_LENGTH = 10_000;

/** Far more than a conversation has; the latest ones count. */
const MAX_REFERENCES = 100;

/** An email as it came in. */
export interface IncomingMail {
  /**
   * 32 hexadecimal digits that identify the email. They are made from its Message-ID or, without a
   * valid one, from sender, date, subject and text.
   */
  readonly id: string;
  /**
   * 32 hexadecimal digits made from sender, subject and text. They distinguish emails with the same
   * Message-ID but different content.
   */
  readonly digest: string;
  /** With angle brackets; absent if the email has no valid one. */
  readonly messageId?: string;
  /**
   * The sender's bare address, with capital letters as in the email and an internationalised domain
   * in its `xn--` form. Absent if there is no usable address, or more than one.
   */
  readonly sender?: string;
  /** One line, perhaps empty. */
  readonly subject: string;
  /** The text part, or the HTML part as text, with quotations and signature; perhaps empty. */
  readonly text: string;
  /** Message-IDs of the emails that it answers, the nearest first. */
  readonly inReplyTo: readonly string[];
  /** How many attachments it has, in the part that was read. */
  readonly attachments: number;
  /** All values of each header, in their order, by name in lower case. */
  readonly headers: Readonly<Record<string, string[]>>;
  /**
   * False if a part of the email was not read, because the email is larger than `MAX_MAIL_BYTES`,
   * its text is longer than a million characters, it has too many headers, lines, parts or HTML
   * tags, parts or tags are nested too deeply, or its HTML can't be converted.
   */
  readonly isComplete: boolean;
}

/**
 * Reads an email with any charset and MIME structure. From a broken email, or one built to slow us
 * down, it returns the parts that can be read.
 * @param raw the email as it was transmitted; a `From …` line of an mbox in front is ignored
 * @throws ValidationError (`not_a_mail`) if it has none of the usual headers
 */
export async function readMail(raw: Uint8Array | string): Promise<IncomingMail> {
  const bytes = withoutEnvelopeLine(typeof raw === "string" ? Buffer.from(raw) : raw);
  const beginning = readableBeginning(bytes);
  const { email, isWhole } = await parseMail(beginning);
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const { key, value } of email.headers) (headers[key] ??= []).push(value);
  if (!USUAL_HEADERS.some((name) => headers[name] !== undefined)) {
    throw new ValidationError(
      "This is not an email: it has none of the headers From, To, Subject, Date and Message-ID.",
      {
        code: "not_a_mail",
      },
    );
  }
  const sender = await senderOf(headers["from"] ?? []);
  const subject = oneLine(email.subject ?? "").replaceAll("\0", "");
  const body = textOf(email);
  const [messageId] = messageIdsIn(headers["message-id"] ?? []);
  const digest = hash([sender?.toLowerCase(), subject, body.text]);
  return {
    id: messageId === undefined ? hash([digest, headers["date"]?.[0]]) : hash([messageId]),
    digest,
    ...withoutAbsent({ messageId, sender }),
    subject,
    text: body.text,
    inReplyTo: answeredIds(headers),
    attachments: email.attachments.length,
    headers,
    isComplete: isWhole && body.isWhole && beginning.length === bytes.length,
  };
}

const USUAL_HEADERS = ["from", "to", "subject", "date", "message-id"];

const hash = (content: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 32);

/**
 * The email without the line that an mbox, or a mail system that uses its format, puts before the
 * headers.
 */
function withoutEnvelopeLine(raw: Uint8Array): Uint8Array {
  const head = Buffer.from(raw.subarray(0, 1000)).toString("latin1");
  const [before = ""] = /^[\r\n]*(?:>?From [^\n]*\n)?/.exec(head) ?? [];
  return raw.subarray(before.length);
}

/**
 * If an email is nested too deeply, or its headers are too long, only the important headers at its
 * beginning are read.
 */
async function parseMail(bytes: Uint8Array): Promise<{ email: Email; isWhole: boolean }> {
  const { default: PostalMime } = await import("postal-mime");
  const options = { forceRfc822Attachments: true };
  try {
    const limits = { maxHeadersSize: MAX_HEADER_BYTES, maxNestingDepth: MAX_PART_DEPTH };
    return { email: await PostalMime.parse(bytes, { ...options, ...limits }), isWhole: true };
  } catch {
    const text = Buffer.from(bytes).toString("latin1", 0, MAX_HEADER_BYTES);
    const [head = ""] = text.split(/\r?\n\r?\n/, 1);
    const named = head.split(/\r?\n(?![ \t])/).filter((line) => HEADER_OF_NOTE.test(line));
    const short = named.map((line) => line.slice(0, MAX_FIELD_LENGTH));
    const headers = Buffer.from(`${short.join("\r\n")}\r\n\r\n`, "latin1");
    return { email: await PostalMime.parse(headers, options), isWhole: false };
  }
}

const HEADER_OF_NOTE =
  /^(?:from|to|subject|date|message-id|in-reply-to|references|sender|return-path|auto-submitted|precedence|list-[a-z]+|x-[a-z-]+|authentication-results):/i;

/** With several From fields or addresses, it is unclear who wrote the email. */
async function senderOf(fields: readonly string[]): Promise<string | undefined> {
  if (fields.some((field) => field.length > MAX_FIELD_LENGTH)) return undefined;
  const { addressParser } = await import("postal-mime");
  const addresses = fields.flatMap((field) => addressParser(field, { flatten: true }));
  const [only, ...others] = addresses.map(({ address = "" }) => readEmailAddress(address));
  return others.length === 0 && only !== undefined && "address" in only ? only.address : undefined;
}

/** The valid Message-IDs in some headers. */
const messageIdsIn = (values: readonly string[]): string[] =>
  values.flatMap((value) => value.match(/<[^<>\s]{1,498}>/g) ?? []).filter(isMessageId);

function answeredIds(headers: IncomingMail["headers"]): string[] {
  const direct = messageIdsIn(headers["in-reply-to"] ?? []);
  const conversation = messageIdsIn(headers["references"] ?? []).toReversed();
  return [...new Set([...direct, ...conversation])].slice(0, MAX_REFERENCES);
}

/** The text part; if it has no visible text, the HTML part. */
function textOf({ text = "", html = "" }: Email): { text: string; isWhole: boolean } {
  const plain = tidy(text);
  const isPlain = isVisible(plain) || html === "";
  const content = isPlain ? plain : convertedText(html.slice(0, MAX_TEXT_LENGTH));
  if (content === undefined) return { text: "", isWhole: false };
  const length = isPlain ? plain.length : Math.max(html.length, content.length);
  return { text: content.slice(0, MAX_TEXT_LENGTH).toWellFormed(), isWhole: length <= MAX_TEXT_LENGTH };
}

function convertedText(html: string): string | undefined {
  try {
    const text = htmlToText(html);
    return text === undefined ? undefined : tidy(text);
  } catch {
    // If the converter fails on an email, a person must still see the email.
    return undefined;
  }
}

/** A text that every store, mail and log can hold. */
const tidy = (text: string): string => text.toWellFormed().replaceAll("\0", "").replaceAll("\r\n", "\n").trim();
