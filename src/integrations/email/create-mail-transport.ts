import { fileURLToPath } from "node:url";
import { ValidationError } from "../../errors.ts";
import { isUrlLike } from "../../secrets.ts";
import type { MailTransport } from "./mail-transport.ts";
import { OutboxTransport } from "./outbox-transport.ts";
import { parseSmtpUrl } from "./smtp-url.ts";
import { SmtpTransport } from "./smtp-transport.ts";

const SUPPORTED =
  "smtp://user:password@host:587, smtps://user:password@host:465, outbox:folder or file:///path/of/a/folder";

/**
 * The mail transport that a URL names. Nothing is opened before the first mail.
 * - `smtp://`, `smtps://`: a mail server; see `parseSmtpUrl` for the parameters
 * - `outbox:data/outbox`, `outbox:/var/outbox`: a folder of `.eml` files, the path as it stands; `file:///var/outbox` as a URL
 * @throws ValidationError (`invalid_configuration`) for any other URL
 */
export function createMailTransport(url: string): MailTransport {
  const folder = outboxFolderOf(url);
  if (folder !== undefined) return new OutboxTransport(folder);
  if (/^smtps?:/i.test(url)) return new SmtpTransport(parseSmtpUrl(url));
  throw unusable("The mail transport's URL has a scheme that is not supported.");
}

/**
 * The folder that a transport's URL names: `mails` for `outbox:mails` and `outbox://mails`. Undefined for any other scheme than
 * `outbox:` and `file:`.
 * @throws ValidationError (`invalid_configuration`) where it can't be a folder
 */
export function outboxFolderOf(url: string): string | undefined {
  if (/^outbox:/i.test(url)) return folderOf(url.slice("outbox:".length).replace(/^\/\//, ""));
  return /^file:/i.test(url) ? folderOf(pathOf(url)) : undefined;
}

function folderOf(path: string): string {
  if (path === "") throw unusable("The outbox URL names no folder.");
  if (isUrlLike(path)) throw unusable("The outbox must be a folder, not another URL.");
  // So that `outbox:` before it leads to the same folder again.
  return path.replace(/^\/+/, "/");
}

function pathOf(url: string): string {
  // "file:folder" would silently mean "/folder".
  if (!url.toLowerCase().startsWith("file:///")) throw unusable("A file URL must be absolute.");
  try {
    return fileURLToPath(url);
  } catch {
    throw unusable("The file URL can't be read.");
  }
}

const unusable = (problem: string) =>
  new ValidationError(`${problem} Supported are ${SUPPORTED}.`, { code: "invalid_configuration" });
