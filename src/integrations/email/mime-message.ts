import { createHash } from "node:crypto";
import type { SendMailOptions } from "nodemailer";
import type MimeNode from "nodemailer/lib/mime-node";
import type { MailMessage } from "./mail-transport.ts";

/**
 * An email as options for nodemailer. The same email gives the same message, except for its date.
 */
export const toMimeOptions = async (message: MailMessage): Promise<SendMailOptions> => ({
  ...message,
  headers: { ...message.headers },
  subject: await literal(message.subject),
  // An object is used unchanged; a string would be parsed and could turn out to be two addresses.
  to: { name: "", address: message.to },
  baseBoundary: createHash("sha256").update(message.messageId).digest("hex").slice(0, 24),
  // An email must only contain what it was given, even if that looks like a path or URL.
  disableFileAccess: true,
  disableUrlAccess: true,
});

/** Maximum octets of one encoded word, so that it fits on a line (RFC 2047 section 2). */
const MAX_WORD_LENGTH = 52;

/**
 * A subject that is displayed exactly as given. nodemailer encodes non-ASCII text. But customers
 * choose the subject: if it already looked like an encoded word (RFC 2047), the recipient's mail
 * program would decode it.
 */
async function literal(subject: string): Promise<string> {
  if (!subject.includes("=?")) return subject;
  const { encodeWord } = await import("nodemailer/lib/mime-funcs");
  return encodeWord(subject, "B", MAX_WORD_LENGTH);
}

async function loadComposing() {
  const [{ default: MailComposer }, base64, quotedPrintable] = await Promise.all([
    import("nodemailer/lib/mail-composer"),
    import("nodemailer/lib/base64"),
    import("nodemailer/lib/qp"),
  ]);
  const encodings: Encodings = new Map([
    ["base64", (content) => base64.wrap(base64.encode(content))],
    ["quoted-printable", (content) => quotedPrintable.wrap(quotedPrintable.encode(content))],
  ]);
  return { MailComposer, encodings, wrap: quotedPrintable.wrap };
}

/** Keyed by their names in `Content-Transfer-Encoding`. */
type Encodings = ReadonlyMap<string, (content: string) => string>;

let composing: ReturnType<typeof loadComposing> | undefined;

/**
 * A complete message as it is stored in a file (RFC 5322). The result equals that of nodemailer's
 * own `build`, which needs several streams and many turns of the event loop, and scans each part
 * several times.
 */
export async function toMimeMessage(message: MailMessage): Promise<Buffer> {
  const { MailComposer, encodings, wrap } = await (composing ??= loadComposing());
  const [text, html] = [plainPart("plain", message.text, wrap), plainPart("html", message.html, wrap)];
  const options = await toMimeOptions({
    ...message,
    ...(text !== undefined && { text: PLACE }),
    ...(html !== undefined && { html: PLACE }),
  });
  const root = new MailComposer(options).compile();
  // Build the headers first, because that chooses the boundary.
  const headers = root.buildHeaders();
  const [textNode, htmlNode] = root.childNodes;
  const parts = [text ?? writePart(textNode!, encodings), html ?? writePart(htmlNode!, encodings)];
  const written = `${headers}\r\n\r\n${parts.map((part) => `--${root.boundary}\r\n${part}\r\n`).join("")}--${root.boundary}--\r\n`;
  return Buffer.from(written.replaceAll(/\r?\n/g, "\r\n"));
}

/** Placeholder for a part that we write ourselves. */
const PLACE = "-";

const PLAIN = /^[\t\n\r\u0020-\u007e]*$/;
const MAX_LINE_LENGTH = 76;
const LAST_BLANK = /[ \t](?=[\r\n]|$)/g;

/**
 * An ASCII part with its headers; undefined for any other part, and for one without letters, which
 * nodemailer encodes differently.
 */
function plainPart(kind: "plain" | "html", content: string, wrap: (text: string) => string): string | undefined {
  if (!PLAIN.test(content) || !/[a-z]/i.test(content)) return undefined;
  const isShort = content.split(/[\r\n]/).every((line) => line.length <= MAX_LINE_LENGTH);
  const encoded = (): string =>
    wrap(content.replaceAll("=", "=3D").replaceAll(LAST_BLANK, (blank) => (blank === " " ? "=20" : "=09")));
  return `Content-Type: text/${kind}; charset=utf-8\r\nContent-Transfer-Encoding: ${isShort ? "7bit" : "quoted-printable"}\r\n\r\n${isShort ? content : encoded()}`;
}

function writePart(part: MimeNode, encodings: Encodings): string {
  const headers = part.buildHeaders();
  const content = typeof part.content === "string" ? part.content : "";
  const encode = encodings.get(part.getTransferEncoding() || "");
  return `${headers}\r\n\r\n${encode ? encode(content) : content}`;
}
