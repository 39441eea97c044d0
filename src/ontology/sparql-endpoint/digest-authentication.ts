import { createHash, randomBytes } from "node:crypto";
import { parseChallenges } from "./challenges.ts";

/** The algorithms of RFC 7616, with Node's names for them. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ["MD5", "md5"],
  ["SHA-256", "sha256"],
  ["SHA-512-256", "sha512-256"],
]);

const SESSION = /-sess$/i;

interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As the server spells it; undefined if the server omits it, which means MD5. */
  readonly algorithm: string | undefined;
  /**
   * Our own nonce. It stays the same until the next challenge, because the session key of the
   * `-sess` forms is made once for each challenge (RFC 7616, section 3.4.2).
   */
  readonly cnonce: string;
}

export interface DigestCredentials {
  user: string;
  password: string;
  /** Makes the client's nonces; random ones by default. */
  clientNonce?: () => string;
}

/**
 * HTTP Digest access authentication (RFC 7616) with `qop=auth`: MD5, SHA-256, SHA-512-256 and their
 * `-sess` forms. The server's challenge is reused for later requests until the server sends
 * another.
 */
export class DigestAuthentication {
  readonly #credentials: DigestCredentials;
  readonly #clientNonce: () => string;
  #challenge: Challenge | undefined;
  #count = 0;

  constructor(credentials: DigestCredentials) {
    this.#credentials = credentials;
    this.#clientNonce = credentials.clientNonce ?? (() => randomBytes(16).toString("hex"));
  }

  /**
   * Looks in a `WWW-Authenticate` header for a challenge that can be answered, and accepts the
   * first. Returns false if there is none.
   */
  accept(header: string | null): boolean {
    const challenge = parseChallenges(header ?? "").find(
      ({ scheme, parameters: { nonce, qop, algorithm } }) =>
        scheme.toLowerCase() === "digest" &&
        nonce !== undefined &&
        (qop ?? "").split(",").some((one) => one.trim().toLowerCase() === "auth") &&
        hashName(algorithm) !== undefined,
    );
    if (!challenge) return false;
    const { realm = "", nonce = "", opaque, algorithm } = challenge.parameters;
    this.#challenge = { realm, nonce, opaque, algorithm, cnonce: this.#clientNonce() };
    this.#count = 0;
    return true;
  }

  /** The value of `Authorization` for one request; undefined before the first challenge. */
  authorize(method: string, url: URL): string | undefined {
    if (!this.#challenge) return undefined;
    const { realm, nonce, opaque, algorithm, cnonce } = this.#challenge;
    const { user, password } = this.#credentials;
    this.#count += 1;
    const nc = this.#count.toString(16).padStart(8, "0");
    const uri = `${url.pathname}${url.search}`;

    const hash = (...parts: string[]): string =>
      createHash(hashName(algorithm) ?? "md5")
        .update(parts.join(":"), "utf8")
        .digest("hex");
    const secret = hash(user, realm, password);
    const a1 = SESSION.test(algorithm ?? "") ? hash(secret, nonce, cnonce) : secret;
    const response = hash(a1, nonce, nc, cnonce, "auth", hash(method, uri));

    const parameters = [
      userParameter(user),
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
      ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
      "qop=auth",
      `nc=${nc}`,
      `cnonce=${quoted(cnonce)}`,
      `response="${response}"`,
      ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ];
    return `Digest ${parameters.join(", ")}`;
  }
}

const hashName = (algorithm = "MD5"): string | undefined => HASHES.get(algorithm.toUpperCase().replace(SESSION, ""));

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/**
 * Names that a header can't carry are encoded as in RFC 8187. Of the characters that the RFC
 * excludes, `encodeURIComponent` leaves only `*`, `'`, `(` and `)` unencoded.
 */
const userParameter = (user: string): string =>
  /^[\x20-\x7E]*$/.test(user)
    ? `username=${quoted(user)}`
    : `username*=UTF-8''${encodeURIComponent(user).replaceAll(/[*'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)}`;
