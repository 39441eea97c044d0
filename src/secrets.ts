/** Hides passwords and tokens in URLs, even mistyped ones, from messages and logs. */
import { basename } from "node:path";

// Up to the last @ of the word, because a password may contain a slash, a colon or an @ that should
// have been encoded.
const USER_INFO = /([a-z][a-z0-9+.-]*:\/{0,3})[^\s"'<>]*@/gi;
const QUERY = /([a-z][a-z0-9+.-]*:\/[^\s"'<>?#]*)[?#][^\s"'<>]*/gi;
// Only matches from the start of a name, so a long name takes linear time.
const NAMED_TOKEN = /(?<![\w-])(?=[\w-]*(?:token|key|secret|passw|auth|signature))([\w-]+=)[^\s&"'<>]+/gi;

/**
 * Hides user, password and query of URLs in a text, and values after names such as `api_key=`. Slow
 * on long texts, so cut them first.
 */
export const withoutSecrets = (text: string): string =>
  text.replace(USER_INFO, "$1[hidden]@").replace(QUERY, "$1?[hidden]").replace(NAMED_TOKEN, "$1[hidden]");

/**
 * Whether a text looks like a URL, or like user and password before a host. In a setting for a file
 * or folder, that is a mistake.
 */
export const isUrlLike = (path: string): boolean => /^\W*[a-z][a-z0-9+.-]+:\/|:.*@/i.test(path);

const PLAIN_NAME = /^[\p{L}\p{N} _()+-]+(?:\.[\p{L}\p{N} _()+-]+)*\.[a-z0-9]{1,5}$/iu;

/**
 * A file's name for a message. Undefined unless it is a plain name with an extension, because
 * anything else may be part of a URL with a password or a token.
 */
export function shownName(path: string): string | undefined {
  const name = basename(path);
  return PLAIN_NAME.test(name) && !path.includes("//") && !isUrlLike(path) ? name : undefined;
}

/**
 * The result of `shownName` in quotes, after a space; an empty text if there is no name to show.
 * @example `The file${quotedName(path)} can't be read.`
 */
export function quotedName(path: string): string {
  const name = shownName(path);
  return name === undefined ? "" : ` "${name}"`;
}
