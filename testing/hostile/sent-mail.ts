import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Address } from "postal-mime";
import { IoError } from "../../src/errors.ts";

/** A sent email. */
export interface SentMail {
  /** All addresses that it goes to, in lower case: of the envelope, and in `To`, `Cc` and `Bcc`. */
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * Reads an email as a mail server received it, or from an `.eml` file.
 * @param envelope addresses of `RCPT TO`, if known
 * @throws IoError if it can't be read
 */
export async function readSentMail(raw: string | Uint8Array, envelope: readonly string[] = []): Promise<SentMail> {
  const { default: PostalMime } = await import("postal-mime");
  try {
    const { to = [], cc = [], bcc = [], subject = "", text = "", html = "" } = await PostalMime.parse(raw);
    const named = [...to, ...cc, ...bcc].flatMap(addressesOf);
    return { recipients: [...new Set([...envelope, ...named].map(inLowerCase))], subject, text, html };
  } catch (cause) {
    throw new IoError("An email that was sent can't be read.", { cause });
  }
}

/**
 * The emails in a folder of `.eml` files, such as `MAIL_URL=outbox:<folder>` writes, for a trial's
 * `outbox`. Each file is read once. A missing folder counts as empty.
 */
export function mailsIn(folder: string): () => Promise<SentMail[]> {
  const known = new Map<string, SentMail>();
  return async () => {
    for (const name of await namesIn(folder)) {
      if (!known.has(name)) known.set(name, await readSentMail(await readFile(join(folder, name))));
    }
    return [...known.values()];
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(".eml"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new IoError("The folder of emails can't be read.", { cause });
  }
}

const addressesOf = ({ address, group }: Address): string[] =>
  group ? group.flatMap(addressesOf) : address === undefined ? [] : [address];

const inLowerCase = (text: string): string => text.toLowerCase();

const TAG = /<[a-z!/][^>]*>/giu;
const ATTRIBUTE = /([a-z][a-z:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/giu;
const LEADS_AWAY = /(?:^|[\s(=;'"])(?:[a-z][a-z0-9+.-]*:|\/\/)\S*/iu;
const STYLE_LOADS = /(?:url|image|image-set)\(\s*["']?[^"')]+|@import\s+\S+/giu;
/** Text that mail programs turn into links. */
const AUTOMATIC_LINK = /\b(?:https?|hxxps?|ftp):\/\/\S+|\bwww\.\S+/giu;

/** Attributes whose colons don't make them links. For `style`, see `STYLE_LOADS`. */
const NO_ADDRESS = new Set(["style", "content", "class", "role"]);

/**
 * The links and images of an email that don't begin with one of `ours`, and excerpts that mention
 * `host`, in any spelling that a person would recognise.
 * @param ours beginnings of URLs that emails may contain, such as `https://shop.example/`
 */
export function foreignLinksOf(
  { subject, text, html }: SentMail,
  host: string,
  ours: readonly string[] = [],
): string[] {
  const isOurs = (link: string): boolean => ours.some((beginning) => link.startsWith(beginning));
  const words = [subject, text, html.replaceAll(TAG, " ")].map(asRead);
  const mentions = words.filter((part) => part.includes(host.toLowerCase()));
  const automatic = words.flatMap((part) => part.match(AUTOMATIC_LINK) ?? []).filter((link) => !isOurs(link));
  return [
    ...mentions.map((part) => excerpt(part, host)),
    ...automatic,
    ...linksInMarkup(html).filter((link) => !isOurs(link)),
  ];
}

function linksInMarkup(html: string): string[] {
  const attributes = (html.match(TAG) ?? []).flatMap((tag) => Array.from(tag.matchAll(ATTRIBUTE)));
  const addresses = attributes
    .map(([, name = "", double, single, bare]) => ({ name: name.toLowerCase(), value: double ?? single ?? bare ?? "" }))
    .filter(({ name, value }) => !name.startsWith("xmlns") && !NO_ADDRESS.has(name) && LEADS_AWAY.test(asRead(value)))
    .map(({ value }) => value);
  const refreshes = (html.match(TAG) ?? []).filter((tag) => /http-equiv\s*=\s*["']?refresh/iu.test(tag));
  return [...addresses, ...refreshes, ...(html.match(STYLE_LOADS) ?? [])];
}

const ENTITY = /&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/giu;

const character = (code: number): string => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "");

/**
 * The text as a person reads it, in lower case: numeric entities decoded, without invisible
 * characters, and with dots for what looks like a dot. If a mark turns the direction of the text
 * around, the result has it in both directions.
 */
function asRead(text: string): string {
  const decoded = text.replaceAll(ENTITY, (_, hex?: string, decimal?: string) =>
    character(hex ? Number.parseInt(hex, 16) : Number(decimal)),
  );
  const both = /[\u202E\u2067]/u.test(decoded) ? `${decoded} ${Array.from(decoded).toReversed().join("")}` : decoded;
  return both
    .normalize("NFKC")
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replaceAll(/[\u3002\uFF0E\uFF61]|\[\.\]/gu, ".")
    .toLowerCase();
}

function excerpt(text: string, host: string): string {
  const at = text.indexOf(host.toLowerCase());
  return text.slice(Math.max(0, at - 40), at + host.length + 40).trim();
}
