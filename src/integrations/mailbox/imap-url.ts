import { invalidConfiguration, type ValidationError } from "../../errors.ts";
import { bareHost, isLoopback } from "../../loopback.ts";

/** The location of a mailbox, and how to reach it. */
export interface ImapMailbox {
  host: string;
  port: number;
  /** TLS from the first byte. */
  secure: boolean;
  /** Use STARTTLS, and never log in without TLS. */
  requireTls: boolean;
  user: string;
  password: string;
  /** The folder to read, named as on the server. */
  folder: string;
}

/** Invalid URLs are never quoted, because they contain a password. */
const invalidUrl = (message: string): ValidationError =>
  invalidConfiguration(`${message} Write imaps://user:password@host/INBOX.`);

/**
 * Reads `imaps://user:password@host:993/INBOX`, or `imap://…` (port 143), which requires STARTTLS
 * from any server except this machine. User, password and folder are percent-encoded; the default
 * folder is INBOX.
 * @throws ValidationError (`invalid_configuration`)
 */
export function parseImapUrl(text: string): ImapMailbox {
  const url = URL.parse(text);
  if (url === null || !/^imaps?:$/.test(url.protocol)) throw invalidUrl("IMAP_URL can't be read.");
  if (url.hostname === "") throw invalidUrl("IMAP_URL has no host.");
  if (url.username === "" || url.password === "") throw invalidUrl("IMAP_URL must have user and password.");
  if (url.search !== "" || url.hash !== "") {
    throw invalidUrl("IMAP_URL takes no parameters: in user, password and folder write ? as %3F and # as %23.");
  }
  const secure = url.protocol === "imaps:";
  const host = bareHost(url.hostname);
  return {
    host,
    port: url.port === "" ? (secure ? 993 : 143) : Number(url.port),
    secure,
    requireTls: !secure && !isLoopback(host),
    user: decoded(url.username),
    password: decoded(url.password),
    folder: decoded(url.pathname.slice(1)) || "INBOX",
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidUrl("User, password or folder in IMAP_URL is not correctly percent-encoded: write % as %25.");
  }
}
