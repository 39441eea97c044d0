/** What must not show in messages and logs: passwords and tokens in URLs, also where somebody has mistyped the URL. */
import { basename } from "node:path";

// To the last @ of the word: a password may hold a slash, a colon or an @ that should have been encoded.
const USER_INFO = /([a-z][a-z0-9+.-]*:\/{0,3})[^\s"'<>]*@/gi;
const QUERY = /([a-z][a-z0-9+.-]*:\/[^\s"'<>?#]*)[?#][^\s"'<>]*/gi;
// Looks for the word from the start of the name only, so that a long name takes linear time.
const NAMED_TOKEN = /(?<![\w-])(?=[\w-]*(?:token|key|secret|passw|auth|signature))([\w-]+=)[^\s&"'<>]+/gi;

/** A text in which URLs have neither user and password nor a query, and named tokens no value. */
export const withoutSecrets = (text: string): string =>
  text.replace(USER_INFO, "$1[hidden]@").replace(QUERY, "$1?[hidden]").replace(NAMED_TOKEN, "$1[hidden]");

/** Like a URL, or like user and password before a host: in a setting that names a file or folder, a mistake. */
export const isUrlLike = (path: string): boolean => /^\W*[a-z][a-z0-9+.-]+:\/|:.*@/i.test(path);

const PLAIN_NAME = /^[\p{L}\p{N} _()+-]+(?:\.[\p{L}\p{N} _()+-]+)*\.[a-z0-9]{1,5}$/iu;

/** A file's name for a message; undefined where it may be part of a URL with a password or a token. */
export function shownName(path: string): string | undefined {
  const name = basename(path);
  return PLAIN_NAME.test(name) && !path.includes("//") && !isUrlLike(path) ? name : undefined;
}

/**
 * The same between quotes and with a blank before it, or nothing.
 * @example `The file${quotedName(path)} can't be read.`
 */
export function quotedName(path: string): string {
  const name = shownName(path);
  return name === undefined ? "" : ` "${name}"`;
}
