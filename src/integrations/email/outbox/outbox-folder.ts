/** The folder of an outbox transport. Separate, so that finding it does not load the transports. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { isUrlLike } from "../../../secrets.ts";
import { invalidMailUrl } from "../mail-urls.ts";

/**
 * The folder that a transport's URL names: `mails` for `outbox:mails` and `outbox://mails`.
 * Undefined for schemes other than `outbox:` and `file:`.
 * @throws ValidationError (`invalid_configuration`) if it can't be a folder
 */
export function outboxFolderOf(url: string): string | undefined {
  if (/^outbox:/i.test(url)) return folderOf(url.slice("outbox:".length).replace(/^\/\//, ""));
  return /^file:/i.test(url) ? folderOf(pathOf(url)) : undefined;
}

function folderOf(path: string): string {
  if (path === "") throw invalidMailUrl("The outbox URL names no folder.");
  if (isUrlLike(path)) throw invalidMailUrl("The outbox must be a folder, not another URL.");
  // Two slashes at the beginning would be lost if `outbox:` were put in front of the path again; it
  // would then lead to another folder.
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

// Only characters that no file system folds, reserves or interprets as part of a path.
const SAFE_NAME = /^[a-z0-9][a-z0-9._@-]{0,199}$/;

/** The name of an email's file: the message id if that is a safe file name, otherwise its hash. */
export function outboxFileName(messageId: string): string {
  const id = messageId.replace(/^<(.*)>$/, "$1");
  return `${SAFE_NAME.test(id) ? id : createHash("sha256").update(id).digest("hex")}.eml`;
}
