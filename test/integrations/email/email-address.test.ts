import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { domainOf, isEmailAddress } from "../../../src/integrations/email/email-address.ts";

describe("isEmailAddress", () => {
  it.each([
    "a@b.co",
    "Ada.Lovelace+orders@mail.customers.example",
    "o'brien@customers.example",
    "x_1-2=3@sub-domain.example",
    "a@xn--bcher-kva.xn--p1ai",
    `${"l".repeat(64)}@customers.example`,
  ])("accepts %s", (address) => {
    expect(isEmailAddress(address)).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["no domain", "ada"],
    ["no local part", "@customers.example"],
    ["a domain of one label", "ada@localhost"],
    ["two addresses", "a@b.com, d@e.com"],
    ["two addresses without a space", "a@b.com,d@e.com"],
    ["two at signs", "a@b@c.com"],
    ["a display name", "Ada <ada@customers.example>"],
    ["angle brackets", "<ada@customers.example>"],
    ["a space", "ada lovelace@customers.example"],
    ["a space at the end", "ada@customers.example "],
    ["a line end at the end", "ada@customers.example\n"],
    ["a header in it", "ada@customers.example\r\nBcc: eve@evil.example"],
    ["quotes", '"ada lovelace"@customers.example'],
    ["a comment", "ada(comment)@customers.example"],
    ["two dots", "ada..lovelace@customers.example"],
    ["a dot first", ".ada@customers.example"],
    ["a hyphen at the end of a label", "ada@customers-.example"],
    ["an empty label", "ada@customers..example"],
    ["a number as its top level", "ada@127.0.0.1"],
    ["an address literal", "ada@[127.0.0.1]"],
    ["a percent route", "ada%evil.example@customers.example"],
    ["a bang path", "evil.example!ada@customers.example"],
    ["other characters than ASCII", "ädä@customers.example"],
    ["a right-to-left mark", "ada\u200F@customers.example"],
    ["a long local part", `${"l".repeat(65)}@customers.example`],
    ["more than 254 characters", `ada@${"d.".repeat(124)}example`],
    ["a number", 7],
    ["null", null],
  ])("refuses %s", (_what, value) => {
    expect(isEmailAddress(value)).toBe(false);
  });

  it("accepts any combination of allowed parts", () => {
    const part = fc.stringMatching(/^[a-z0-9][a-z0-9_+-]{0,9}$/);
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.array(label, { minLength: 1, maxLength: 4 }),
        (l, d) => {
          expect(isEmailAddress(`${l.join(".")}@${d.join(".")}.example`)).toBe(true);
        },
      ),
    );
  });

  it("refuses an address with a forbidden character, in any position", () => {
    const foreign = fc.oneof(
      fc.constantFrom(
        ",",
        ";",
        " ",
        "<",
        ">",
        '"',
        "\r\n",
        "(",
        ")",
        "\\",
        "\0",
        "é",
        ":",
        "@",
        "[",
        "]",
        "\u200F",
        "\uD800",
      ),
      fc.string({ unit: "binary", minLength: 1 }).filter((text) => /[^a-z0-9#$&'*+/=?^_{}~.-]/i.test(text)),
    );
    const address = "ada.lovelace@mail.customers.example";
    fc.assert(
      fc.property(foreign, fc.nat(address.length), (text, at) => {
        expect(isEmailAddress(address.slice(0, at) + text + address.slice(at))).toBe(false);
      }),
    );
  });
});

it("returns the domain of an address in lower case", () => {
  expect(domainOf("Ada@Customers.Example")).toBe("customers.example");
});
