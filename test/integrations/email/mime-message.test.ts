import fc from "fast-check";
import MailComposer from "nodemailer/lib/mail-composer";
import { expect, it } from "vitest";
import { toMimeMessage, toMimeOptions } from "../../../src/integrations/email/mime-message.ts";
import { mailMessage, TEMPLATES } from "./mails.ts";

const withoutDate = (message: Buffer): string => message.toString("latin1").replace(/^Date: .*$/m, "");

it("writes a message as nodemailer does, in plain text, quoted-printable and base64", async () => {
  const written = new Set<string>();
  const unit = fc.constantFrom("a", "é", "李", " ", "=", ".", "\t", "\n", "\r\n", "x".repeat(38), "word ".repeat(20));
  const words = fc.string({ unit, minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(words, words, fc.constantFrom(...TEMPLATES), async (content, subject, template) => {
      // Spaces at the very end may be wrapped differently, with the same meaning.
      const text = `${content}.\n`;
      for (const message of [mailMessage({ template, subject }), { ...mailMessage({ subject }), text, html: text }]) {
        const ours = withoutDate(await toMimeMessage(message));
        const options = { ...(await toMimeOptions(message)), newline: "windows" };
        expect(ours).toBe(withoutDate(await new MailComposer(options).compile().build()));
        for (const [, encoding = ""] of ours.matchAll(/^Content-Transfer-Encoding: (\S+)/gm)) written.add(encoding);
      }
    }),
  );
  expect([...written].sort()).toEqual(["7bit", "base64", "quoted-printable"]);
});
