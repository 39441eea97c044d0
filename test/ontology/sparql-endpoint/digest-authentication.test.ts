import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChallenges } from "../../../src/ontology/sparql-endpoint/challenges.ts";
import { DigestAuthentication } from "../../../src/ontology/sparql-endpoint/digest-authentication.ts";

const url = new URL("http://www.example.org/dir/index.html");

/** RFC 7616, 3.9.1. */
const EXAMPLE =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=ALGORITHM, ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

const mufasa = (user = "Mufasa"): DigestAuthentication =>
  new DigestAuthentication({
    user,
    password: "Circle of Life",
    clientNonce: () => "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
  });

const responseTo = (challenge: string, digest = mufasa()): string => {
  expect(digest.accept(challenge)).toBe(true);
  return digest.authorize("GET", url) ?? "";
};

describe("Digest authentication", () => {
  it.each([
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ])("answers the RFC's example for %s as the RFC does", (algorithm, response) => {
    const header = responseTo(EXAMPLE.replace("ALGORITHM", algorithm));
    expect(header).toContain(`response="${response}"`);
    expect(header).toContain('uri="/dir/index.html"');
    expect(header).toContain(`algorithm=${algorithm}`);
    expect(header).toContain("qop=auth, nc=00000001");
    expect(header).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
  });

  it("answers the first challenge that it supports", () => {
    const header = responseTo(
      `Negotiate abc==, Basic realm="x, Digest nonce=1", ${EXAMPLE.replace("ALGORITHM", "UNKNOWN")}, ` +
        'Digest realm="r", nonce="only auth-int", qop="auth-int", Digest realm="right", nonce="n", qop="auth"',
    );
    expect(header).toContain('realm="right"');
    expect(header).not.toContain("algorithm");
  });

  it.each([null, "", "Basic", 'Digest realm="r"', 'Digest realm="r", nonce="n"', 'Digest realm="r", qop="auth"'])(
    "can't answer %s",
    (challenge) => {
      const digest = mufasa();
      expect(digest.accept(challenge)).toBe(false);
      expect(digest.authorize("GET", url)).toBeUndefined();
    },
  );

  it("counts the uses of a nonce, and restarts the count with a new one", () => {
    const digest = mufasa();
    expect(responseTo('Digest realm="r", nonce="a", qop="auth"', digest)).toContain("nc=00000001");
    expect(digest.authorize("POST", url)).toContain("nc=00000002");
    expect(responseTo('Digest realm="r", nonce="b", qop="auth"', digest)).toContain("nc=00000001");
  });

  it("percent-encodes names that no header can carry, and quotes the others", () => {
    const challenge = 'Digest realm="a \\"quoted\\" realm", nonce="n", qop="auth"';
    expect(responseTo(challenge, mufasa("Jäsøn (x)"))).toContain("username*=UTF-8''J%C3%A4s%C3%B8n%20%28x%29");
    expect(responseTo(challenge, mufasa('a"b'))).toContain('username="a\\"b", realm="a \\"quoted\\" realm"');
  });

  it("hashes both nonces into the secret for the session form", () => {
    const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
    const [nonce, cnonce] = ["n", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"];
    const secret = md5(`${md5("Mufasa:r:Circle of Life")}:${nonce}:${cnonce}`);
    const expected = md5(`${secret}:${nonce}:00000001:${cnonce}:auth:${md5("GET:/dir/index.html")}`);
    expect(responseTo('Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess')).toContain(
      `response="${expected}"`,
    );
  });

  it("makes the session's key once for each challenge", () => {
    const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
    let made = 0;
    const digest = new DigestAuthentication({
      user: "Mufasa",
      password: "Circle of Life",
      clientNonce: () => String((made += 1)),
    });
    const partOf = (header: string, name: string) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(header)?.[1];
    for (const nonce of ["first", "second"]) {
      const challenge = `Digest realm="r", nonce="${nonce}", qop="auth", algorithm=MD5-sess`;
      const opening = responseTo(challenge, digest);
      const secret = md5(`${md5("Mufasa:r:Circle of Life")}:${nonce}:${partOf(opening, "cnonce")}`);
      const later = digest.authorize("GET", url) ?? "";
      const request = `00000002:${partOf(later, "cnonce")}:auth:${md5("GET:/dir/index.html")}`;
      expect(partOf(later, "response")).toBe(md5(`${secret}:${nonce}:${request}`));
    }
  });
});

describe("challenges", () => {
  const token = fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/);
  const parameters = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/), fc.stringMatching(/^[ -~]{0,12}$/), {
    minKeys: 1,
    noNullPrototype: true,
  });

  it("are parsed as they were written, whatever the values are", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ scheme: token, parameters }), { maxLength: 4 }), (challenges) => {
        const header = challenges
          .map(
            ({ scheme, parameters }) =>
              `${scheme} ${Object.entries(parameters)
                .map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
                .join(", ")}`,
          )
          .join(", ");
        expect(parseChallenges(header)).toEqual(challenges);
      }),
    );
  });

  it("never make the parser throw or hang, even if malformed", () => {
    fc.assert(fc.property(fc.string({ maxLength: 2000 }), (header) => Array.isArray(parseChallenges(header))));
    expect(parseChallenges(`Digest ${"a=".repeat(50_000)}`)).toBeInstanceOf(Array);
  });
});
