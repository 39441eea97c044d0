import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { IoError, ValidationError } from "../../../src/errors.ts";
import { createMailTransport } from "../../../src/integrations/email/create-mail-transport.ts";
import { EmailIntegration } from "../../../src/integrations/email/email-integration.ts";
import { startSmtpServer, type ReceivedMail, type SmtpTestServer } from "../../support/smtp.ts";
import { rejection, templatedEmail, TEMPLATES } from "./mails.ts";

let smtp: SmtpTestServer;
let integration: EmailIntegration;

beforeAll(async () => {
  smtp = await startSmtpServer();
  integration = new EmailIntegration({
    from: "Example Support <support@example.org>",
    transport: () => createMailTransport(smtp.url()),
  });
});
beforeEach(() => {
  smtp.mails.length = 0;
});
afterAll(async () => {
  await integration.close();
  await smtp.close();
});

const header = (mail: ReceivedMail | undefined, name: string) => mail?.parsed.headers.get(name);
const headerLines = (mail: ReceivedMail | undefined) => mail?.raw.split("\r\n\r\n", 1)[0]?.split("\r\n") ?? [];

describe("sendTemplatedEmail", () => {
  it.each(TEMPLATES)("delivers %s with both parts and the headers of an automatic reply", async (template) => {
    const messageId = integration.messageIdFor("F-1");
    expect(await integration.sendTemplatedEmail(templatedEmail({ template, messageId }))).toBe(messageId);
    const [mail] = smtp.mails;
    expect(mail?.envelope).toEqual({ from: "support@example.org", to: ["ada@customers.example"] });
    expect(mail?.parsed.from?.value).toEqual([{ name: "Example Support", address: "support@example.org" }]);
    expect(mail?.parsed.to).toMatchObject({ value: [{ name: "", address: "ada@customers.example" }] });
    expect(mail?.parsed.subject).toBe("RE: My order");
    expect(mail?.parsed.messageId).toBe(messageId);
    expect(mail?.parsed.date?.getTime()).toBeGreaterThan(0);
    expect(header(mail, "auto-submitted")).toBe("auto-replied");
    expect(header(mail, "x-auto-response-suppress")).toBe("All");
    expect(header(mail, "content-type")).toMatchObject({ value: "multipart/alternative" });
    expect(headerLines(mail).join("\n")).not.toMatch(/in-reply-to|references|x-mailer/i);
    expect(mail?.parsed.html).toContain("Hello <bdi>Ada Lovelace</bdi>");
    expect(mail?.parsed.text).toContain("Hello Ada Lovelace,");
  });

  it("creates a message id on the sender's domain for each email without one", async () => {
    const ids = [
      await integration.sendTemplatedEmail(templatedEmail()),
      await integration.sendTemplatedEmail(templatedEmail()),
    ];
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^<[0-9a-f]{40}@example\.org>$/);
    expect(smtp.mails.map(({ parsed }) => parsed.messageId)).toEqual(ids);
  });

  it("puts the email into the conversation that it answers", async () => {
    await integration.sendTemplatedEmail(templatedEmail({ inReplyTo: "<q@customers.example>" }));
    await integration.sendTemplatedEmail(
      templatedEmail({
        inReplyTo: "<q@customers.example>",
        references: ["<first@x.example>", "<q@customers.example>"],
      }),
    );
    expect(smtp.mails.map(({ parsed }) => parsed.inReplyTo)).toEqual([
      "<q@customers.example>",
      "<q@customers.example>",
    ]);
    expect(smtp.mails.map(({ parsed }) => parsed.references)).toEqual([
      "<q@customers.example>",
      ["<first@x.example>", "<q@customers.example>"],
    ]);
  });

  it("leaves out invalid ids of the conversation", async () => {
    const inReplyTo = "<a@b>\r\nBcc: <eve@evil.example>";
    await integration.sendTemplatedEmail(templatedEmail({ inReplyTo, references: ["not an id", "<good@x.example>"] }));
    const [mail] = smtp.mails;
    expect(mail?.parsed.inReplyTo).toBeUndefined();
    expect(mail?.parsed.references).toBe("<good@x.example>");
    expect(mail?.raw).not.toContain("evil.example");
  });

  it.each([
    "Hi\r\nBcc: eve@evil.example",
    "Hi\nTo: eve@evil.example\n\nanother body",
    "Hi\u2028Bcc: eve@evil.example",
    "Hi\u0085Bcc: eve@evil.example",
    `=?utf-8?Q?Hi=0D=0ABcc:_eve@evil.example?=`,
  ])("does not let the subject %j add a header", async (subject) => {
    await integration.sendTemplatedEmail(templatedEmail({ subject }));
    const [mail] = smtp.mails;
    expect(mail?.envelope.to).toEqual(["ada@customers.example"]);
    expect(mail?.parsed.bcc).toBeUndefined();
    expect(mail?.parsed.to).toMatchObject({ text: "ada@customers.example" });
    expect(headerLines(mail).filter((line) => /^(?:bcc|to):/i.test(line))).toEqual(["To: ada@customers.example"]);
    expect(mail?.parsed.text).toContain("Hello Ada Lovelace,");
  });

  it.each([
    "=?utf-8?B?Zm9v?=",
    "=?utf-8?Q?f=6Fo?= and =?ISO-8859-1?Q?b=E4r?=",
    "naïve =?utf-8?B?Zm9v?= 🎉",
    `=?utf-8?B?Zm9v?= ${"🎉 a long way =?x ".repeat(20)}end`,
    "=?utf-8?B?Zm9v",
  ])("does not let the subject %j be decoded to something else", async (subject) => {
    await integration.sendTemplatedEmail(templatedEmail({ subject }));
    const [mail] = smtp.mails;
    expect(mail?.parsed.subject).toBe(`RE: ${subject}`);
    for (const line of headerLines(mail)) expect(line.length).toBeLessThanOrEqual(78);
  });

  it("sends any text in subject and body unchanged, and as text", async () => {
    const subject = "\u200Fשאלה 🎉 naïve “quotes” \\ {x} <b>";
    const customer_name = "محمد ابن 🎉 <script>alert(1)</script> {{feedback_id}} & Söhne";
    const templateData = { ...templatedEmail().templateData, customer_name };
    await integration.sendTemplatedEmail(templatedEmail({ subject, templateData }));
    const [mail] = smtp.mails;
    expect(mail?.parsed.subject).toBe(`RE: ${subject}`);
    expect(mail?.parsed.html).not.toContain("<script");
    expect(mail?.parsed.html).toContain("&lt;script&gt;alert(1)&lt;&#x2F;script&gt; {{feedback_id}} &amp; Söhne");
    expect(mail?.parsed.text?.replaceAll(/\s+/g, " ")).toContain(`Hello ${customer_name},`);
    // eslint-disable-next-line no-control-regex -- it must be seven-bit
    expect(headerLines(mail).join("")).toMatch(/^[\u0020-\u007E]*$/);
  });

  it("survives lone surrogates and control characters", async () => {
    const templateData = { ...templatedEmail().templateData, customer_name: "A\uD83D\0\u0007da" };
    await integration.sendTemplatedEmail(templatedEmail({ subject: "half \uDC00\0 a pair", templateData }));
    expect(smtp.mails[0]?.parsed.subject).toBe("RE: half \uFFFD a pair");
    expect(smtp.mails[0]?.parsed.text).toContain("Hello A\uFFFDda,");
  });

  it.each(["word ".repeat(100).trim(), "x".repeat(500), "ä".repeat(500), "🎉".repeat(250)])(
    "folds long subjects within the limits of RFC 5322 (%#)",
    async (subject) => {
      await integration.sendTemplatedEmail(templatedEmail({ subject }));
      const [mail] = smtp.mails;
      expect(mail?.parsed.subject).toBe(`RE: ${subject}`);
      expect(Math.max(...(mail?.raw.split("\r\n").map((line) => line.length) ?? []))).toBeLessThanOrEqual(998);
    },
  );

  it.each([
    "a@b.example, d@e.example",
    "Ada <ada@customers.example>",
    "ada@customers.example\r\nRCPT TO:<eve@evil.example>",
    "",
  ])("sends nothing to %j", async (recipient) => {
    const error = await rejection(integration.sendTemplatedEmail(templatedEmail({ recipient })));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: "unusable_recipient", retriable: false });
    expect((error as Error).message).not.toContain(".example");
    expect(smtp.mails).toEqual([]);
  });

  it.each(["no-reply@customers.example", "MAILER-DAEMON@customers.example", "Support+loop@Example.org"])(
    "sends no automatic email to %s",
    async (recipient) => {
      expect(integration.suppressionReason(recipient)).toBeDefined();
      const error = await rejection(integration.sendTemplatedEmail(templatedEmail({ recipient })));
      expect(error).toMatchObject({ code: "mail_suppressed", type: "validation_error" });
      expect(smtp.mails).toEqual([]);
    },
  );

  it("sends nothing with an invalid message id or an unknown template", async () => {
    const badId = integration.sendTemplatedEmail(templatedEmail({ messageId: "<a@b>\r\nX: y" }));
    expect(await rejection(badId)).toMatchObject({ code: "invalid_message_id" });
    const badTemplate = integration.sendTemplatedEmail(templatedEmail({ template: "nothing.html" }));
    expect(await rejection(badTemplate)).toMatchObject({ code: "unknown_template" });
    expect(smtp.mails).toEqual([]);
  });

  it("sends exactly the composed email", async () => {
    const email = templatedEmail({ messageId: integration.messageIdFor("F-1") });
    const shown = integration.composeTemplatedEmail(email);
    expect(integration.composeTemplatedEmail(email)).toEqual(shown);
    await integration.sendTemplatedEmail(email);
    const [mail] = smtp.mails;
    const unixLines = (text: string | false | undefined) => (text || "").replaceAll("\r\n", "\n").trim();
    expect(mail?.parsed.subject).toBe(shown.subject);
    expect(unixLines(mail?.parsed.html)).toBe(shown.html.trim());
    expect(unixLines(mail?.parsed.text)).toBe(shown.text.trim());
  });
});

describe("EmailIntegration", () => {
  it("opens its transport once, at the first email, and closes it", async () => {
    let opened = 0;
    const lazy = new EmailIntegration({
      from: "support@example.org",
      transport: () => {
        opened += 1;
        return createMailTransport(smtp.url());
      },
    });
    await lazy.close();
    expect(opened).toBe(0);
    await lazy.sendTemplatedEmail(templatedEmail());
    await lazy.sendTemplatedEmail(templatedEmail());
    expect(opened).toBe(1);
    await lazy.close();
    await lazy.close();
    expect(await rejection(lazy.sendTemplatedEmail(templatedEmail()))).toBeInstanceOf(IoError);
  });

  it("uses a configured domain for message ids", async () => {
    const configuration = { from: "support@example.org", transport: () => createMailTransport(smtp.url()) };
    const other = new EmailIntegration({ ...configuration, messageIdDomain: "mail.example.net" });
    expect(other.messageIdFor("F-1")).toMatch(/@mail\.example\.net>$/);
  });

  it.each([
    { from: "nobody" },
    { from: "" },
    { from: "a@b.example, c@d.example" },
    { from: "Eve <eve@evil.example>\r\nBcc: x@y.example" },
    { from: "a@b.example", messageIdDomain: "not a domain>" },
  ])("refuses the configuration %j at construction", (configuration) => {
    const transport = () => createMailTransport(smtp.url());
    expect(() => new EmailIntegration({ transport, ...configuration })).toThrow(
      expect.objectContaining({ code: "invalid_configuration", type: "validation_error" }),
    );
  });
});
