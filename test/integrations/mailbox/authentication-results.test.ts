import { expect, it } from "vitest";
import { isAuthenticated } from "../../../src/integrations/mailbox/authentication-results.ts";

const OURS = "mx.shop.example";

it.each<[string, boolean, ...string[]]>([
  ["DMARC has passed", true, "mx.shop.example; dmarc=pass header.from=example.org"],
  [
    "in other letters, with a version and comments",
    true,
    "MX.shop.Example 1; DMARC = Pass (p=(none)) header.from = Example.ORG",
  ],
  ["DKIM has passed for the domain", true, 'mx.shop.example; dkim=pass header.d="example.org" header.s=k1'],
  ["DKIM has passed for the domain above", true, "mx.shop.example; dkim=pass header.d=org.example"],
  [
    "DKIM has passed for an address of the domain",
    true,
    "mx.shop.example; dkim=pass header.i=@example.org header.s=k1",
  ],
  ["SPF has passed for the domain", true, "mx.shop.example; spf=pass smtp.mailfrom=bounce@example.org"],
  [
    "one of several headers has it",
    true,
    "other.example; dmarc=fail",
    "mx.shop.example; dkim=pass header.d=example.org",
  ],
  ["there is none", false],
  ["it is of another server", false, "mx.evil.example; dmarc=pass header.from=example.org"],
  ["its name begins like ours", false, "mx.shop.example.evil.example; dmarc=pass header.from=example.org"],
  ["it says nothing", false, "mx.shop.example; none"],
  [
    "DMARC has failed, whatever else passed",
    false,
    "mx.shop.example; dmarc=fail header.from=example.org; dkim=pass header.d=example.org",
  ],
  ["DKIM has passed for somebody else", false, "mx.shop.example; dkim=pass header.d=evil.example"],
  ["DKIM has passed for a part of the domain's name", false, "mx.shop.example; dkim=pass header.d=le.org"],
  ["DKIM has passed for all domains of a kind", false, "mx.shop.example; dkim=pass header.d=org"],
  ["DKIM has passed for a domain below", false, "mx.shop.example; dkim=pass header.d=news.example.org"],
  ["SPF has passed for the greeting only", false, "mx.shop.example; spf=pass smtp.helo=example.org"],
  ["it stands in a comment", false, "mx.shop.example (; dmarc=pass header.from=example.org); none"],
  ["it stands in a quoted string", false, 'mx.shop.example; dkim=fail reason="; dmarc=pass header.from=example.org"'],
  [
    "it stands in a sender's name",
    false,
    'mx.shop.example; spf=pass smtp.mailfrom="x; dmarc=pass header.from=example.org"@evil.example',
  ],
  [
    "it stands behind an escaped quote",
    false,
    String.raw`mx.shop.example; spf=pass smtp.mailfrom="\"; dmarc=pass header.from=example.org"@evil.example`,
  ],
  ["it is far too long", false, `mx.shop.example; dmarc=pass header.from=example.org${"(".repeat(20_000)}`],
])("decides whether the server vouches for a sender: %s", (name, expected, ...headers) => {
  const sender = name.includes("above") ? "ada@mail.org.example" : "ada@example.org";
  expect(isAuthenticated(sender, headers, OURS)).toBe(expected);
});
