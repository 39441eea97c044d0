/**
 * Whom no automatic mail may go to, which mails none may answer, and the headers that keep other automatic answerers quiet.
 * After RFC 3834 (recommendations for automatic responses to electronic mail), sections 2 and 5, and RFC 5230 (the vacation
 * extension of Sieve), section 4.6.
 */
import { ValidationError } from "../../errors.ts";
import { isObject } from "../../json.ts";

/** Headers of every automatic reply. The second one is what Exchange listens to. */
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

/** "Do not reply" in several languages, without what may stand between the words. */
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

/** These by themselves: as a part of an address they are also names of people. */
const MAIL_SYSTEM_ALONE = new Set(["mailer", "daemon", "uucp", "nobody"]);
const LIST_MANAGERS = new Set(["listserv", "majordomo", "mailman", "sympa", "listproc", "ezmlm", "listmaster"]);

// With a hyphen, as list managers make them: `joe.owner` is somebody. And `sales-request` is as often a team as a list.
const MAILING_LIST = /^owner-.|.-(?:owner|subscribe|unsubscribe)$|^(?:.*-)?list-request$/;
/** An address that a forwarder has rewritten (Sender Rewriting Scheme), or a sender has signed (BATV). */
const REWRITTEN = /^(?:srs[01][=+-]|prvs=)/;
/** What are names of people where they stand beside another one. */
const PERSON = /^[a-z]+\.bounce$|^notification\.[a-z]+$/;
const MAX_WORDS = 3;

/** The mailbox that an address names, without its plus-tag and case. */
function mailbox(address: string): string {
  const [local = "", domain = ""] = address.trim().toLowerCase().split("@");
  return `${local.split("+", 1)[0]}@${domain}`;
}

/** The words of a local part, and what up to three that follow each other come to: `no-reply` is `noreply` as well. */
function* wordsOf(local: string): Generator<string> {
  const words = local.split(/[^a-z]+/).filter((word) => word !== "");
  for (const [first] of words.entries()) {
    for (let last = first + 1; last <= first + MAX_WORDS; last++) yield words.slice(first, last).join("");
  }
}

/**
 * Why no automatic mail may go to `address`, or undefined where it may.
 * @param ownAddress the sender: a mail to oneself is the beginning of a loop
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

/** Headers by which a mail is known to come from a machine or a list, with the values at which it does. In lower case. */
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
  // Of list managers: `owner-users@`, `users-bounces@`.
  ["Sender", (value) => /(?:^|[\s<])(?:owner-[^\s<>@]+|[^\s<>@]+-(?:owner|request|bounces))@/.test(value)],
  ["X-Failed-Recipients", isGiven],
  ["Content-Type", (value) => value.startsWith("multipart/report")],
];

const KNOWN = new Set(AUTOMATIC_MAIL.map(([name]) => name.toLowerCase()));

/**
 * The texts of a header's value: a string, a list, or what the mailparser package makes of it: `{value, params}`, and of addresses
 * `{value: [{address}]}`. Undefined where it is something else.
 */
function textsOf(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) {
    const texts = value.map(textsOf);
    return texts.includes(undefined) ? undefined : texts.flatMap((one) => one ?? []);
  }
  if (!isObject(value)) return undefined;
  // `Return-Path:` with nothing in it is a list of no address.
  if (Array.isArray(value["value"]) && value["value"].length === 0) return [""];
  for (const part of ["value", "address", "group"]) {
    if (Object.hasOwn(value, part)) return textsOf(value[part]);
  }
  return undefined;
}

/** Each header with its name in lower case. Mailparser has those of lists as one: `list: {id: {…}, unsubscribe: {…}}`. */
function* singleHeaders(headers: Readonly<Record<string, unknown>>): Generator<[name: string, value: unknown]> {
  for (const [given, value] of Object.entries(headers)) {
    const name = given.trim().toLowerCase();
    if (name !== "list" || !isObject(value)) yield [name, value];
    else for (const [part, inner] of Object.entries(value)) yield [`list-${part.toLowerCase()}`, JSON.stringify(inner)];
  }
}

/**
 * The header by which a mail is one that no automatic mail may answer, or undefined where a person wrote it.
 * @param headers values by name, in any case; several values of one header as a list; or as the mailparser package has them
 * @throws ValidationError where the value of one that is looked at can't be read
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
