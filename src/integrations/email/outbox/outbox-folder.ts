/** Where mails lie that go to a folder; for those who only want to know that, without the transports. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { isUrlLike } from "../../../secrets.ts";
import { invalidMailUrl } from "../mail-urls.ts";

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
  if (path === "") throw invalidMailUrl("The outbox URL names no folder.");
  if (isUrlLike(path)) throw invalidMailUrl("The outbox must be a folder, not another URL.");
  // So that `outbox:` before it leads to the same folder again.
  return path.replace(/^\/+/, "/");
}

function pathOf(url: string): string {
  // "file:folder" would silently mean "/folder".
  if (!url.toLowerCase().startsWith("file:///")) throw invalidMailUrl("A file URL must be absolute.");
  try {
    return fileURLToPath(url);
  } catch {
    throw invalidMailUrl("The file URL can't be read.");
  }
}

// Nothing that a file system folds, reserves or takes for a path.
const SAFE_NAME = /^[a-z0-9][a-z0-9._@-]{0,199}$/;

/** Name of a mail's file: the message id where a file can have that name, otherwise its hash. */
export function outboxFileName(messageId: string): string {
  const id = messageId.replace(/^<(.*)>$/, "$1");
  return `${SAFE_NAME.test(id) ? id : createHash("sha256").update(id).digest("hex")}.eml`;
}
