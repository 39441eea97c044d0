import { randomUUID } from "node:crypto";
import { closeSync, fsync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { IoError } from "../../../errors.ts";
import { makePrivateFolder, PRIVATE_FILE } from "../../../files/private-files.ts";
import type { MailMessage, MailTransport } from "../mail-transport.ts";
import { toMimeMessage } from "../mime-message.ts";
import { outboxFileName } from "./outbox-folder.ts";

interface Mail {
  readonly name: string;
  readonly content: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const flush = promisify(fsync);

/**
 * Writes emails to a folder, each as one `.eml` file (RFC 5322) that mail programs can open. The
 * file is named after the message id; an existing file is not overwritten. A file appears complete
 * or not at all, and is on disk when `send` resolves. The folder is created with the first email.
 * Only the owner can read the files, and the folder if it is created here.
 *
 * Emails that arrive while others are being written are written together after them, and share one
 * flush of the folder.
 */
export class OutboxTransport implements MailTransport {
  readonly #folder: string;
  #waiting: Mail[] = [];
  #isWriting = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async send(message: MailMessage, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    const content = await toMimeMessage(message);
    signal?.throwIfAborted();
    try {
      await this.#add(outboxFileName(message.messageId), content);
    } catch (cause) {
      const { code = "unknown" } = cause as NodeJS.ErrnoException;
      const advice = ["EEXIST", "ENOTDIR"].includes(code)
        ? "The path, or a part of it, is a file: name a folder."
        : "Check that the folder can be written to and has space left.";
      const message = `The email could not be written to the outbox folder (${code}). ${advice}`;
      throw new IoError(message, { code: "outbox_unavailable", cause });
    }
  }

  async close(): Promise<void> {}

  #add(name: string, content: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, content, resolve, reject });
      if (!this.#isWriting) void this.#writeWaiting();
    });
  }

  async #writeWaiting(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      // Emails of one turn of the event loop are written together.
      await setImmediate();
      const mails = this.#waiting;
      this.#waiting = [];
      await this.#write(mails);
    }
    this.#isWriting = false;
  }

  /** Never rejects: errors are passed to the callers of `send`. */
  async #write(mails: readonly Mail[]): Promise<void> {
    const outcomes = await Promise.allSettled(mails.map(({ name, content }) => this.#store(name, content)));
    const flushed = outcomes.some(({ status }) => status === "fulfilled") ? this.#flushFolder() : undefined;
    const [folder] = await Promise.allSettled([flushed]);
    for (const [index, { resolve, reject }] of mails.entries()) {
      const failure = [outcomes[index], folder].find((outcome) => outcome?.status === "rejected");
      if (failure) reject(failure.reason);
      else resolve();
    }
  }

  async #store(name: string, content: Buffer): Promise<void> {
    makePrivateFolder(this.#folder);
    const path = join(this.#folder, name);
    // The process that wrote the email may have died before it flushed the folder, so the folder is
    // flushed in any case.
    if (statSync(path, { throwIfNoEntry: false })) return;
    const temporary = join(this.#folder, `.${randomUUID()}.tmp`);
    try {
      await writeDurably(temporary, content);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  async #flushFolder(): Promise<void> {
    // Windows can't open a folder, and makes renames durable without a flush.
    if (process.platform !== "win32") await withFile(this.#folder, "r", flush);
  }
}

const writeDurably = (path: string, content: Buffer): Promise<void> =>
  withFile(path, "wx", async (file) => {
    writeFileSync(file, content);
    await flush(file);
  });

/**
 * Opens, writes and closes synchronously, because that only touches memory; only a flush has to
 * wait for the disk.
 */
async function withFile(path: string, flags: string, work: (file: number) => Promise<void>): Promise<void> {
  const file = openSync(path, flags, PRIVATE_FILE);
  try {
    await work(file);
  } finally {
    closeSync(file);
  }
}
