/**
 * Rules for automatic mail: who must not get it, which emails it must not answer, and the headers
 * that keep other automatic responders quiet. They follow RFC 3834 (recommendations for automatic
 * responses to electronic mail), sections 2 and 5, and RFC 5230 (the vacation extension of Sieve),
 * section 4.6.
 */
import { ValidationError } from "../../errors.ts";
import { isObject } from "../../json.ts";

/** Headers of every automatic reply. The second one is for Exchange. */
export const AUTOMATIC_REPLY_HEADERS: Readonly<Record<string, string>> = {
  "Auto-Submitted": "auto-replied",
  "X-Auto-Response-Suppress": "All",
};

export type SuppressionReason =
  | "no_reply_address"
  | "automatic_address"
  | "mailing_list_address"
  | "mail_system_address"
  | "own_address";

/** "Do not reply" in several languages, without separators between the words. */
const NO_REPLY = new Set(
  `noreply noreplies noreplys noresponse noanswer donotreply dontreply donotrespond dontrespond unmonitored
  nichtantworten keineantwort nepasrepondre noreponse sansreponse noresponder noresponda norespondas nocontestar nocontestes
  naoresponder naoresponda nonrispondere norispondere norisposta nietbeantwoorden nietantwoorden nietreageren
  geenantwoord svarainte svarej svaraej besvarasinte besvarasej ikkesvar svarikke besvaresikke nieodpowiadaj
  nieodpowiadac brakodpowiedzi alavastaa eivastata eivastausta neodpovidat neodpovidejte neodpovidaj yanitlamayin
  yanitlama cevaplamayin nevalaszoljon nevalaszolj nuraspunde nuraspundeti neodgovaraj neotvechat
  nichtbeantworten nerepondezpas yanitlamayiniz nosvar ejsvar devnull`.split(/\s+/),
);
const AUTOMATIC = new Set(
  `autoreply autoreplies autoresponse autorespond autoresponder autoanswer automailer autoconfirm autonotify autosend
  notification notifications reponseautomatique automatischeantwort outofoffice`.split(/\s+/),
);
const MAIL_SYSTEM = new Set(["mailerdaemon", "postmaster", "bounce", "bounces"]);

/** Matched only as the whole local part: as part of a longer one, they are also people's names. */
const MAIL_SYSTEM_ALONE = new Set(["mailer", "daemon", "uucp", "nobody"]);
const LIST_MANAGERS = new Set(["listserv", "majordomo", "mailman", "sympa", "listproc", "ezmlm", "listmaster"]);

// With a hyphen, as list managers write them: `joe.owner` is a person. And `sales-request` is as
// often a team as a list.
const MAILING_LIST = /^owner-.|.-(?:owner|subscribe|unsubscribe)$|^(?:.*-)?list-request$/;
/**
 * An address that a forwarder has rewritten (Sender Rewriting Scheme) or a sender has signed
 * (BATV).
 */
const REWRITTEN = /^(?:srs[01][=+-]|prvs=)/;
/** Combined with another name, these words are people's names. */
const PERSON = /^[a-z]+\.bounce$|^notification\.[a-z]+$/;
const MAX_WORDS = 3;

/** The address in lower case, without its plus-tag. */
function mailbox(address: string): string {
  const [local = "", domain = ""] = address.trim().toLowerCase().split("@");
  return `${local.split("+", 1)[0]}@${domain}`;
}

/**
 * The words of a local part, and combinations of up to three adjacent ones: `no-reply` is `noreply`
 * as well.
 */
function* wordsOf(local: string): Generator<string> {
  const words = local.split(/[^a-z]+/).filter((word) => word !== "");
  for (const [first] of words.entries()) {
    for (let last = first + 1; last <= first + MAX_WORDS; last++) yield words.slice(first, last).join("");
  }
}

/**
 * Why no automatic email may go to `address`; undefined if it may.
 * @param ownAddress the address that we send from: an email to ourselves starts a loop
 */
export function suppressionReason(address: string, ownAddress: string): SuppressionReason | undefined {
  const local = address.trim().toLowerCase().split("@", 1)[0] ?? "";
  const [alone = ""] = local.split("+", 1);
  const words = PERSON.test(alone) ? [] : [...wordsOf(local)];
  if (words.some((word) => NO_REPLY.has(word))) return "no_reply_address";
  if (words.some((word) => MAIL_SYSTEM.has(word)) || MAIL_SYSTEM_ALONE.has(alone) || REWRITTEN.test(local)) {
    return "mail_system_address";
  }
  if (LIST_MANAGERS.has(alone) || MAILING_LIST.test(alone)) return "mailing_list_address";
  if (words.some((word) => AUTOMATIC.has(word))) return "automatic_address";
  if (mailbox(address) === mailbox(ownAddress)) return "own_address";
  return undefined;
}

const isGiven = (value: string): boolean => value !== "";

/**
 * Headers that can show that an email comes from a machine or a list, each with a test of its value
 * in lower case.
 */
const AUTOMATIC_MAIL: readonly (readonly [name: string, isAutomatic: (value: string) => boolean])[] = [
  ["Auto-Submitted", (value) => isGiven(value) && !/^no(?:[\s;(]|$)/.test(value)],
  ["Precedence", (value) => /^(?:bulk|list|junk|auto[-_]?reply)(?![\w-])/.test(value)],
  ...["List-Id", "List-Post", "List-Unsubscribe", "List-Help", "List-Subscribe", "List-Owner", "List-Archive"].map(
    (name) => [name, isGiven] as const,
  ),
  ["X-Auto-Response-Suppress", (value) => isGiven(value) && value !== "none"],
  ["Return-Path", (value) => /^<?\s*(?:mailer-daemon(?:@[^>]*)?)?\s*>?$/.test(value)],
  ...["X-Autoreply", "X-Autorespond", "X-Mail-Autoreply", "X-Autogenerated", "X-Auto-Submitted"].map(
    (name) => [name, (value: string) => isGiven(value) && !/^no(?:[\s;(]|$)/.test(value)] as const,
  ),
  // Addresses of list managers: `owner-users@`, `users-bounces@`.
  ["Sender", (value) => /(?:^|[\s<])(?:owner-[^\s<>@]+|[^\s<>@]+-(?:owner|request|bounces))@/.test(value)],
  ["X-Failed-Recipients", isGiven],
  ["Content-Type", (value) => value.startsWith("multipart/report")],
];

const KNOWN = new Set(AUTOMATIC_MAIL.map(([name]) => name.toLowerCase()));

/**
 * The texts of a header's value: a string, a list, or what the mailparser package returns: `{value,
 * params}`, and for addresses `{value: [{address}]}`. Undefined for anything else.
 */
function textsOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) {
    const texts = value.map(textsOf);
    return texts.includes(undefined) ? undefined : texts.flatMap((one) => one ?? []);
  }
  if (!isObject(value)) return undefined;
  // An empty `Return-Path:` is parsed as a list without addresses.
  if (Array.isArray(value["value"]) && value["value"].length === 0) return [""];
  for (const part of ["value", "address", "group"]) {
    if (Object.hasOwn(value, part)) return textsOf(value[part]);
  }
  return undefined;
}

/**
 * Each header with its name in lower case. Mailparser combines list headers into one: `list: {id:
 * {…}, unsubscribe: {…}}`.
 */
function* singleHeaders(headers: Readonly<Record<string, unknown>>): Generator<[name: string, value: unknown]> {
  for (const [given, value] of Object.entries(headers)) {
    const name = given.trim().toLowerCase();
    if (name !== "list" || !isObject(value)) yield [name, value];
    else for (const [part, inner] of Object.entries(value)) yield [`list-${part.toLowerCase()}`, JSON.stringify(inner)];
  }
}

/**
 * The name of the header that forbids an automatic answer to an email; undefined if none does.
 * @param headers values by name, in upper or lower case; several values of one header as a list; or
 *   in the mailparser package's form
 * @throws ValidationError if the value of a relevant header can't be read
 */
export function automaticMailHeader(headers: Readonly<Record<string, unknown>>): string | undefined {
  const values = new Map<string, string[]>();
  for (const [name, value] of singleHeaders(headers)) {
    if (!KNOWN.has(name)) continue;
    const texts = textsOf(value);
    if (texts === undefined) {
      const issue = { path: `headers.${name}`, message: "must be a string or a list of strings" };
      throw new ValidationError(`${issue.path}: ${issue.message}`, { issues: [issue] });
    }
    values.set(name, [...(values.get(name) ?? []), ...texts.map((text) => text.trim().toLowerCase())]);
  }
  return AUTOMATIC_MAIL.find(([name, isAutomatic]) => values.get(name.toLowerCase())?.some(isAutomatic))?.[0];
}
