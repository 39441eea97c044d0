/**
 * Interprets a mail server's reply: the basic code (RFC 5321 section 4.2), the enhanced one (RFC
 * 3463; IANA keeps the list) and its text. With large providers, only the text distinguishes a
 * quota or a closed relay from an unknown recipient.
 */
import type { NodemailerError } from "nodemailer";

export interface SmtpReply {
  /**
   * True except for 5xx replies; for those, true if the text says that the refusal is temporary.
   */
  readonly isTransient: boolean;
  readonly code: number;
  /** The enhanced code without its class, such as `7.1`; empty if there is none. */
  readonly status: string;
  /** Both codes, for messages: `(550) 5.7.1`. */
  readonly shown: string;
  /** Without the addresses that the server repeats, because they may contain any word. */
  readonly text: string;
}

/** Where the cause of a permanent refusal lies. */
export type Fault = "sender" | "recipient" | "content" | "unknown";

/** The enhanced code: after the basic one, or in qmail's form `(#5.7.1)`. */
const ENHANCED = /(?:^\d{3}[ -]|\(#)([245])\.(\d{1,3}\.\d{1,3})\b/m;
const ADDRESS = / ?(?:<[^<>\n]*>|[^\s<>()[\]:;,"'@]{1,64}@[^\s<>():;,"']{1,255})/g;
const PASSING_WORDS = /\bgr[ae]y-?list|receiving mail at a rate/i;

export function readReply({ response, responseCode: code = 0 }: NodemailerError): SmtpReply {
  const reply = typeof response === "string" ? response : "";
  const [, kind, status = ""] = ENHANCED.exec(reply) ?? [];
  const text = reply.replaceAll(ADDRESS, "");
  const shown = kind === undefined ? `(${code})` : `(${code}) ${kind}.${status}`;
  const isTransient = code < 500 || code > 599 || PASSING_WORDS.test(text);
  return { isTransient, code, status, shown, text };
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/**
 * The pause that a server asks for in its text, as greylisting servers do; 0 if it asks for none.
 */
export function retryAfterSeconds({ isTransient, text }: SmtpReply): number {
  if (!isTransient) return 0;
  const clock = /\b(?:in|for|wait)\s+(\d\d):(\d\d):(\d\d)\b/i.exec(text)?.slice(1).map(Number);
  if (clock) return clock.reduce((seconds, part) => seconds * 60 + part, 0);
  const [, amount, unit = ""] =
    /\b(?:in|for|after|wait|per)\s+(\d{1,5})\s*(s|m|h)(?:ecs?|econds?|ins?|inutes?|rs?|ours?)?\b/i.exec(text) ?? [];
  return amount === undefined ? 0 : Number(amount) * (SECONDS[unit.toLowerCase()] ?? 0);
}

const QUOTA = "a limit on what we may send is reached. Wait, or raise the account's limit.";
const RELAY =
  "it does not relay for us. Check user and password in its URL, and whether we may send from this network.";
const AUTHENTICITY =
  "it does not accept that the email comes from our domain. Check SPF, DKIM and DMARC of the sender's domain.";
const SENDER = "the account may not send as our sender. Check MAIL_FROM, and that the sender is verified there.";
const ACCOUNT = "our account there is paused or not set up. Check it; the log has the server's words.";
const LISTED =
  "our own network address is on a block list, or its reverse DNS or host name is missing or wrong. Ask its operator.";
const POLICY = "its policy rejects our email. Check our account there; the log has the server's words.";

/** Wording that only occurs if the problem is the sender's, most specific first. */
const SENDER_WORDS: readonly (readonly [RegExp, string])[] = [
  [/\brelay(?! recipient table)|rcpthosts|not (?:an? )?(?:accepted|local) domain/i, RELAY],
  [/\b(?:spf|dkim|dmarc)\b|unauthenticated (?:e-?mail|mail|sender)/i, AUTHENTICITY],
  [
    /sending (?:is |was |has been )?(?:paused|suspended|disabled)|not authorized to perform|configuration set/i,
    ACCOUNT,
  ],
  [
    /send(?:ing|er)?[ -](?:as\b|limit|quota|rate)|sendas|sender[^.;]{0,40}\b(?:reject|denied|refus|not (?:owned|allowed|permitted|verified))|not verified|permissions? to send|outbound|bad sender|domain not verified|from address does not match|sender identity/i,
    SENDER,
  ],
  [
    /spamhaus|spamcop|barracuda|\b(?:dns|r)bl\b|(?:block|black|deny)[ -]?list|reputation|reverse dns|\bptr\b|\be?helo\b|client host|ip (?:address|range)|your (?:ip|host|server)\b|traffic not accepted/i,
    LISTED,
  ],
];
const QUOTA_WORDS =
  /(?:daily|hourly|monthly|sending|message|rate|send|account)[\w ]{0,20}(?:limit|quota)|too many (?:messages|emails|e-?emails|recipients)|rate[ -]?limit|throttl|flood|unusual sending|credits exceeded|(?:emails|messages|recipients) per (?:minute|hour|day)/i;
const SIZE_WORDS = /too (?:large|big)|size (?:exceed|limit)|(?:message|mail) (?:size|length)|exceeds?[\w ]{0,20}size/i;
const CONTENT_WORDS =
  /\bspam\b|unsolicited|\bvirus|malware|malicious|phish|\bcontent|blocked (?:word|using content)|forbidden word|banned (?:word|content)|attachment|security issue/i;
const FULL_WORDS = /mailbox(?:(?! (?:send|rate|minute|hour|dai|month))[\w ]){0,30}\b(?:full|quota|limit)/i;
const RECIPIENT_WORDS =
  /user unknown|unknown (?:user|recipient|mailbox)|no such (?:user|mailbox|recipient|address)|mailbox (?:is )?(?:full|unavailable|disabled|not found)|recipient[\w ]{0,20}(?:not found|unknown|does not exist)|over ?quota/i;

/** Enhanced codes that are unambiguous, by subject and detail. */
const STATUS_FAULT: readonly (readonly [RegExp, Fault, string?])[] = [
  [/^1\.90$|^4\.5$|^7\.28$/, "sender", QUOTA],
  [/^1\.[78]$|^2\.252$|^7\.(?:27|60)$/, "sender", SENDER],
  [/^7\.(?:2[0-46]|29|509)$/, "sender", AUTHENTICITY],
  [/^7\.25$|^7\.501$|^7\.6[0-4]\d$/, "sender", LISTED],
  [/^7\.(?:2|17|18|133)$/, "recipient"],
  [/^1\.[1-69]$|^1\.10$|^2\.[124]$|^4\.4$|^4\.310$/, "recipient"],
  [/^2\.3$|^3\.4$/, "content", "size"],
  [/^6\.(?!7$)/, "content"],
];

/** Who should do what about a permanent refusal, as text to follow its codes. */
export function readRefusal(reply: SmtpReply, command: string | undefined): { fault: Fault; words: string } {
  const fault = faultOf(reply, command);
  if (fault.of === "sender") return { fault: "sender", words: fault.words ?? POLICY };
  if (fault.of === "recipient") return { fault: "recipient", words: ". Check the recipient's address" };
  if (fault.of === "unknown") return { fault: "unknown", words: " without a code that says why" };
  return {
    fault: "content",
    words: fault.words === "size" ? ": the email is too large" : ": it rejects the email's content",
  };
}

/**
 * What waiting won't fix about a transient refusal, as text to follow its codes; empty if there is
 * nothing. Stock Postfix, for example, answers 454 if it does not relay, and 450 to an unknown
 * sender.
 */
export function permanentProblem({ status, text }: SmtpReply): string {
  if (PASSING_WORDS.test(text)) return "";
  if (/relay\w* (?:access )?denied/i.test(text)) return `: ${RELAY}`;
  const [, , words = ""] = STATUS_FAULT.find(([pattern]) => pattern.test(status)) ?? [];
  return words === SENDER || words === AUTHENTICITY ? `: ${words}` : "";
}

function faultOf(reply: SmtpReply, command: string | undefined): { of: Fault; words?: string | undefined } {
  const { status, text, code } = reply;
  const [, of, words] = STATUS_FAULT.find(([pattern]) => pattern.test(status)) ?? [];
  // RFC 7504: a host that accepts no email at all, whatever its enhanced code says.
  if (code === TAKES_NO_MAIL) return { of: "sender" };
  if (of) return { of, words };
  if (RESTRICTED_GROUP.test(text)) return { of: "recipient" };
  const isPolicy = status.startsWith("7.");
  // Before the words about content, because "content" and "spam" also occur in the names of block
  // lists and in advice.
  const sender = SENDER_WORDS.find(([pattern]) => pattern.test(text));
  if (sender) return { of: "sender", words: QUOTA_WORDS.test(text) && sender[1] === SENDER ? QUOTA : sender[1] };
  if (FULL_WORDS.test(text)) return { of: "recipient" };
  if (SIZE_WORDS.test(text)) return { of: "content", words: "size" };
  if (CONTENT_WORDS.test(text)) return { of: "content" };
  if (RECIPIENT_WORDS.test(text)) return { of: "recipient" };
  if (QUOTA_WORDS.test(text)) return { of: "sender", words: QUOTA };
  if (REFUSED_RECIPIENT.test(text)) return { of: "recipient" };
  if (isPolicy) return { of: "sender" };
  if (command === "MAIL FROM")
    return code === TOO_LARGE ? { of: "content", words: "size" } : { of: "sender", words: SENDER };
  if (command === "RCPT TO") return { of: "recipient" };
  return { of: "unknown" };
}

const TAKES_NO_MAIL = 521;
/** Exchange's text for a group that only accepts mail from authenticated senders. */
const RESTRICTED_GROUP = /RESOLVER\.RST\.AuthRequired/i;
const REFUSED_RECIPIENT = /recipient address rejected/i;

/** Exceeded storage allocation (RFC 5321); in reply to MAIL FROM, the size (RFC 1870). */
const TOO_LARGE = 552;
