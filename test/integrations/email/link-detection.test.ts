import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containsLink } from "../../../src/integrations/email/link-detection.ts";

describe("these texts contain a link", () => {
  it.each([
    // URLs
    "verify at https://evil.example/login",
    "HTTP://EVIL.EXAMPLE",
    "hxxps://evil.example",
    "see ftp://evil",
    "//evil.example/x",
    "https:\\\\evil.example",
    "h t t p s : / / e v i l . e x a m p l e",
    "ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ",
    "https：//evil",
    "https:∕∕evil",
    "data:text/html,hello",
    "javascript:alert(1)",
    "intent:#Intent;end",
    "tel:+19005550100",
    "mailto:boss@evil.example",
    "mail to: write me@evil",
    // Hosts
    "www.evil",
    "WWW . evil",
    "www2.evil.example",
    "go to evil.com now",
    "evil.com/path?x=1",
    "bit.ly/3xyz",
    "(evil.io)",
    "evil.co.uk.",
    "my-shop.store!",
    "xn--80ak6aa92e",
    "аррӏе.com",
    "пример.рф",
    "例え。テスト",
    "例え.テスト",
    "i❤.ws",
    "192.168.10.20",
    "[2001:db8::1]",
    // Hidden or odd dots
    "evil\u200B.com",
    "evil.\u200Bcom",
    "evil\u00AD.\u2060c\u200Dom",
    "evil.c\u034Fom",
    "evil\u202E.com",
    "evil․com",
    "evil。com",
    "evil．com",
    "evil｡com",
    "evil·com",
    "evil•com",
    "evil%2Ecom",
    "evil%252ecom",
    "https%3A%2F%2Fevil",
    "evil&#46;com",
    "evil&#x2e;com",
    "evil&period;com",
    "evil . com",
    "evil .com",
    "evil. com",
    "evil [.] com",
    "evil[.]com",
    "evil(dot)com",
    "evil dot com",
    "evil {DOT} com",
    "𝐞𝐯𝐢𝐥.𝐜𝐨𝐦",
    "ⓔⓥⓘⓛ.ⓒⓞⓜ",
    "e\u0301vil.co\u0301m",
    // Addresses
    "write to boss@evil.example",
    "boss＠evil",
    "boss [at] evil [dot] example",
    "@support_team",
  ])("%j", (text) => {
    expect(containsLink(text)).toBe(true);
    expect(containsLink(`Your account is locked, ${text} today`)).toBe(true);
  });
});

describe("these texts contain no link", () => {
  it.each([
    "Invoice 4711",
    "RE: My order",
    "Product Feedback",
    "Thanks. Now it works. In fact, great!",
    "Refund of 12.50 EUR, 1.234,56 in all",
    "Version 2.0 is broken",
    "e.g. the search, i.e. all of it",
    "I was charged twice!",
    "50 % off / 2 for 1",
    "Wow... really?",
    "Why? Because: time 12:30",
    "Fehler bei der Bestellung Nr. 12",
    "商品について",
    "Où est ma commande ?",
    "Dr. Smith, U.S. office, 9 a.m.",
    "C++ and C# (yes)",
    "and/or",
  ])("%j", (text) => expect(containsLink(text)).toBe(false));
});

it("a host is found whatever surrounds it", () => {
  const prose = fc.string({ unit: fc.constantFrom("a", "Z", " ", ",", "!", "é", "-", "中", "1") });
  const hidden = fc.constantFrom("", "\u200B", "\u2060", "\u00AD", "\uFE0F", "\u202D");
  const dot = fc.constantFrom(".", "。", "．", "｡", "․", "%2e", "[.]", " . ", "(dot)");
  fc.assert(
    fc.property(prose, hidden, dot, hidden, prose, (before, one, separator, other, after) => {
      expect(containsLink(`${before} evil${one}${separator}${other}example ${after}`)).toBe(true);
    }),
  );
});
