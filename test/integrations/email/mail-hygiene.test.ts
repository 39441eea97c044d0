import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { automaticMailHeader, suppressionReason } from "../../../src/integrations/email/mail-hygiene.ts";

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
    ["no.reply@shop.example", "no_reply_address"],
    ["noreplies@shop.example", "no_reply_address"],
    ["no-response@shop.example", "no_reply_address"],
    ["donotrespond@shop.example", "no_reply_address"],
    ["nicht-antworten@shop.example", "no_reply_address"],
    ["bitte.nicht.antworten@shop.example", "no_reply_address"],
    ["nichtantworten+17@shop.example", "no_reply_address"],
    ["keine-antwort@shop.example", "no_reply_address"],
    ["ne-pas-repondre@shop.example", "no_reply_address"],
    ["nepasrepondre@shop.example", "no_reply_address"],
    ["no-responder@shop.example", "no_reply_address"],
    ["no_contestar@shop.example", "no_reply_address"],
    ["nao-responda@shop.example", "no_reply_address"],
    ["naoresponder@shop.example", "no_reply_address"],
    ["non-rispondere@shop.example", "no_reply_address"],
    ["niet-beantwoorden@shop.example", "no_reply_address"],
    ["svara-inte@shop.example", "no_reply_address"],
    ["svar-ikke@shop.example", "no_reply_address"],
    ["ikke-svar@shop.example", "no_reply_address"],
    ["nie-odpowiadaj@shop.example", "no_reply_address"],
    ["ala-vastaa@shop.example", "no_reply_address"],
    ["neodpovidat@shop.example", "no_reply_address"],
    ["yanitlamayin@shop.example", "no_reply_address"],
    ["autoreply@shop.example", "automatic_address"],
    ["auto-responder@shop.example", "automatic_address"],
    ["auto-confirm@shop.example", "automatic_address"],
    ["notifications@shop.example", "automatic_address"],
    ["notification+17@shop.example", "automatic_address"],
    ["owner-list@shop.example", "mailing_list_address"],
    ["list-owner@shop.example", "mailing_list_address"],
    ["List-Request@shop.example", "mailing_list_address"],
    ["list-unsubscribe@shop.example", "mailing_list_address"],
    ["LISTSERV@shop.example", "mailing_list_address"],
    ["majordomo@shop.example", "mailing_list_address"],
    ["mailman@shop.example", "mailing_list_address"],
    ["sympa@shop.example", "mailing_list_address"],
    ["bounce+17-ada=shop.example@shop.example", "mail_system_address"],
    ["SRS0=HHH=TT=shop.example=ada@forward.example", "mail_system_address"],
    ["srs1+HHH=x.example==HHH=TT=shop.example=ada@forward.example", "mail_system_address"],
    ["prvs=4711abcdef=ada@shop.example", "mail_system_address"],
    ["bitte-nicht-beantworten@shop.example", "no_reply_address"],
    ["ne-repondez-pas@shop.example", "no_reply_address"],
    ["yanitlamayiniz@shop.example", "no_reply_address"],
    ["no-svar@shop.example", "no_reply_address"],
    ["ej-svar@shop.example", "no_reply_address"],
    ["devnull@shop.example", "no_reply_address"],
    ["reponse-automatique@shop.example", "automatic_address"],
    ["automatische-antwort@shop.example", "automatic_address"],
    ["out-of-office@shop.example", "automatic_address"],
    ["mailer@shop.example", "mail_system_address"],
    ["daemon@shop.example", "mail_system_address"],
    ["uucp@shop.example", "mail_system_address"],
    ["support@example.org", "own_address"],
    ["SUPPORT@EXAMPLE.ORG", "own_address"],
    ["support+anything@example.org", "own_address"],
  ])("suppresses emails to %s: %s", (address, reason) => {
    expect(suppressionReason(address, OWN)).toBe(reason);
  });

  it("treats a sender with a plus-tag as the same mailbox", () => {
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
    "norep.lyman@shop.example",
    "owner@cafe.example",
    "joe.owner@shop.example",
    "ownersclub@shop.example",
    "request@shop.example",
    "pete.mailman@shop.example",
    "claire.sympa@shop.example",
    "listservice@shop.example",
    "daemon.smith@shop.example",
    "arno.reply@shop.example",
    "antworten@shop.example",
    "responder@shop.example",
    "svar@shop.example",
    "automation@shop.example",
    "confirm@shop.example",
    "srs@shop.example",
    "bernard.bounce@shop.example",
    "notification.smith@shop.example",
    "sales-request@shop.example",
    "support-request@shop.example",
  ])("allows emails to %s", (address) => {
    expect(suppressionReason(address, OWN)).toBeUndefined();
  });
});

describe("automaticMailHeader", () => {
  it.each<[string, Record<string, unknown>]>([
    ["Auto-Submitted", { "Auto-Submitted": "auto-replied" }],
    ["Auto-Submitted", { "AUTO-SUBMITTED": " Auto-Generated (failure); owner-email=a@b.example" }],
    ["Auto-Submitted", { "auto-submitted": ["no", "auto-notified"] }],
    ["Precedence", { precedence: "bulk" }],
    ["Precedence", { Precedence: " LIST " }],
    ["Precedence", { Precedence: "junk" }],
    ["Precedence", { Precedence: "auto_reply" }],
    ["List-Id", { "List-ID": "Users <users.lists.example>" }],
    ["List-Post", { "list-post": "<mailto:users@lists.example>" }],
    ["List-Unsubscribe", { "List-Unsubscribe": ["<https://news.example>"] }],
    ["X-Auto-Response-Suppress", { "x-auto-response-suppress": "OOF, AutoReply" }],
    ["Precedence", { precedence: "bulk (x)" }],
    ["Auto-Submitted", { "auto-submitted": { value: "auto-replied", params: {} } }],
    ["X-Autogenerated", { "x-autogenerated": "Reply" }],
    ["X-Mail-Autoreply", { "X-Mail-Autoreply": "yes" }],
    ["X-Auto-Submitted", { "X-AUTO-SUBMITTED": "auto-generated" }],
    ["Sender", { sender: "owner-users@lists.example" }],
    ["Sender", { Sender: "Users <users-bounces@lists.example>" }],
    ["Return-Path", { "Return-Path": "<>" }],
    ["Return-Path", { "return-path": " " }],
    ["Return-Path", { "Return-Path": "<MAILER-DAEMON@mail.example>" }],
    ["X-Autoreply", { "X-Autoreply": "yes" }],
    ["Content-Type", { "Content-Type": 'Multipart/Report; report-type=delivery-status; boundary="x"' }],
  ])("finds the header that reveals a machine: %s", (mark, headers) => {
    expect(automaticMailHeader(headers)).toBe(mark);
  });

  it.each<Record<string, unknown>>([
    {},
    { "Auto-Submitted": "no" },
    { "Auto-Submitted": "No (a person wrote it); x=y" },
    { "Auto-Submitted": "" },
    { Precedence: "normal" },
    { Precedence: "bulky" },
    { Sender: "Owner <owner@shop.example>" },
    { "X-Auto-Submitted": "no" },
    { Precedence: "first-class" },
    { "List-Id": "" },
    { "X-Auto-Response-Suppress": "None" },
    { "Return-Path": "<ada@example.org>" },
    { "Return-Path": [] },
    { "Content-Type": "multipart/alternative; boundary=report" },
    { "X-Mailer": "bulk list", Subject: "Auto-Submitted: auto-replied" },
    { constructor: "bulk", __proto__: "x", toString: "list" },
    { Precedence: null, "List-Id": undefined, "Auto-Submitted": [null] },
  ])("finds none in a person's mail: %j", (headers) => {
    expect(automaticMailHeader(headers)).toBeUndefined();
  });

  const parsed = async (...lines: string[]): Promise<Record<string, unknown>> => {
    const { headers } = await simpleParser([...lines, "From: a@b.example", "", "Hello"].join("\r\n"));
    return Object.fromEntries(headers);
  };

  it.each([
    ["List-Id", ["List-Id: Users <users.lists.example>", "List-Post: <mailto:users@lists.example>"]],
    ["List-Unsubscribe", ["List-Unsubscribe: <https://news.example/u>, <mailto:u@news.example>"]],
    ["Sender", ["Sender: Users <owner-users@lists.example>"]],
    ["Return-Path", ["Return-Path: <>"]],
    ["Return-Path", ["Return-Path:"]],
    ["Return-Path", ["Return-Path: <MAILER-DAEMON>"]],
    ["Content-Type", ["Content-Type: multipart/report; report-type=delivery-status; boundary=x"]],
    ["Auto-Submitted", ["Auto-Submitted: no", "Auto-Submitted: auto-replied (vacation); x=y"]],
  ])("finds the header in mailparser's form: %s", async (mark, lines) => {
    expect(automaticMailHeader(await parsed(...lines))).toBe(mark);
  });

  it("finds none in a person's mail in mailparser's form", async () => {
    const headers = await parsed(
      "Return-Path: <a@b.example>",
      "Sender: a@b.example",
      "Date: Mon, 5 May 2026 10:00:00 +0000",
      "Content-Type: text/plain; charset=utf-8",
      "Received: one",
      "Received: two",
    );
    expect(automaticMailHeader(headers)).toBeUndefined();
  });

  it.each([7, true, {}, [["bulk", 7]], { value: 7 }])("refuses the header value %j", (value) => {
    expect(() => automaticMailHeader({ Precedence: value })).toThrow(
      expect.objectContaining({
        code: "invalid_parameters",
        message: "headers.precedence: must be a string or a list of strings",
      }),
    );
  });
});
