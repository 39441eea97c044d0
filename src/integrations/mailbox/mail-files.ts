import { createReadStream, type Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { IoError } from "../../errors.ts";
import { quotedName } from "../../secrets.ts";
import { MAX_MAIL_BYTES } from "./incoming-mail.ts";
import { isMbox, mailsOfMbox } from "./mbox.ts";

/** An email in a file, or why it couldn't be read. */
export interface FoundMail {
  /**
   * Where a person can find it: the file's path within the folder, or `email 7` of an mbox. A
   * single email in a file is `email 1`.
   */
  place: string;
  /** How much of the input has been read so far, 0 to 1; always 0 for an mbox of unknown size. */
  share: number;
  /** The email, whole unless it is larger than `MAX_MAIL_BYTES`. */
  raw: Uint8Array | IoError;
}

/**
 * The emails that a path leads to, as a stream: one email in a file, an mbox, a Maildir (its `new`
 * and `cur`), or all `.eml` files in a folder and the folders below it.
 * @throws IoError if the path can't be read; for a file in a folder, the error is in `raw` instead
 */
export async function* mailsIn(path: string): AsyncGenerator<FoundMail> {
  const { isDirectory, size } = await inspect(path);
  if (isDirectory) {
    const files = await listFiles(path);
    for (const [at, file] of files.entries()) {
      yield {
        place: relative(path, file),
        share: (at + 1) / files.length,
        raw: await readHead(file).catch(toIoError(file)),
      };
    }
    return;
  }
  const stream = createReadStream(path);
  try {
    yield* mailsOf(stream, size);
  } catch (error) {
    throw toIoError(path)(error);
  } finally {
    stream.destroy();
  }
}

/**
 * The emails in a stream of bytes, which is one email or an mbox.
 * @param size total size, if known
 */
export async function* mailsOf(chunks: AsyncIterable<Uint8Array>, size?: number): AsyncGenerator<FoundMail> {
  let taken = 0;
  const counted = (async function* () {
    for await (const chunk of chunks) {
      taken += chunk.length;
      yield chunk;
    }
  })();
  const first = await counted.next();
  if (first.done === true) return;
  const all = (async function* () {
    yield first.value;
    yield* counted;
  })();
  const share = (): number => (size === undefined || size === 0 ? 0 : taken / size);
  if (!isMbox(first.value)) {
    const raw = await collect(all);
    yield { place: "email 1", share: 1, raw };
    return;
  }
  let number = 0;
  for await (const raw of mailsOfMbox(all)) {
    number += 1;
    yield { place: `email ${number}`, share: share(), raw };
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (length <= MAX_MAIL_BYTES) kept.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(kept).subarray(0, MAX_MAIL_BYTES + 1);
}

async function inspect(path: string): Promise<{ isDirectory: boolean; size: number }> {
  try {
    const found = await stat(path);
    return { isDirectory: found.isDirectory(), size: found.size };
  } catch (error) {
    throw toIoError(path)(error);
  }
}

/** Sorted, so the order is always the same. */
async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const isMaildir = ["cur", "new"].every((name) =>
      entries.some((entry) => entry.name === name && entry.isDirectory()),
    );
    const found = isMaildir
      ? (await Promise.all(["new", "cur"].map((name) => readdir(join(folder, name), { withFileTypes: true })))).flat()
      : (await readdir(folder, { withFileTypes: true, recursive: true })).filter(({ name }) => /\.eml$/i.test(name));
    return found
      .filter(isMailFile)
      .map(({ parentPath, name }) => join(parentPath, name))
      .toSorted();
  } catch (error) {
    throw toIoError(folder)(error);
  }
}

const isMailFile = (entry: Dirent): boolean =>
  (entry.isFile() || entry.isSymbolicLink()) && !entry.name.startsWith(".");

const readHead = (path: string): Promise<Buffer> => collect(createReadStream(path, { end: MAX_MAIL_BYTES }));

const toIoError =
  (path: string) =>
  (cause: unknown): IoError =>
    cause instanceof IoError
      ? cause
      : new IoError(`The mail file or folder${quotedName(path)} can't be read. Check that it exists and may be read.`, {
          code: "file_unreadable",
          cause,
        });
