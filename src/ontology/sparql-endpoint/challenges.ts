/**
 * One way to authenticate that a server offers, such as `Digest realm="SPARQL", nonce="…"`. The
 * names of the parameters are in lower case.
 */
export interface AuthenticationChallenge {
  scheme: string;
  parameters: Record<string, string>;
}

const TOKEN = String.raw`[!#$%&'*+\-.^_\u0060|~0-9A-Za-z]+`;

/** A parameter with a value, or the name of a scheme followed by an opaque token. */
const PART = new RegExp(
  String.raw`[\s,]*(?:(${TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(${TOKEN}))|(${TOKEN})(?:[ \t]+[0-9A-Za-z\-._~+/]+=*(?=[ \t]*(?:,|$)))?)`,
  "y",
);

/**
 * The challenges in a `WWW-Authenticate` header, in the server's order (RFC 9110, 11.6.1). Several
 * headers may have been joined with commas. Everything after a part that is not a challenge is
 * ignored.
 */
export function parseChallenges(header: string): AuthenticationChallenge[] {
  const challenges: AuthenticationChallenge[] = [];
  PART.lastIndex = 0;
  for (let match = PART.exec(header); match; match = PART.exec(header)) {
    const [, name, quotedValue, value, scheme] = match;
    if (scheme !== undefined) challenges.push({ scheme, parameters: Object.create(null) as Record<string, string> });
    const parameters = challenges.at(-1)?.parameters;
    if (name !== undefined && parameters)
      parameters[name.toLowerCase()] = value ?? (quotedValue ?? "").replaceAll(/\\(.)/g, "$1");
  }
  return challenges;
}
