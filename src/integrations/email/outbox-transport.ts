import { randomUUID } from "node:crypto";
import { access, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { IoError } from "../../errors.ts";
import { makePrivateFolder, PRIVATE_FILE } from "../../private-files.ts";
import type { MailMessage, MailTransport } from "./mail-transport.ts";
import { toMimeOptions } from "./mime-message.ts";
import { outboxFileName } from "./outbox-folder.ts";

/**
 * Puts mails into a folder, one `.eml` file (RFC 5322) each, for mail programs to open. The file is named for the message id:
 * a mail that lies there already stays as it is. A file appears whole or not at all, and is on the disk when `send` resolves.
 * The folder is made when the first mail comes. Folder and files are their owner's alone.
 */
export class OutboxTransport implements MailTransport {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(message: MailMessage, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    const content = await buildMessage(message);
    signal?.throwIfAborted();
    try {
      await this.#store(outboxFileName(message.messageId), content);
    } catch (cause) {
      const { code = "unknown" } = cause as NodeJS.ErrnoException;
      const advice = ["EEXIST", "ENOTDIR"].includes(code)
        ? "It, or something above it, is a file: name a folder."
        : "Check that the folder can be written to and has space left.";
      const message = `The mail could not be written to the outbox folder (${code}). ${advice}`;
      throw new IoError(message, { code: "outbox_unavailable", cause });
    }
  }

  async close(): Promise<void> {}

  async #store(name: string, content: Buffer): Promise<void> {
    makePrivateFolder(this.#folder);
    const path = join(this.#folder, name);
    if (!(await exists(path))) {
      const temporary = join(this.#folder, `.${randomUUID()}.tmp`);
      try {
        await writeDurably(temporary, content);
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    }
    // Also where the file was there: whoever wrote it may have died before this line.
    await syncFolder(this.#folder);
  }
}

async function buildMessage(message: MailMessage): Promise<Buffer> {
  const { default: MailComposer } = await import("nodemailer/lib/mail-composer");
  return new MailComposer({ ...(await toMimeOptions(message)), newline: "windows" }).compile().build();
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return false;
      throw error;
    },
  );

async function writeDurably(path: string, content: Buffer): Promise<void> {
  const file = await open(path, "wx", PRIVATE_FILE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows can't open a folder, and makes renames durable by itself.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
