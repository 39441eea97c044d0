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
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase() ?? "";
  switch (scheme) {
    case "smtp":
    case "smtps":
      return new SmtpTransport(parseSmtpUrl(url));
    case "outbox":
      return new OutboxTransport(folderOf(url.slice("outbox:".length).replace(/^\/\//, "")));
    case "file":
      return new OutboxTransport(folderOf(pathOf(url)));
    default:
      throw unusable("The mail transport's URL has a scheme that is not supported.");
  }
}

function folderOf(path: string): string {
  if (path === "") throw unusable("The outbox URL names no folder.");
  if (isUrlLike(path)) throw unusable("The outbox must be a folder, not another URL.");
  return path;
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
