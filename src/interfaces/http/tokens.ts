/** Bearer tokens, each with a name and scopes. Only their hashes are kept in memory. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { invalidConfiguration, ValidationError } from "../../errors.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import { SCOPES, type Scope } from "../../framework/operation.ts";

/** The caller that a token identifies. */
export interface Caller {
  /** The token's name. Recorded as `by` with this caller's decisions. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** True for the caller without a token, if that is allowed. */
  readonly isAnonymous?: boolean;
}

/** The error for a caller without a token, or whose token lacks the scope. */
export const missingScope = (scope: Scope, caller: Caller | undefined): ValidationError =>
  caller && caller.isAnonymous !== true
    ? new ValidationError(`This token lacks the scope ${scope}.`, { code: "scope_missing" })
    : new ValidationError(`This needs a token with the scope ${scope}: send it as Authorization: Bearer <token>.`, {
        code: "token_missing",
      });

/** Finds the caller that a secret belongs to. */
export interface TokenSource {
  /**
   * The caller with this secret; undefined if it is unknown. Takes the same time for all unknown
   * secrets.
   * @param found called with the SHA-256 of the secret, if it is known
   */
  verify(secret: string, found?: (hash: Buffer) => void): Promise<Caller | undefined>;
  /**
   * The caller for whom a proof was made, such as the one in a session's cookie; undefined if there
   * is none.
   * @param proves whether the proof was made with this hash, the SHA-256 of a secret
   */
  find(proves: (hash: Buffer) => boolean): Promise<Caller | undefined>;
}

/** One token: the caller that it identifies, and the SHA-256 of its secret. */
interface Token {
  caller: Caller;
  hash: Buffer;
}

/**
 * One line, so that it fits into results, the graph and logs. No two blanks in a row, because
 * decisions under such a name would be refused.
 */
const NAME = /^(?!.* (?: |$))[\p{L}\p{N}][\p{L}\p{N} _.@-]{0,99}$/u;
const NAME_RULE =
  "must have 1 to 100 letters, digits, single blanks or any of _ . @ -, beginning with a letter or digit";
/** A bearer token as it is transmitted (RFC 6750), long enough that it can't be guessed. */
const SECRET = /^[A-Za-z0-9._~+/-]{16,500}=*$/;
const SECRET_RULE = "must have 16 to 500 characters, of A-Z a-z 0-9 . _ ~ + / -, and may end with =";

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

const scope = z.enum(SCOPES, { error: `must be one of ${SCOPES.join(", ")}` });

const FileEntry = z
  .strictObject({
    name: z.string().regex(NAME, NAME_RULE),
    scopes: z.array(scope).min(1, "must name at least one scope"),
    token: z.string().regex(SECRET, SECRET_RULE).optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, "must have 64 hexadecimal digits")
      .optional(),
  })
  .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), "must have either token or sha256");

/** A fixed set of tokens. */
export class Tokens implements TokenSource {
  readonly #tokens: readonly Token[];

  /**
   * @throws ValidationError (`invalid_configuration`) if two tokens have the same secret, because
   *   the caller would be ambiguous
   */
  private constructor(tokens: readonly Token[]) {
    if (new Set(tokens.map(({ hash }) => hash.toString("hex"))).size < tokens.length) {
      throw invalidConfiguration(
        "Two tokens have the same secret. Give each token its own secret; a caller who needs several scopes gets one token with all of them.",
      );
    }
    this.#tokens = tokens;
  }

  /**
   * Parses tokens from a setting: `name:scope+scope:secret`, separated by commas or white space.
   * @throws ValidationError (`invalid_configuration`), which never repeats a secret
   */
  static fromSetting(text: string): Tokens {
    const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
    if (entries.length === 0) throw invalidConfiguration("HTTP_TOKENS has no tokens.");
    return new Tokens(entries.map((entry, index) => fromEntry(entry, index + 1)));
  }

  /**
   * Parses tokens from a file: a JSON array, or JSON Lines, of `{ "name", "scopes", "token" }`, or
   * `"sha256"` instead of the token.
   * @throws ValidationError (`invalid_configuration`), which never repeats a secret
   */
  static fromFile(text: string): Tokens {
    return new Tokens(parseEntries(text).map((entry, index) => fromFileEntry(entry, index + 1)));
  }

  /** One token that the program has generated. */
  static of(name: string, scopes: readonly Scope[], secret: string): Tokens {
    return new Tokens([{ caller: { name, scopes: new Set(scopes) }, hash: hashOf(secret) }]);
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  async verify(secret: string, found?: (hash: Buffer) => void): Promise<Caller | undefined> {
    const hash = hashOf(secret);
    const caller = await this.find((known) => timingSafeEqual(known, hash));
    if (caller) found?.(hash);
    return caller;
  }

  find(proves: (hash: Buffer) => boolean): Promise<Caller | undefined> {
    let found: Caller | undefined;
    // All of them are compared, so that the time doesn't reveal which one fits.
    for (const token of this.#tokens) if (proves(token.hash)) found = token.caller;
    return Promise.resolve(found);
  }
}

function fromEntry(entry: string, number: number): Token {
  const [, name = "", names = "", secret = ""] =
    /^([^:]*):((?:[a-z]+(?::[a-z]+)?\+)*(?:feedback:[a-z]+|[a-z]+)):(.*)$/.exec(entry) ?? [];
  const read = FileEntry.safeParse({ name, scopes: names.split("+"), token: secret });
  if (read.success) return toToken(read.data);
  throw invalidConfiguration(
    `HTTP_TOKENS: token ${number} is not name:scope+scope:secret. ${problemOf(read.error)} ` +
      `Example: ann:approve+feedback:read:<secret>`,
  );
}

function fromFileEntry(entry: unknown, number: number): Token {
  const read = FileEntry.safeParse(entry);
  if (read.success) return toToken(read.data);
  throw invalidConfiguration(`HTTP_TOKENS_FILE: token ${number} can't be used. ${problemOf(read.error)}`);
}

const problemOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path[0] === undefined ? "It" : `Its ${String(path[0])}`} ${message}.`).join(" ");

const toToken = ({ name, scopes, token, sha256 }: z.output<typeof FileEntry>): Token => ({
  caller: { name, scopes: new Set(scopes) },
  hash: token === undefined ? Buffer.from(sha256 ?? "", "hex") : hashOf(token),
});

function parseEntries(text: string): unknown[] {
  try {
    if (text.trimStart().startsWith("[")) return JSON.parse(text) as unknown[];
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line) => JSON.parse(line) as unknown);
  } catch {
    // The parser's message would quote a secret.
    throw invalidConfiguration("HTTP_TOKENS_FILE is neither a JSON array nor JSON Lines.");
  }
}

/**
 * Tokens in a file, which is read again when it has changed. If it can't be read or is not valid,
 * the earlier tokens stay valid. If it was emptied, no token is valid.
 */
export class TokenFile implements TokenSource {
  readonly #path: string;
  readonly #logger: Logger;
  #version: string;
  /** Whether it was already logged that the file can't be read. */
  #isFailureLogged = false;
  #tokens: Tokens;

  private constructor(path: string, logger: Logger, { version, tokens }: { version: string; tokens: Tokens }) {
    this.#path = path;
    this.#logger = logger;
    this.#version = version;
    this.#tokens = tokens;
  }

  /**
   * @throws ValidationError (`invalid_configuration`) if the file can't be read, is not valid, or
   *   has no tokens
   */
  static async open(path: string, logger: Logger = silentLogger): Promise<TokenFile> {
    const version = await versionOf(path);
    const tokens = Tokens.fromFile(await readable(readFile(path, "utf8")));
    if (tokens.isEmpty) throw invalidConfiguration("HTTP_TOKENS_FILE has no tokens.");
    return new TokenFile(path, logger, { version, tokens });
  }

  async verify(secret: string, found?: (hash: Buffer) => void): Promise<Caller | undefined> {
    await this.#refresh();
    return this.#tokens.verify(secret, found);
  }

  async find(proves: (hash: Buffer) => boolean): Promise<Caller | undefined> {
    await this.#refresh();
    return this.#tokens.find(proves);
  }

  async #refresh(): Promise<void> {
    try {
      const version = await versionOf(this.#path);
      if (version === this.#version) {
        this.#isFailureLogged = false;
        return;
      }
      const text = await readable(readFile(this.#path, "utf8"));
      this.#isFailureLogged = false;
      // Set this before the file is parsed, so that an invalid one is reported once and not at every
      // request.
      this.#version = version;
      this.#tokens = Tokens.fromFile(text);
      this.#logger.info({}, "HTTP_TOKENS_FILE was read again");
    } catch (error) {
      if (this.#isFailureLogged) return;
      this.#isFailureLogged = true;
      this.#logger.error(
        { cause: describeCause(error) },
        "HTTP_TOKENS_FILE can't be read; the earlier tokens stay valid until you fix it",
      );
    }
  }
}

async function versionOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await readable(stat(path));
  return `${mtimeMs} ${size} ${ino}`;
}

async function readable<Value>(reading: Promise<Value>): Promise<Value> {
  try {
    return await reading;
  } catch (cause) {
    throw new ValidationError("HTTP_TOKENS_FILE names a file that can't be read.", {
      code: "invalid_configuration",
      cause,
    });
  }
}

/** Asks several sources; if several know the secret, the first of them counts. */
export const anyOf = (sources: readonly TokenSource[]): TokenSource => ({
  verify: (secret, found) => firstOf(sources, (source) => source.verify(secret, found)),
  find: (proves) => firstOf(sources, (source) => source.find(proves)),
});

async function firstOf(
  sources: readonly TokenSource[],
  ask: (source: TokenSource) => Promise<Caller | undefined>,
): Promise<Caller | undefined> {
  const callers = await Promise.all(sources.map(ask));
  return callers.find((caller) => caller !== undefined);
}
