/** Who may call what: bearer tokens, each with a name and scopes. Only their hashes are kept in memory. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { invalidConfiguration, ValidationError } from "../../errors.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import { SCOPES, type Scope } from "../../framework/operation.ts";

/** Who calls, as a token says. */
export interface Caller {
  /** Stands as `by` with what this caller decides. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The caller if there is no token, where that is allowed. */
  readonly isAnonymous?: boolean;
}

/** The refusal of a call that needs a scope. */
export const missingScope = (scope: Scope, caller: Caller | undefined): ValidationError =>
  caller && caller.isAnonymous !== true
    ? new ValidationError(`This token lacks the scope ${scope}.`, { code: "scope_missing" })
    : new ValidationError(`This needs a token with the scope ${scope}: send it as Authorization: Bearer <token>.`, {
        code: "token_missing",
      });

/** Finds the caller that a secret belongs to. */
export interface TokenSource {
  /**
   * Undefined for a secret that is not known. Takes the same time for all that are not.
   * @param found is told the SHA-256 of a secret that is
   */
  verify(secret: string, found?: (hash: Buffer) => void): Promise<Caller | undefined>;
  /** The caller for the hash of whose secret this holds: for what proves that somebody had it. */
  find(proves: (hash: Buffer) => boolean): Promise<Caller | undefined>;
}

/** One token, its secret or the SHA-256 of it. */
interface Token {
  caller: Caller;
  hash: Buffer;
}

/** One line, so that it can stand in results, in the graph and in logs. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.@-]{0,99}$/u;
/** What goes over the wire as a bearer token (RFC 6750), long enough not to be guessed. */
const SECRET = /^[A-Za-z0-9._~+/-]{16,500}=*$/;
const SHORT = "must have at least 16 characters, of A-Z a-z 0-9 . _ ~ + / -";

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

const scope = z.enum(SCOPES, { error: `must be one of ${SCOPES.join(", ")}` });

const FileEntry = z
  .strictObject({
    name: z.string().regex(NAME, "must have 1 to 100 letters, digits, blanks or any of _ . @ -"),
    scopes: z.array(scope).min(1, "must name at least one scope"),
    token: z.string().regex(SECRET, SHORT).optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, "must have 64 hexadecimal digits")
      .optional(),
  })
  .refine(({ token, sha256 }) => (token === undefined) !== (sha256 === undefined), "must have either token or sha256");

/** Tokens that do not change. */
export class Tokens implements TokenSource {
  readonly #tokens: readonly Token[];

  /** @throws ValidationError (`invalid_configuration`) for two tokens with one secret: whose it is must be clear */
  private constructor(tokens: readonly Token[]) {
    if (new Set(tokens.map(({ hash }) => hash.toString("hex"))).size < tokens.length) {
      throw invalidConfiguration(
        "Two tokens have the same secret. Give each its own, and one that needs several scopes all of them.",
      );
    }
    this.#tokens = tokens;
  }

  /**
   * Tokens as a setting has them: `name:scope+scope:secret`, several with commas between them.
   * @throws ValidationError (`invalid_configuration`), which never repeats a secret
   */
  static fromSetting(text: string): Tokens {
    const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
    if (entries.length === 0) throw invalidConfiguration("HTTP_TOKENS has no tokens.");
    return new Tokens(entries.map((entry, index) => fromEntry(entry, index + 1)));
  }

  /**
   * Tokens as a file has them: a JSON array, or JSON Lines, of `{ "name", "scopes", "token" }`, or `"sha256"` in place of the token.
   * @throws ValidationError (`invalid_configuration`), which never repeats a secret
   */
  static fromFile(text: string): Tokens {
    return new Tokens(parseEntries(text).map((entry, index) => fromFileEntry(entry, index + 1)));
  }

  /** One token that a program has made. */
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
    // All are compared, so that the time says nothing about which one was nearly right.
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
 * Tokens in a file, read again when it has changed. One that can't be read leaves the earlier tokens in force; one that was emptied has
 * none.
 */
export class TokenFile implements TokenSource {
  readonly #path: string;
  readonly #logger: Logger;
  #version: string;
  /** It was said already that it can't be read. */
  #isMissing = false;
  #tokens: Tokens;

  private constructor(path: string, logger: Logger, { version, tokens }: { version: string; tokens: Tokens }) {
    this.#path = path;
    this.#logger = logger;
    this.#version = version;
    this.#tokens = tokens;
  }

  /** @throws ValidationError (`invalid_configuration`) where it can't be read, or has no tokens */
  static async open(path: string, logger: Logger = silentLogger): Promise<TokenFile> {
    const version = await versionOf(path);
    const tokens = await readTokens(path);
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
      this.#isMissing = false;
      if (version === this.#version) return;
      // Noted first: a file that is no good is reported once, not at every request.
      this.#version = version;
      this.#tokens = await readTokens(this.#path);
      this.#logger.info({}, "the file of tokens was read again");
    } catch (error) {
      if (this.#isMissing) return;
      this.#isMissing = true;
      this.#logger.error({ cause: describeCause(error) }, "the file of tokens can't be read; the earlier ones stay");
    }
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (cause) {
    throw new ValidationError("HTTP_TOKENS_FILE names a file that can't be read.", {
      code: "invalid_configuration",
      cause,
    });
  }
}

const readTokens = async (path: string): Promise<Tokens> => Tokens.fromFile(await readFile(path, "utf8"));

/** Asks several sources, the first that knows the secret answers. */
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
