import { readFile } from "node:fs/promises";
import { IoError, ValidationError } from "../../src/errors.ts";
import { jsonFault } from "../../src/row-file/json-fault.ts";
import { quotedName } from "../../src/secrets.ts";
import { host, resolvedPath } from "./host.ts";

/** Standard input, as a file name. */
export const STDIN = "-";

/**
 * A whole file, or standard input for `-`, as UTF-8 text without byte order mark.
 * @throws IoError if it can't be read, ValidationError if it is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  const bytes =
    path === STDIN
      ? await readStdin()
      : await readFile(resolvedPath(path)).catch((cause) => Promise.reject(unreadable(path, cause)));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ValidationError(`${nameOf(path)} is not UTF-8 text. Save it as UTF-8.`, { code: "not_utf8", cause });
  }
}

/** @throws as `readText`; ValidationError if it is not JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's own message would quote what the customer wrote.
    const { line = 1, column = 1 } = jsonFault(text) ?? {};
    throw new ValidationError(`${nameOf(path)} is not valid JSON: look at line ${line}, column ${column}.`, {
      code: "malformed_json",
      cause,
    });
  }
}

export function unreadable(path: string, cause: unknown): IoError {
  return new IoError(`The file${quotedName(path)} can't be read. Check that it exists and may be read.`, {
    code: "file_unreadable",
    cause,
  });
}

const nameOf = (path: string): string => (path === STDIN ? "Standard input" : `The file${quotedName(path)}`);

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of host().stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
