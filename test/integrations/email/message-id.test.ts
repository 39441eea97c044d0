import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMessageId, messageIdFor } from "../../../src/integrations/email/message-id.ts";

describe("messageIdFor", () => {
  it("always gives the same id for the same key", () => {
    expect(messageIdFor("F-1", "example.org")).toBe("<a604d1c60c0aab47351d1e01ead318f574a65b7a@example.org>");
  });

  it("gives a valid message id for any key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (key) => {
        const id = messageIdFor(key, "example.org");
        expect(id).toMatch(/^<[0-9a-f]{40}@example\.org>$/);
        expect(isMessageId(id)).toBe(true);
      }),
    );
  });

  it("gives different keys different ids", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (one, other) => {
        expect(messageIdFor(one, "example.org") === messageIdFor(other, "example.org")).toBe(one === other);
      }),
    );
  });

  it("distinguishes lone surrogates", () => {
    expect(messageIdFor("\uD800", "example.org")).not.toBe(messageIdFor("\uD801", "example.org"));
  });
});

describe("isMessageId", () => {
  it.each(["<a@b>", "<CAF=x+y$1/2@mail.example.com>", "<1.2.3@[127.0.0.1]>"])("accepts %s", (id) => {
    expect(isMessageId(id)).toBe(true);
  });

  it.each([
    "",
    "a@b",
    "<a>",
    "<a@b",
    "<a@b> <c@d>",
    "<a@b@c>",
    "<a b@c>",
    "<a@b>\r\nBcc: eve@evil.example",
    "<a@b\n>",
    "<ä@b>",
    `<${"a".repeat(600)}@b>`,
  ])("refuses %j", (id) => {
    expect(isMessageId(id)).toBe(false);
  });
});
