import type { MailTransport } from "./mail-transport.ts";
import { invalidMailUrl } from "./mail-urls.ts";
import { outboxFolderOf } from "./outbox/outbox-folder.ts";
import { OutboxTransport } from "./outbox/outbox-transport.ts";
import { parseSmtpUrl } from "./smtp/smtp-url.ts";
import { SmtpTransport } from "./smtp/smtp-transport.ts";

/**
 * Creates the mail transport for a URL. Nothing is opened before the first email is sent.
 * - `smtp://`, `smtps://`: a mail server; see `parseSmtpUrl` for the parameters
 * - `outbox:data/outbox`, `outbox:/var/outbox`: a folder of `.eml` files, by its literal path;
 *   `file:///var/outbox`: the same as a URL
 * @throws ValidationError (`invalid_configuration`) for any other URL
 */
export function createMailTransport(url: string): MailTransport {
  const folder = outboxFolderOf(url);
  if (folder !== undefined) return new OutboxTransport(folder);
  if (/^smtps?:/i.test(url)) return new SmtpTransport(parseSmtpUrl(url));
  throw invalidMailUrl("The mail transport's URL has a scheme that is not supported.");
}
