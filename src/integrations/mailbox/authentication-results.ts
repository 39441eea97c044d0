/**
 * Reads what your own mail server found out about the sender of an email, from the header
 * `Authentication-Results` (RFC 8601). Anyone can write such a header, so only those with the name
 * of your server count. Your server must remove forged ones with its name (RFC 8601 section 5).
 */
import { domainOf } from "../email/email-address.ts";

/**
 * Longer headers are ignored: real servers don't write them, and they would take long to parse.
 */
const MAX_HEADER_LENGTH = 10_000;

/**
 * The value without comments and quotes. Characters inside quotes that could be taken for structure
 * become `_`, because strangers choose some quoted texts, such as the part of an address before the
 * @.
 */
function withoutComments(value: string): string {
  let text = "";
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    let character = value.charAt(at);
    const isEscaped = character === "\\" && (isQuoted || depth > 0);
    if (isEscaped) character = value.charAt(++at);
    if (!isEscaped && character === '"' && depth === 0) isQuoted = !isQuoted;
    else if (isQuoted) text += /[\w.@-]/.test(character) ? character : "_";
    else if (!isEscaped && character === "(") depth += 1;
    else if (!isEscaped && character === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0) text += character;
  }
  return text;
}

interface Result {
  method: string;
  result: string;
  properties: ReadonlyMap<string, string>;
}

const RESULT = /^\s*([a-z0-9-]+)(?:\s*\/\s*\d+)?\s*=\s*([a-z]+)/i;
const PROPERTY = /([a-z0-9-]+\s*\.\s*[a-z0-9_-]+)\s*=\s*(\S+)/gi;

/** The results in one header; none unless the trusted server has written it. */
function resultsIn(value: string, authservId: string): Result[] {
  const [server = "", ...parts] = withoutComments(value).split(";");
  const [id = ""] = server.trim().split(/\s+/);
  if (id.toLowerCase() !== authservId.toLowerCase()) return [];
  return parts.flatMap((part) => {
    const [, method, result] = RESULT.exec(part) ?? [];
    if (method === undefined || result === undefined) return [];
    const properties = [...part.matchAll(PROPERTY)].map(
      ([, name = "", found = ""]) => [name.replaceAll(/\s/g, "").toLowerCase(), found.toLowerCase()] as const,
    );
    return [{ method: method.toLowerCase(), result: result.toLowerCase(), properties: new Map(properties) }];
  });
}

/** The properties of a result that name the domain it is about. */
const DOMAIN_PROPERTIES: ReadonlyMap<string, readonly string[]> = new Map([
  ["dmarc", ["header.from"]],
  ["dkim", ["header.d", "header.i"]],
  ["spf", ["smtp.mailfrom"]],
]);

/**
 * Whether the domains are the same, or `passed` is a parent of `domain`: a pass for `example.org`
 * covers `mail.example.org`, but not the other way round.
 */
const covers = (passed: string, domain: string): boolean => domain === passed || domain.endsWith(`.${passed}`);

/**
 * Whether the server `authservId` vouches for the domain of `sender`: DMARC has passed for it, or
 * DKIM or SPF has passed for it or a parent domain. A DMARC result other than `pass` and `none`
 * means no, whatever else has passed.
 * @param headers values of all `Authentication-Results` headers of the email
 */
export function isAuthenticated(sender: string, headers: readonly string[], authservId: string): boolean {
  const results = headers.flatMap((value) => (value.length > MAX_HEADER_LENGTH ? [] : resultsIn(value, authservId)));
  const dmarc = results.filter(({ method }) => method === "dmarc");
  if (dmarc.some(({ result }) => result !== "pass" && result !== "none")) return false;
  const domain = domainOf(sender);
  return results.some(({ method, result, properties }) => {
    const named = (DOMAIN_PROPERTIES.get(method) ?? []).flatMap((name) => properties.get(name) ?? []);
    const passed = named[0]?.replace(/^.*@/, "");
    if (result !== "pass" || passed === undefined || !passed.includes(".")) return false;
    return method === "dmarc" ? passed === domain : covers(passed, domain);
  });
}
