import { inspect } from "node:util";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import tls from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { IoError, ValidationError } from "../../../src/errors.ts";
import { createMailTransport } from "../../../src/integrations/email/create-mail-transport.ts";
import type { MailMessage, MailTransport } from "../../../src/integrations/email/mail-transport.ts";
import {
  startSmtpServer,
  unusedPort,
  type Answer,
  type SmtpOptions,
  type SmtpTestServer,
  type Stage,
} from "../../support/smtp.ts";
import { localhostCertificate } from "../../support/localhost-certificate.ts";
import { mailMessage, rejection } from "./mails.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close();
});

async function server(options?: SmtpOptions): Promise<SmtpTestServer> {
  const smtp = await startSmtpServer(options);
  opened.push(smtp);
  return smtp;
}

function transport(url: string): MailTransport {
  const made = createMailTransport(url);
  opened.push(made);
  return made;
}

const numbered = (number: number): MailMessage => ({ ...mailMessage(), messageId: `<${number}@example.org>` });

describe("a mail server that answers", () => {
  it.each<[Stage, Answer, string]>([
    ["connect", { code: 421 }, "mail_unavailable"],
    ["connect", { code: 554 }, "mail_unavailable"],
    ["connect", { drop: true }, "mail_unavailable"],
    ["mail", { code: 451 }, "mail_unavailable"],
    ["mail", { code: 550 }, "mail_unavailable"],
    ["mail", { code: 530 }, "mail_authentication"],
    ["rcpt", { code: 450 }, "mail_unavailable"],
    ["rcpt", { code: 421 }, "mail_unavailable"],
    ["rcpt", { drop: true }, "mail_unavailable"],
    ["data", { code: 452 }, "mail_unavailable"],
    ["data", { code: 421 }, "mail_unavailable"],
    ["data", { drop: true }, "mail_unavailable"],
  ])("at %s with %j is an IoError (%s), and nothing has been taken", async (stage, answer, code) => {
    const smtp = await server();
    smtp.script(stage, ...Array.from({ length: 6 }, () => answer));
    const error = await rejection(transport(smtp.url()).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect(error).toMatchObject({ code, retriable: true });
    expect((error as Error).message).toContain(`The mail server at 127.0.0.1:${smtp.port} `);
    expect(smtp.mails).toEqual([]);
  });

  it.each<[Stage, number]>([
    ["rcpt", 550],
    ["rcpt", 553],
    ["data", 554],
    ["data", 552],
    ["mail", 552],
  ])("at %s with %i is a ValidationError: this mail is refused for good", async (stage, code) => {
    const smtp = await server();
    smtp.script(stage, { code, text: "5.1.1 <ada@customers.example> is nobody here" });
    const error = await rejection(transport(smtp.url()).send(mailMessage()));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: "mail_rejected", retriable: false });
    expect((error as Error).message).toContain(`(${code})`);
    expect((error as Error).cause).toMatchObject({
      responseCode: code,
      message: expect.stringContaining("is nobody here"),
    });
    expect(inspect(error, { depth: 9 })).not.toContain("ada@customers.example");
  });

  it("is never given two recipients, even where the one is none", async () => {
    const smtp = await server();
    const twoAddresses = { ...mailMessage(), to: "ada@customers.example, eve@evil.example" };
    expect(await rejection(transport(smtp.url()).send(twoAddresses))).toBeInstanceOf(ValidationError);
    expect(smtp.mails).toEqual([]);
  });

  it("takes the next mail after it refused one", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    smtp.script("rcpt", { code: 550 });
    await rejection(mailer.send(numbered(1)));
    await mailer.send(numbered(2));
    expect(smtp.mails.map(({ parsed }) => parsed.messageId)).toEqual(["<2@example.org>"]);
  });

  it("takes the same mail with the same message id after it was interrupted", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    smtp.script("data", { drop: true });
    await rejection(mailer.send(numbered(1)));
    await mailer.send(numbered(1));
    expect(smtp.mails.map(({ parsed }) => parsed.messageId)).toEqual(["<1@example.org>"]);
  });

  it("does not get a mail again by itself that it may have taken", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    await mailer.send(numbered(1));
    smtp.script("data", { drop: true });
    expect(await rejection(mailer.send(numbered(2)))).toMatchObject({ code: "mail_unavailable" });
    expect(smtp.mails).toHaveLength(1);
  });
});

describe("a mail server that does not answer", () => {
  const never = new Promise(() => {});

  it.each<Stage>(["connect", "rcpt", "data"])("at %s is an IoError after the time-out", async (stage) => {
    const smtp = await server();
    smtp.script(stage, { after: never });
    const reached = smtp.reached(stage);
    const error = await rejection(transport(smtp.url("?timeout=5000")).send(mailMessage()));
    await reached;
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/did not answer in time/);
  });

  it("is waited for while it is slow but within the time-out", async () => {
    const smtp = await server();
    const { promise, resolve } = Promise.withResolvers<void>();
    smtp.script("data", { after: promise });
    const reached = smtp.reached("data");
    const sent = transport(smtp.url()).send(mailMessage());
    await reached;
    expect(smtp.mails).toEqual([]);
    resolve();
    await sent;
    expect(smtp.mails).toHaveLength(1);
  });

  it("is waited for no longer once the signal aborts, and others are served", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    smtp.script("data", { after: never });
    const reached = smtp.reached("data");
    const controller = new AbortController();
    const sent = rejection(mailer.send(numbered(1), { signal: controller.signal }));
    await reached;
    const reason = new Error("changed my mind");
    controller.abort(reason);
    expect(await sent).toBe(reason);
    await mailer.send(numbered(2));
    expect(smtp.mails.map(({ parsed }) => parsed.messageId)).toEqual(["<2@example.org>"]);
  });

  it("is not even asked where the signal had aborted before", async () => {
    const smtp = await server();
    const reason = new Error("changed my mind");
    const sent = transport(smtp.url()).send(mailMessage(), { signal: AbortSignal.abort(reason) });
    expect(await rejection(sent)).toBe(reason);
    expect(smtp.connections).toBe(0);
  });
});

describe("a mail server that is not there", () => {
  it("on the port is an IoError", async () => {
    const error = await rejection(transport(`smtp://127.0.0.1:${await unusedPort()}`).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/refused the connection/);
  });

  it("by its name is an IoError", async () => {
    const error = await rejection(transport("smtp://mail.invalid:25?timeout=5000").send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/^The mail server at mail\.invalid:25 /);
  });

  it("but something else is an IoError", async () => {
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await once(web.listen(0, "127.0.0.1"), "listening");
    opened.push({ close: async () => void web.close() });
    const { port } = web.address() as AddressInfo;
    expect(await rejection(transport(`smtp://127.0.0.1:${port}`).send(mailMessage()))).toBeInstanceOf(IoError);
  });
});

describe("logging in", () => {
  const login = { user: "ada@example.org", password: "s3s:@me/é" };

  it("works with any characters in the password", async () => {
    const smtp = await server({ login });
    await transport(smtp.url()).send(mailMessage());
    expect(smtp.mails[0]?.user).toBe(login.user);
  });

  it("with the wrong password is an IoError that shows no password, whatever the server says", async () => {
    const smtp = await server({ login });
    const url = new URL(smtp.url());
    url.password = "wrong-secret";
    const echoes = [Buffer.from("\0ada@example.org\0wrong-secret"), Buffer.from("wrong-secret")].map((echo) =>
      echo.toString("base64"),
    );
    smtp.script("auth", { code: 535, text: `who is wrong-secret ${echoes.join(" ")}` });
    const error = await rejection(transport(url.href).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect(error).toMatchObject({ code: "mail_authentication", retriable: true });
    expect((error as Error).message).toMatch(/user name and password/);
    expect((error as Error).cause).toMatchObject({ responseCode: 535, message: expect.stringContaining("who is") });
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const secret of ["wrong-secret", ...echoes]) expect(shown).not.toContain(secret);
  });

  it("to a server that can't check it now is an IoError like any other", async () => {
    const smtp = await server({ login });
    smtp.script("auth", { code: 454 });
    expect(await rejection(transport(smtp.url()).send(mailMessage()))).toMatchObject({ code: "mail_unavailable" });
  });

  it("happens over TLS or not at all, unless the server is this machine", async () => {
    const smtp = await server({ login });
    const error = await rejection(transport(smtp.url("?requireTLS=true")).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/TLS/);
    expect(smtp.mails).toEqual([]);
  });
});

describe("TLS", () => {
  it.each<SmtpOptions>([{ secure: true }, { startTls: true }])(
    "with a certificate that nobody vouches for is an IoError that says what to do (%j)",
    async (options) => {
      const smtp = await server(options);
      const error = await rejection(transport(smtp.url()).send(mailMessage()));
      expect(error).toBeInstanceOf(IoError);
      expect((error as Error).message).toMatch(/certificate that is not trusted.*NODE_EXTRA_CA_CERTS/);
      expect(smtp.mails).toEqual([]);
    },
  );

  it.each<SmtpOptions>([{ secure: true }, { startTls: true }])(
    "is used where the server has it (%j)",
    async (options) => {
      const before = tls.getCACertificates("default");
      tls.setDefaultCACertificates([...before, localhostCertificate.cert]);
      try {
        const smtp = await server(options);
        await transport(smtp.url("?requireTLS=true")).send(mailMessage());
        expect(smtp.mails.map(({ secure }) => secure)).toEqual([true]);
      } finally {
        tls.setDefaultCACertificates(before);
      }
    },
  );

  it("spoken to a port without it is an IoError", async () => {
    const smtp = await server();
    const error = await rejection(transport(smtp.url().replace("smtp:", "smtps:")).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/could not agree on TLS/);
  });
});

describe("connections", () => {
  it("are few for many mails", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    await Promise.all(Array.from({ length: 60 }, (_, index) => mailer.send(numbered(index))));
    expect(new Set(smtp.mails.map(({ parsed }) => parsed.messageId)).size).toBe(60);
    expect(smtp.mails).toHaveLength(60);
    expect(smtp.connections).toBeLessThanOrEqual(5);
  });

  it("are made anew where the server has dropped them in between", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    await mailer.send(numbered(1));
    smtp.dropConnections();
    await mailer.send(numbered(2));
    expect(smtp.mails).toHaveLength(2);
    expect(smtp.connections).toBe(2);
  });

  it("are closed with the transport, after the mail in hand", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    const { promise, resolve } = Promise.withResolvers<void>();
    smtp.script("data", { after: promise });
    const reached = smtp.reached("data");
    const sent = mailer.send(numbered(1));
    await reached;
    const closed = mailer.close();
    resolve();
    await Promise.all([sent, closed]);
    expect(smtp.mails).toHaveLength(1);
    expect(await rejection(mailer.send(numbered(2)))).toBeInstanceOf(IoError);
  });
});
