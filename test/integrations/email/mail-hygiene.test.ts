import { describe, expect, it } from "vitest";
import { suppressionReason } from "../../../src/integrations/email/mail-hygiene.ts";

const OWN = "Support@Example.org";

describe("suppressionReason", () => {
  it.each([
    ["noreply@shop.example", "no_reply_address"],
    ["No-Reply@shop.example", "no_reply_address"],
    ["no_reply+4711@shop.example", "no_reply_address"],
    ["news.noreply@shop.example", "no_reply_address"],
    ["do-not-reply@shop.example", "no_reply_address"],
    ["DoNotReply@shop.example", "no_reply_address"],
    ["noreply2@shop.example", "no_reply_address"],
    ["MAILER-DAEMON@shop.example", "mail_system_address"],
    ["postmaster@shop.example", "mail_system_address"],
    ["bounces+ada=shop.example@shop.example", "mail_system_address"],
    ["list-bounces@shop.example", "mail_system_address"],
    ["bounce@shop.example", "mail_system_address"],
    ["support@example.org", "own_address"],
    ["SUPPORT@EXAMPLE.ORG", "own_address"],
    ["support+anything@example.org", "own_address"],
  ])("holds back mail to %s: %s", (address, reason) => {
    expect(suppressionReason(address, OWN)).toBe(reason);
  });

  it("knows a sender with a plus-tag as the same mailbox", () => {
    expect(suppressionReason("support@example.org", "support+bot@example.org")).toBe("own_address");
  });

  it.each([
    "ada@example.org",
    "support@other.example",
    "casino.reply@shop.example",
    "bouncer@shop.example",
    "reply@shop.example",
    "no@reply.example",
    "postmasters@shop.example",
  ])("lets mail go to %s", (address) => {
    expect(suppressionReason(address, OWN)).toBeUndefined();
  });
});
