import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IoError } from "../../../../src/errors.ts";
import { createMailTransport } from "../../../../src/integrations/email/create-mail-transport.ts";
import { outboxFileName } from "../../../../src/integrations/email/outbox/outbox-folder.ts";
import { mailMessage, rejection } from "../mails.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "outbox-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("OutboxTransport", () => {
  it("writes an email that mail programs can read", async () => {
    const folder = join(root, "data", "outbox");
    const message = mailMessage({ inReplyTo: "<question@customers.example>" });
    await createMailTransport(`outbox:${folder}`).send(message);
    const raw = readFileSync(join(folder, outboxFileName(message.messageId)));
    const mail = await simpleParser(raw);
    expect(mail.from?.text).toBe('"Example" <support@example.org>');
    expect(mail.to).toMatchObject({ value: [{ address: "ada@customers.example" }] });
    expect(mail.subject).toBe("RE: My order");
    expect(mail.messageId).toBe(message.messageId);
    expect(mail.inReplyTo).toBe("<question@customers.example>");
    expect(mail.headers.get("auto-submitted")).toBe("auto-replied");
    expect(mail.text?.trim()).toBe(message.text.trim());
    expect(mail.html).toContain("<h1");
    expect(raw.toString("latin1")).not.toMatch(/[^\r]\n/);
  });

  it("keeps one file if the same email is sent twice, even at the same time, and leaves nothing else behind", async () => {
    const transport = createMailTransport(`outbox:${root}`);
    const message = mailMessage();
    await transport.send(message);
    const [name = ""] = readdirSync(root);
    const first = readFileSync(join(root, name), "utf8");
    await transport.send({ ...message, subject: "RE: changed" });
    expect(readFileSync(join(root, name), "utf8")).toBe(first);
    const other = { ...message, messageId: "<other@example.org>" };
    await Promise.all([transport.send(other), transport.send(other), transport.send(other)]);
    expect(readdirSync(root).sort()).toEqual([name, "other@example.org.eml"].sort());
  });

  it("writes all emails, those sent together and those sent during a write", async () => {
    const transport = createMailTransport(`outbox:${root}`);
    const send = async (id: string) => {
      await transport.send({ ...mailMessage(), messageId: `<${id}@example.org>` });
      expect(readdirSync(root)).toContain(`${id}@example.org.eml`);
    };
    const clients = Array.from({ length: 20 }, async (_, client) => {
      for (let nth = 0; nth <= client % 4; nth++) await send(`${client}-${nth}`);
    });
    await Promise.all(clients);
    expect(readdirSync(root)).toHaveLength(50);
  });

  it("writes the same message for the same email, except for the date", async () => {
    const undated = async (folder: string) => {
      await createMailTransport(`outbox:${folder}`).send(mailMessage());
      const [name = ""] = readdirSync(folder);
      return readFileSync(join(folder, name), "utf8").replace(/^Date: .*$/m, "");
    };
    expect(await undated(join(root, "one"))).toBe(await undated(join(root, "two")));
  });

  it("accepts a file URL", async () => {
    await createMailTransport(pathToFileURL(join(root, "my outbox")).href).send(mailMessage());
    expect(readdirSync(join(root, "my outbox"))).toHaveLength(1);
  });

  it("fails with an IoError without a path if the folder can't be used, and leaves no partial email", async () => {
    const notAFolder = join(root, "file");
    writeFileSync(notAFolder, "");
    const error = await rejection(createMailTransport(`outbox:${notAFolder}`).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect(error).toMatchObject({ code: "outbox_unavailable", retriable: true });
    expect((error as Error).message).not.toContain(root);
    expect((error as Error).message).toContain("is a file: name a folder");
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "fails with an IoError if it has no write permission (root always has)",
    async () => {
      chmodSync(root, 0o500);
      const error = await rejection(createMailTransport(`outbox:${root}`).send(mailMessage()));
      chmodSync(root, 0o700);
      expect(error).toMatchObject({ code: "outbox_unavailable" });
    },
  );

  it("writes nothing after an abort", async () => {
    const reason = new Error("changed my mind");
    const send = createMailTransport(`outbox:${root}`).send(mailMessage(), { signal: AbortSignal.abort(reason) });
    expect(await rejection(send)).toBe(reason);
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("outboxFileName", () => {
  it("is the message id if that can be a file name", () => {
    expect(outboxFileName("<0123abc@example.org>")).toBe("0123abc@example.org.eml");
  });

  it("is a plain file name for any id, and different for different ids", () => {
    const id = fc.string({ unit: fc.constantFrom("a", "A", ".", "/", "\\", "@", "%", "~", "\0", ":", " ", "é") });
    fc.assert(
      fc.property(id, id, (one, other) => {
        const [a, b] = [outboxFileName(`<${one}>`), outboxFileName(`<${other}>`)];
        expect(a).toMatch(/^[a-z0-9][a-z0-9._@-]*\.eml$/);
        expect(a === b).toBe(one === other);
      }),
    );
  });
});
