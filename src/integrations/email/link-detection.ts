/**
 * Whether a text could be read as a link, by a mail program or by a person: a URL, a host, an
 * address. If in doubt, it says yes: "end.Next" counts too. Use it for strangers' text in our
 * emails.
 */

/** Characters that look like a dot, a slash or a colon, in addition to those that NFKD converts. */
const LOOK_ALIKES: readonly (readonly [RegExp, string])[] = [
  [
    /[\u00B7\u0387\u06D4\u0701\u0702\u2022\u2024\u2027\u2219\u22C5\u25CF\u26AB\u2981\u2E31\u2E33\u3002\u30FB\uA4F8\uFF0E\uFF61]/gu,
    ".",
  ],
  [/[\u2044\u2215\u29F8\u2571\\]/gu, "/"],
  [/[\u02D0\u02F8\u0589\u05C3\u2236\uA789]/gu, ":"],
  // "example[.]com", "example(dot)com", "ada [at] example"
  [/[[({<]\s*(?:\.|dot|punkt|punto)\s*[\])}>]/giu, "."],
  [/[[({<]\s*(?:@|at)\s*[\])}>]/giu, "@"],
  [/\s+dot\s+/giu, "."],
];

const COMMON_DOMAINS =
  "com|net|org|info|biz|edu|gov|io|co|app|dev|xyz|top|shop|site|online|website|store|club|link|click|live|icu|vip|ru|cn|de|uk|eu|br|tk";

const LINKS: readonly RegExp[] = [
  // A scheme's slashes, or a host's: "https://", "hxxp : / /", "//example"
  /\/\s*\//u,
  /\b(?:h\s*[tx]\s*[tx]\s*p\s*s?|ftps?|file|data|javascript|vbscript|mailto|tel|sms|callto|facetime|skype|whatsapp|tg|intent|blob|ws|wss)\s*:/iu,
  /(?:^|[^\p{L}])w\s*w\s*w\s*\d?\s*[.:/]/iu,
  /xn--/iu,
  // An address, and a handle: "a@b", "@support"
  /@\s*[\p{L}\p{N}]/u,
  // A name, a dot, and a possible top-level domain. A blank before the dot doesn't occur in prose;
  // a blank after it counts only before a common top-level domain.
  /[^\s.]\.\p{L}{2}/u,
  /\S\s+\.\s*\p{L}/u,
  new RegExp(`\\S\\.\\s+(?:${COMMON_DOMAINS})(?![\\p{L}\\p{N}])`, "iu"),
  // IPv4, IPv6
  /\d+\s*\.\s*\d+\s*\.\s*\d+\s*\.\s*\d+/u,
  /[0-9a-f]{0,4}::[0-9a-f]|(?:[0-9a-f]{1,4}:){4}/iu,
];

const PERCENT = /%([0-7][0-9a-f])/giu;
const ENTITY = /&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?|&(period|colon|sol|commat);?/giu;
const NAMED_ENTITIES = new Map([
  ["period", "."],
  ["colon", ":"],
  ["sol", "/"],
  ["commat", "@"],
]);

const character = (code: number): string => (code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : "");

const decoded = (text: string): string =>
  text
    .replaceAll(PERCENT, (_, hex: string) => character(parseInt(hex, 16)))
    .replaceAll(ENTITY, (_, hex?: string, decimal?: string, name?: string) =>
      name === undefined
        ? character(hex ? parseInt(hex, 16) : Number(decimal))
        : NAMED_ENTITIES.get(name.toLowerCase())!,
    );

/**
 * The text as a reader sees it: without invisible characters, and with look-alikes replaced by what
 * they look like.
 */
function asRead(text: string): string {
  const plain = decoded(decoded(text.normalize("NFKD"))).normalize("NFKD");
  const visible = plain.replaceAll(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "");
  return LOOK_ALIKES.reduce((read, [pattern, meant]) => read.replaceAll(pattern, meant), visible);
}

export function containsLink(text: string): boolean {
  const read = asRead(text);
  return LINKS.some((link) => link.test(read));
}
