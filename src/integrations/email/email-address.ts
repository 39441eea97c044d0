import { domainToASCII } from "node:url";

// Limits of RFC 5321 section 4.5.3.1, and of the path that an address is part of.
const MAX_ADDRESS_LENGTH = 254;
const MAX_LOCAL_PART_LENGTH = 64;

// The dot-atom of RFC 5322, without `!`, `%`, `|` and the backtick, because relays have interpreted
// them as routes and commands.
const LOCAL_PART = /^[a-z0-9#$&'*+/=?^_{}~-]+(?:\.[a-z0-9#$&'*+/=?^_{}~-]+)*$/i;
const DOMAIN_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const TOP_LEVEL = /^(?:[a-z]{2,}|xn--[a-z0-9-]+)$/i;

/**
 * Whether mail can be sent to this value as it is: exactly one bare ASCII address (`a@b.example`)
 * on a domain with at least two labels. No display name, comment, quotes, white space, list,
 * address literal or non-ASCII character (write internationalised domains in their `xn--` form); at
 * most 254 characters. Takes linear time.
 */
export function isEmailAddress(value: unknown): value is string {
  if (typeof value !== "string" || value.length > MAX_ADDRESS_LENGTH) return false;
  const at = value.indexOf("@");
  if (at < 1 || at > MAX_LOCAL_PART_LENGTH || !LOCAL_PART.test(value.slice(0, at))) return false;
  const labels = value.slice(at + 1).split(".");
  return labels.length > 1 && labels.every((label) => DOMAIN_LABEL.test(label)) && TOP_LEVEL.test(labels.at(-1) ?? "");
}

/** The domain of a usable address, in lower case. */
export const domainOf = (address: string): string => address.slice(address.indexOf("@") + 1).toLowerCase();

const NAMED_ADDRESS = /^([^<>]*)<([^<>]*)>$/;
/**
 * Letters of any script, joiners and the full stops of other scripts: what `domainToASCII` accepts
 * without cutting the domain off.
 */
const INTERNATIONAL_DOMAIN = /^(?:[\p{L}\p{N}\p{M}.\u3002\uFF0E\uFF61-]|\u200C|\u200D)+$/u;

/**
 * The usable address in a value as people write it: bare, as `Name <a@b.example>`, with `mailto:`,
 * or on an internationalised domain, which is converted to its `xn--` form (UTS 46).
 * @returns the address, or why there is none: no email can be sent to it, or there is more than one
 *   address
 */
export function readEmailAddress(text: string): { address: string } | { problem: "unusable" | "several" } {
  const trimmed = text.trim().replace(/[;,]$/, "");
  const [, name = "", named] = NAMED_ADDRESS.exec(trimmed) ?? [];
  const written = (named ?? trimmed).trim().replace(/^mailto:/i, "");
  const other = name.trim().replaceAll(/^["']|["']$/g, "");
  if (other.includes("@") && other.toLowerCase() !== written.toLowerCase()) return { problem: "several" };
  const [local = "", domain = "", ...more] = written.split("@");
  if (more.length > 0) return { problem: "several" };
  const isConverted = /\P{ASCII}/u.test(domain) && INTERNATIONAL_DOMAIN.test(domain);
  const address = isConverted ? `${local}@${domainToASCII(domain)}` : written;
  return isEmailAddress(address) ? { address } : { problem: "unusable" };
}
