import { inspect } from "node:util";
import { describe, expect, it, test } from "vitest";
import { ValidationError } from "../../../src/errors.ts";
import { createMailTransport } from "../../../src/integrations/email/create-mail-transport.ts";
import { outboxFolderOf } from "../../../src/integrations/email/outbox/outbox-folder.ts";
import { parseSmtpUrl } from "../../../src/integrations/email/smtp/smtp-url.ts";

describe("createMailTransport", () => {
  it.each(["http://mail.example", "mail.example", "", "sendmail:", "smpt://user:sesame@host"])(
    "refuses %j and says what is supported",
    (url) => {
      expect(() => createMailTransport(url)).toThrow(ValidationError);
      expect(() => createMailTransport(url)).toThrow(/Supported are smtp:.*smtps:.*outbox:.*file:/);
    },
  );

  it.each([
    "smtp://user:sesame@",
    "smtp://user:sesame@host:port",
    "smtp://user:sesame@host:99999",
    "smtp://:sesame@host",
    "smtp://user@host",
    "smtp://user:sesame%@host",
    "smtp://user:sesame@host?verify=no",
    "smtp://user:sesame@host?timeout=soon",
    "smtp://user:sesame@host?timeout=0",
    "smtp://user:sesame@host?requireTLS=perhaps",
    "sesame://user:sesame@host",
    "file:relative",
    "file://host/path",
    "outbox:",
  ])("refuses %s and shows no password", (url) => {
    let error: unknown;
    try {
      createMailTransport(url);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: "invalid_configuration" });
    const { stack: _stack, ...shown } = Object.fromEntries(
      Object.getOwnPropertyNames(error).map((name) => [name, (error as Record<string, unknown>)[name]]),
    );
    expect(inspect(shown, { depth: 9, showHidden: true })).not.toContain("sesame");
  });
});

test.each([
  ["outbox:mails", "mails"],
  ["OUTBOX://mails", "mails"],
  ["outbox:/var/mails", "/var/mails"],
  ["outbox:///var/mails", "/var/mails"],
  ["outbox:////var/mails", "/var/mails"],
  ["smtp://mail.example", undefined],
  ["http://mail.example", undefined],
])("outboxFolderOf(%j) is %j, and outbox: before that folder leads to it again", (url, folder) => {
  expect(outboxFolderOf(url)).toBe(folder);
  expect(folder && outboxFolderOf(`outbox:${folder}`)).toBe(folder);
});

describe("parseSmtpUrl", () => {
  it("knows the usual ports and requires TLS before it sends a password", () => {
    expect(parseSmtpUrl("smtp://mail.example")).toEqual({
      host: "mail.example",
      port: 587,
      secure: false,
      requireTls: false,
    });
    expect(parseSmtpUrl("smtps://mail.example")).toMatchObject({ port: 465, secure: true });
    expect(parseSmtpUrl("smtp://u:p@mail.example")).toMatchObject({ requireTls: true });
    expect(parseSmtpUrl("smtp://u:p@127.0.0.1:25")).toMatchObject({ requireTls: false, port: 25 });
    expect(parseSmtpUrl("smtp://u:p@mail.example?requireTLS=false")).toMatchObject({ requireTls: false });
    expect(parseSmtpUrl("smtp://mail.example?requireTLS=true&timeout=2000")).toMatchObject({
      requireTls: true,
      timeoutMs: 2000,
    });
  });

  it("decodes user, password and IPv6 hosts", () => {
    expect(parseSmtpUrl("smtp://ada%40example.org:p%3A%2F%C3%A9@[::1]:2525")).toEqual({
      host: "::1",
      port: 2525,
      secure: false,
      requireTls: false,
      credentials: { user: "ada@example.org", password: "p:/é" },
    });
  });
});
