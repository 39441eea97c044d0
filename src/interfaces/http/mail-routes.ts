import { MailReceipt } from "../../framework/mail-receipt.ts";
import { checkMediaType, readBody } from "./body.ts";
import type { HttpParts, Route } from "./route.ts";
import { json } from "./workflow-router.ts";

/** More than for other bodies, because emails include their attachments. Bytes. */
const MAX_MAIL_BYTES = 50_000_000;

const RAW_MAIL = "message/rfc822";

const EXAMPLE = [
  "From: Mira Okafor <mira.okafor@example.com>",
  "To: care@example.org",
  "Subject: Invoice",
  "Message-ID: <6f1f9ad1@mail.example.com>",
  "",
  "You have charged me twice.",
  "",
].join("\r\n");

/** The route for emails from the user's own mail server, if a workflow receives mail. */
export function mailRoutes({ service, bodyTimeoutMs }: HttpParts): Route[] {
  if (!service.receivesMail) return [];
  const operation = service.operation("ingest_mail");
  return [
    {
      method: "POST",
      path: "/mail",
      id: "ingest_mail",
      tag: "events",
      summary: "Hand over an email",
      description:
        "Takes one unchanged email (RFC 5322) from your own mail server, and answers when its outcome is durable. " +
        "An email counts once, by its Message-ID or, if it has none, by its content.",
      access: operation.scope,
      operations: [operation],
      body: {
        description: "The whole email.",
        types: { [RAW_MAIL]: { type: "string" } },
        required: true,
        example: EXAMPLE,
      },
      answers: {
        200: {
          description: "The email is recorded, held for a person, ignored, or was received before.",
          types: { "application/json": MailReceipt },
        },
        202: {
          description: "The email is durable, and the run that it has started continues in the background.",
          types: { "application/json": MailReceipt },
        },
      },
      errors: [409],
      handle: async ({ req }) => {
        checkMediaType(req.raw, [RAW_MAIL], "one email (RFC 5322)");
        const raw = await readBody(req.raw, { maximum: MAX_MAIL_BYTES, timeoutMs: bodyTimeoutMs });
        const receipt = await service.receiveMail(raw);
        return json(receipt, receipt.status === "processing" ? 202 : 200);
      },
    },
  ];
}
