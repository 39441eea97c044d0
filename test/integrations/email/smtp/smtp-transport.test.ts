import { inspect } from "node:util";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import tls from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { IoError, ValidationError } from "../../../../src/errors.ts";
import { createMailTransport } from "../../../../src/integrations/email/create-mail-transport.ts";
import type { MailMessage, MailTransport } from "../../../../src/integrations/email/mail-transport.ts";
import { freePort } from "../../../support/free-port.ts";
import {
  startSmtpServer,
  type Answer,
  type SmtpOptions,
  type SmtpTestServer,
  type Stage,
} from "../../../support/smtp.ts";
import { localhostCertificate } from "../../../support/localhost-certificate.ts";
import { mailMessage, rejection } from "../mails.ts";

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
  ])("at %s with %j causes an IoError (%s), and no email has been accepted", async (stage, answer, code) => {
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
  ])("at %s with %i causes a ValidationError: this email is refused permanently", async (stage, code) => {
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

  it("never receives two recipients, even if the address is invalid", async () => {
    const smtp = await server();
    const twoAddresses = { ...mailMessage(), to: "ada@customers.example, eve@evil.example" };
    expect(await rejection(transport(smtp.url()).send(twoAddresses))).toBeInstanceOf(ValidationError);
    expect(smtp.mails).toEqual([]);
  });

  it("accepts the next email after it refused one", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    smtp.script("rcpt", { code: 550 });
    await rejection(mailer.send(numbered(1)));
    await mailer.send(numbered(2));
    expect(smtp.mails.map(({ parsed }) => parsed.messageId)).toEqual(["<2@example.org>"]);
  });

  it("gets the same email with the same message id after it was interrupted", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    smtp.script("data", { drop: true });
    await rejection(mailer.send(numbered(1)));
    await mailer.send(numbered(1));
    expect(smtp.mails.map(({ parsed }) => parsed.messageId)).toEqual(["<1@example.org>"]);
  });

  it("does not automatically get an email again that it may have accepted", async () => {
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

  it.each<Stage>(["connect", "rcpt", "data"])("at %s causes an IoError after the time-out", async (stage) => {
    const smtp = await server();
    smtp.script(stage, { after: never });
    const reached = smtp.reached(stage);
    const error = await rejection(transport(smtp.url("?timeout=5000")).send(mailMessage()));
    await reached;
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/did not answer in time/);
  });

  it("is waited for if it is slow but within the time-out", async () => {
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

  it("is no longer waited for once the signal aborts, and other emails are sent", async () => {
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

  it("is not contacted at all if the signal has already aborted", async () => {
    const smtp = await server();
    const reason = new Error("changed my mind");
    const sent = transport(smtp.url()).send(mailMessage(), { signal: AbortSignal.abort(reason) });
    expect(await rejection(sent)).toBe(reason);
    expect(smtp.connections).toBe(0);
  });
});

describe("a mail server that is not there", () => {
  it("causes an IoError if nothing listens on the port", async () => {
    const error = await rejection(transport(`smtp://127.0.0.1:${await freePort()}`).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/refused the connection/);
  });

  it("causes an IoError if its name is unknown", async () => {
    const error = await rejection(transport("smtp://mail.invalid:25?timeout=5000").send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/^The mail server at mail\.invalid:25 /);
  });

  it("causes an IoError if something else is listening", async () => {
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

  it("with the wrong password causes an IoError that shows no password, whatever the server says", async () => {
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

  it("to a server that can't check the password now causes an ordinary IoError", async () => {
    const smtp = await server({ login });
    smtp.script("auth", { code: 454 });
    expect(await rejection(transport(smtp.url()).send(mailMessage()))).toMatchObject({ code: "mail_unavailable" });
  });

  it("happens only over TLS, unless the server is this machine", async () => {
    const smtp = await server({ login });
    const error = await rejection(transport(smtp.url("?requireTLS=true")).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/TLS/);
    expect(smtp.mails).toEqual([]);
  });
});

describe("TLS", () => {
  it.each<SmtpOptions>([{ secure: true }, { startTls: true }])(
    "with an untrusted certificate causes an IoError that says what to do (%j)",
    async (options) => {
      const smtp = await server(options);
      const error = await rejection(transport(smtp.url()).send(mailMessage()));
      expect(error).toBeInstanceOf(IoError);
      expect((error as Error).message).toMatch(/certificate that is not trusted.*NODE_EXTRA_CA_CERTS/);
      expect(smtp.mails).toEqual([]);
    },
  );

  it.each<SmtpOptions>([{ secure: true }, { startTls: true }])(
    "is used if the server offers it (%j)",
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

  it("causes an IoError on a port without it", async () => {
    const smtp = await server();
    const error = await rejection(transport(smtp.url().replace("smtp:", "smtps:")).send(mailMessage()));
    expect(error).toBeInstanceOf(IoError);
    expect((error as Error).message).toMatch(/could not negotiate TLS/);
  });
});

describe("connections", () => {
  it("are few even for many emails", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    await Promise.all(Array.from({ length: 60 }, (_, index) => mailer.send(numbered(index))));
    expect(new Set(smtp.mails.map(({ parsed }) => parsed.messageId)).size).toBe(60);
    expect(smtp.mails).toHaveLength(60);
    expect(smtp.connections).toBeLessThanOrEqual(5);
  });

  it("are opened again if the server has dropped them in between", async () => {
    const smtp = await server();
    const mailer = transport(smtp.url());
    await mailer.send(numbered(1));
    smtp.dropConnections();
    await mailer.send(numbered(2));
    expect(smtp.mails).toHaveLength(2);
    expect(smtp.connections).toBe(2);
  });

  it("are closed with the transport, after the current email", async () => {
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

describe("a mail server that serves few connections at a time", () => {
  it.each([
    ["greeting", 1],
    ["greeting", 2],
    ["mail", 1],
    ["later", 1],
    ["drop", 1],
  ] as const)(
    "and refuses the others (%s, %i) gets each email once, and is not polled all the time",
    async (turnAway, connectionLimit) => {
      const smtp = await server({ connectionLimit, turnAway });
      const mailer = transport(smtp.url());
      await Promise.all(Array.from({ length: 30 }, (_, index) => mailer.send(numbered(index))));
      expect(smtp.mails).toHaveLength(30);
      expect(new Set(smtp.mails.map(({ parsed }) => parsed.messageId)).size).toBe(30);
      expect(smtp.turnedAway).toBeGreaterThan(0);
      // nodemailer's pool itself tries a silently dropped connection twice more.
      expect(smtp.turnedAway).toBeLessThanOrEqual(turnAway === "drop" ? 30 : 10);
    },
  );

  it("gets no more connections than the URL says", async () => {
    const smtp = await server({ connectionLimit: 1 });
    const mailer = transport(smtp.url("?connections=1"));
    await Promise.all(Array.from({ length: 10 }, (_, index) => mailer.send(numbered(index))));
    expect(smtp.mails).toHaveLength(10);
    expect(smtp).toMatchObject({ connections: 1, turnedAway: 0 });
  });

  it("may refuse an email, and the others still arrive", async () => {
    const smtp = await server({ connectionLimit: 1 });
    smtp.script("rcpt", { code: 550, text: "5.1.1 unknown" });
    const mailer = transport(smtp.url());
    const sent = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => mailer.send(numbered(index))));
    expect(sent.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(smtp.mails).toHaveLength(9);
  });

  it("gets more connections again, slowly", async () => {
    const smtp = await server({ connectionLimit: 1 });
    const mailer = transport(smtp.url());
    await Promise.all(Array.from({ length: 5 }, (_, index) => mailer.send(numbered(index))));
    const { turnedAway } = smtp;
    const rounds = 40;
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: 5 }, (_, index) => mailer.send(numbered(5 + round * 5 + index))));
    }
    expect(smtp.mails).toHaveLength(205);
    expect(smtp.turnedAway - turnedAway).toBeGreaterThan(0);
    // Twice, as a rule. A server that is slow to notice a closed connection turns away a few more, but not some in every round.
    expect(smtp.turnedAway - turnedAway).toBeLessThan(rounds);
  });

  it("and answers no one causes an IoError for every waiting email", async () => {
    const smtp = await server({ connectionLimit: 0 });
    const mailer = transport(smtp.url());
    const sent = await Promise.all(Array.from({ length: 7 }, (_, index) => rejection(mailer.send(numbered(index)))));
    for (const error of sent) expect(error).toMatchObject({ code: "mail_unavailable", retriable: true });
    expect(smtp.turnedAway).toBe(7);
  });

  it("is no longer waited for once the signal aborts", async () => {
    const smtp = await server({ connectionLimit: 1 });
    const mailer = transport(smtp.url());
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    smtp.script("data", { after: answered });
    const reached = smtp.reached("data");
    const first = mailer.send(numbered(1));
    await reached;
    const controller = new AbortController();
    const second = rejection(mailer.send(numbered(2), { signal: controller.signal }));
    await expect.poll(() => smtp.turnedAway).toBe(1);
    const reason = new Error("changed my mind");
    controller.abort(reason);
    expect(await second).toBe(reason);
    resolve();
    await first;
    expect(smtp.mails).toHaveLength(1);
  });
});

describe("a refusal", () => {
  const refusal = async (stage: Stage, code: number, text: string) => {
    const smtp = await server();
    smtp.script(stage, { code, text });
    return (await rejection(transport(smtp.url()).send(mailMessage()))) as IoError | ValidationError;
  };

  it.each<[Stage, number, string, RegExp]>([
    [
      "rcpt",
      550,
      "5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to https://x",
      /limit on what we may send/,
    ],
    ["data", 550, "5.4.5 Daily SMTP relay sending quota exceeded", /limit on what we may send/],
    ["rcpt", 554, "5.7.1 <ada@customers.example>: Relay access denied", /does not relay/],
    ["rcpt", 550, "5.7.1 Unable to relay", /does not relay/],
    ["rcpt", 550, "relay not permitted", /does not relay/],
    ["rcpt", 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain", /does not relay/],
    [
      "data",
      550,
      "5.7.26 Unauthenticated email from shop.example is not accepted due to domain's DMARC policy",
      /SPF, DKIM and DMARC/,
    ],
    ["rcpt", 550, "5.7.23 SPF check failed", /SPF, DKIM and DMARC/],
    ["data", 550, "5.7.20 No passing DKIM signature found", /SPF, DKIM and DMARC/],
    ["rcpt", 550, "SPF check failed for shop.example", /SPF, DKIM and DMARC/],
    ["data", 550, "5.7.509 Access denied, sending domain does not pass DMARC verification", /SPF, DKIM and DMARC/],
    ["data", 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", /may not send as/],
    ["data", 554, "5.2.252 SendAsDenied; not allowed to send as", /may not send as/],
    ["mail", 553, "5.7.1 Sender address rejected: not owned by user", /may not send as/],
    [
      "data",
      554,
      "Message rejected: Email address is not verified. The following identities failed the check",
      /may not send as/,
    ],
    ["mail", 550, "5.1.8 Access denied, bad outbound sender", /may not send as|policy/],
    ["rcpt", 554, "5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org", /block ?list/],
    [
      "data",
      550,
      "5.7.25 The IP address sending this message does not have a PTR record setup",
      /block ?list|policy|reverse/,
    ],
    ["rcpt", 550, "5.7.28 Mail flood detected", /limit on what we may send/],
    [
      "rcpt",
      550,
      "5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
      /limit on what we may send/,
    ],
    ["rcpt", 550, "Too many messages from this account, sending limit reached", /limit on what we may send/],
    ["rcpt", 550, "5.7.0 Local policy", /policy/],
    ["rcpt", 550, "5.7.1 Access denied", /policy/],
    ["data", 550, "5.4.6 Unusual sending activity detected", /limit on what we may send|policy/],
    ["data", 554, "Message rejected: Sending paused for this account.", /our account/],
    ["data", 554, "Message rejected: Sending suspended for this account.", /our account/],
    ["data", 554, "Access denied: User ses-1 is not authorized to perform ses:SendRawEmail", /our account/],
    ["data", 554, "Configuration set does not exist: main", /our account/],
    ["data", 550, "The from address does not match a verified Sender Identity", /may not send as/],
    [
      "rcpt",
      550,
      "Domain example.org has exceeded the max emails per hour (25/25 (100%)) allowed. Message discarded.",
      /limit on what we may send/,
    ],
    ["rcpt", 550, "5.7.501 Access denied. Spam abuse detected from IP range", /block ?list/],
    [
      "rcpt",
      504,
      "5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
      /host name is missing or wrong/,
    ],
    ["rcpt", 550, "5.5.0 <mail.example>: Helo command rejected: Host not found", /host name is missing or wrong/],
    ["rcpt", 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", /5\.7\.1: it does not relay/],
    ["rcpt", 521, "5.2.1 AOL will not accept delivery of this message", /policy/],
    ["rcpt", 550, "Mailbox sending quota exceeded", /limit on what we may send/],
    [
      "mail",
      550,
      "5.1.0 <bo@shop.example>: Sender address rejected: User unknown in relay table",
      /relay|may not send as/,
    ],
  ])("at %s with %i %s is the sender's fault: an IoError that says what to do", async (stage, code, text, words) => {
    const error = await refusal(stage, code, text);
    expect(error).toBeInstanceOf(IoError);
    expect(error).toMatchObject({ code: "mail_unavailable", retriable: true });
    expect(error.message).toMatch(words);
    expect(error.message).toMatch(/not at fault/);
    expect(error.message).not.toMatch(/Check the recipient/);
  });

  it.each<[Stage, number, string]>([
    ["rcpt", 550, "5.1.1 <ada@customers.example> User unknown"],
    ["rcpt", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found"],
    ["rcpt", 556, "5.1.10 Recipient address has null MX"],
    ["rcpt", 550, "5.1.2 Bad destination system address"],
    ["rcpt", 553, "5.1.3 Bad recipient address syntax"],
    ["rcpt", 551, "5.1.6 Mailbox has moved"],
    ["rcpt", 550, "5.2.1 The email account that you tried to reach is disabled"],
    ["rcpt", 552, "5.2.2 The email account that you tried to reach is over quota"],
    ["data", 552, "5.2.2 Mailbox full, quota exceeded"],
    ["rcpt", 550, "No such user here"],
    ["rcpt", 550, "5.7.17 Mailbox owner has changed"],
    ["rcpt", 550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)"],
    ["rcpt", 550, "5.5.0 Requested action not taken: mailbox unavailable"],
    ["rcpt", 550, "No such user here <spf@b.example>"],
    ["data", 550, "User ptr@b.example unknown"],
    ["rcpt", 554, "5.7.1 <spamcop@b.example>: Recipient address rejected"],
    ["rcpt", 550, "5.1.0 <ada@customers.example>: User unknown in relay recipient table"],
    ["data", 550, "Mailbox message quota exceeded"],
    ["data", 552, "Requested action aborted: mailbox account quota limit reached"],
    ["rcpt", 550, "5.7.133 Sender not authenticated for group"],
    ["rcpt", 550, "5.7.1 RESOLVER.RST.AuthRequired; authentication required"],
  ])("at %s with %i %s is the recipient's fault, and permanent", async (stage, code, text) => {
    const error = await refusal(stage, code, text);
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: "mail_rejected", retriable: false });
    expect(error.message).toMatch(/Check the recipient's address/);
    expect(error.message).not.toContain("ada@");
  });

  it.each<[Stage, number, string, RegExp]>([
    ["data", 554, "5.6.0 Message content not acceptable", /content/],
    ["data", 554, "5.7.1 Message rejected: spam score 12.4", /content/],
    ["data", 550, "5.7.1 Our system has detected that this message is likely unsolicited mail", /content/],
    ["data", 552, "5.7.0 This message was blocked because its content presents a potential security issue", /content/],
    ["data", 554, "Your message contains a virus", /content/],
    ["data", 554, "5.7.1 blocked words in the subject", /content/],
    ["mail", 552, "5.3.4 Message size exceeds fixed limit", /too large/],
    ["data", 552, "message too large", /too large/],
    ["data", 554, "5.2.3 Message length exceeds administrative limit", /too large/],
  ])(
    "at %s with %i %s is the email's fault, and permanent, because of its content",
    async (stage, code, text, words) => {
      const error = await refusal(stage, code, text);
      expect(error).toBeInstanceOf(ValidationError);
      expect(error).toMatchObject({ code: "mail_rejected", retriable: false });
      expect(error.message).toMatch(words);
      expect(error.message).not.toMatch(/Check the recipient/);
    },
  );

  it("without a reason after the email blames nobody", async () => {
    const error = await refusal("data", 554, "Transaction failed");
    expect(error).toMatchObject({ code: "mail_rejected" });
    expect(error.message).not.toMatch(/Check the recipient/);
    expect(error.message).toContain("the log has the server's words");
  });

  it.each<[string, number]>([
    ["4.7.1 Greylisted, please try again in 300 seconds", 300_000],
    ["4.2.0 Greylisting in effect, come back in 5 minutes", 300_000],
    ["4.7.0 wait 90s", 90_000],
    ["4.2.2 Mailbox full", 0],
    ["4.7.0 see code 12 in 1999", 0],
    ["4.7.1 Greylisted, come back in 00:04:59", 299_000],
    ["4.7.1 Too fast, wait 1 message per 60 secs", 60_000],
    ["4.7.0 closed after 12:30:00", 0],
  ])(
    "with a 451 %s is temporary, and is retried after the pause that the server asks for",
    async (text, retryAfterMs) => {
      expect(await refusal("rcpt", 451, text)).toMatchObject({ code: "mail_unavailable", retryAfterMs });
    },
  );

  it.each<[number, string, RegExp]>([
    [454, "4.7.1 <ada@customers.example>: Relay access denied", /does not relay for us/],
    [450, "4.1.8 <care@shop.example>: Sender address rejected: Domain not found", /Check MAIL_FROM/],
    [421, "4.7.26 This email has been rate limited because it is unauthenticated", /Check SPF, DKIM and DMARC/],
    [450, "4.2.0 <ada@customers.example>: Recipient address rejected: Greylisted", /for now \(450\) 4\.2\.0\.$/],
    [450, "4.1.8 Sender address rejected: Greylisted", /for now \(450\) 4\.1\.8\.$/],
    [451, "4.4.5 Relay is congested", /for now \(451\) 4\.4\.5\.$/],
  ])("with a %i %s says what waiting won't fix", async (code, text, words) => {
    const error = await refusal("rcpt", code, text);
    expect(error).toMatchObject({ code: "mail_unavailable", retriable: true });
    expect(error.message).toMatch(words);
  });

  it.each<[string, number]>([
    ["5.7.1 Greylisted, please try again in 300 seconds", 300_000],
    ["5.7.1 Greylisted, please try again later", 0],
    ["5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages", 0],
  ])("with a 550 %s is temporary, too", async (text, retryAfterMs) => {
    const error = await refusal("rcpt", 550, text);
    expect(error).toMatchObject({ code: "mail_unavailable", retriable: true, retryAfterMs });
    expect(error.message).toMatch(/for now/);
  });

  it.each(["hello", "650 what"])("is not the recipient's fault if the reply is not a refusal: %s", async (reply) => {
    const answers: Readonly<Record<string, string>> = { RCPT: reply, QUIT: "221 bye" };
    const odd = createServer((socket) => {
      socket.write("220 odd\r\n");
      socket.on("error", () => {});
      socket.on("data", (lines) => {
        for (const line of String(lines).trim().split("\r\n")) {
          socket.write(`${answers[line.slice(0, 4).toUpperCase()] ?? "250 yes"}\r\n`);
        }
      });
    });
    await once(odd.listen(0, "127.0.0.1"), "listening");
    opened.push({ close: async () => void odd.close() });
    const { port } = odd.address() as AddressInfo;
    const error = await rejection(transport(`smtp://127.0.0.1:${port}`).send(mailMessage()));
    expect(error).toMatchObject({ code: "mail_unavailable", retriable: true });
  });

  it("is logged without the recipient's address and its local part, unless that is short", async () => {
    const causeOf = async (recipient: string, text: string) => {
      const smtp = await server();
      smtp.script("rcpt", { code: 550, text });
      const error = await rejection(transport(smtp.url()).send(mailMessage({ recipient })));
      return ((error as Error).cause as Error).message;
    };
    expect(
      await causeOf("ann.secret@b.example", "<Ann.Secret@b.example>: ann.secret unknown, not ann.secrets"),
    ).toMatch(/<\[hidden\]>: \[hidden\] unknown, not ann\.secrets/);
    expect(await causeOf("ann@b.example", "<ann@b.example>: ann unknown")).toMatch(/<\[hidden\]>: ann unknown/);
  });

  it("is read from the last line of a multi-line reply", async () => {
    expect(await refusal("rcpt", 550, "5.4.5\nDaily user sending limit exceeded")).toBeInstanceOf(IoError);
  });
});
