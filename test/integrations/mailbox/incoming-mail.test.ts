import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_MAIL_BYTES, readMail } from "../../../src/integrations/mailbox/incoming-mail.ts";
import { asyncCpuSeconds } from "../../support/cpu-seconds.ts";
import { multipart, rawMail, utf8, type RawHeaders } from "../../support/raw-mail.ts";

/** Seconds of processor time; a large ordinary email takes a tenth of that. */
const MAX_LENGTH = 4;

const base64 = (text: string | Buffer): string =>
  (
    Buffer.from(text)
      .toString("base64")
      .match(/.{1,76}/g) ?? []
  ).join("\r\n");

describe("the text of an email", () => {
  it.each<[string, Record<string, string>, string, string]>([
    ["plain ASCII", {}, "It works.\n\nThanks", "It works.\n\nThanks"],
    ["UTF-8 in eight bits", { "Content-Type": "text/plain; charset=utf-8" }, utf8("Grüße 👍"), "Grüße 👍"],
    [
      "quoted-printable Latin-1 with soft line breaks",
      { "Content-Type": "text/plain; charset=iso-8859-1", "Content-Transfer-Encoding": "quoted-printable" },
      "Gr=FC=DFe aus =\nK=F6ln",
      "Grüße aus Köln",
    ],
    [
      "base64",
      { "Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "base64" },
      base64("Привет"),
      "Привет",
    ],
    ["ISO-2022-JP", { "Content-Type": "text/plain; charset=iso-2022-jp" }, "\u001B$B$3$s\u001B(B", "こん"],
    ["Windows-1252", { "Content-Type": "text/plain; charset=windows-1252" }, "50 \u0080", "50 €"],
    ["a charset that does not exist", { "Content-Type": "text/plain; charset=x-rubbish" }, "Gr\u00FC\u00DFe", "Grüße"],
    ["bytes that are none of its charset", { "Content-Type": "text/plain; charset=utf-8" }, "a\u00FFb", "a\uFFFDb"],
    ["NUL and line ends of all kinds", {}, "a\0b\nc", "ab\nc"],
    [
      "HTML only",
      { "Content-Type": "text/html; charset=utf-8" },
      "<style>p {}</style><h1>Hello</h1><p>It is <b>broken</b>.<br>See <a href='https://x.example'>here</a>.</p><img alt='logo' src='cid:1'><blockquote>Your email</blockquote>",
      "Hello\n\nIt is broken.\nSee here.\n\n> Your email",
    ],
    [
      "the plain one of two alternatives",
      { "Content-Type": "multipart/alternative; boundary=b" },
      multipart("b", "Content-Type: text/plain\r\n\r\nPlain words", "Content-Type: text/html\r\n\r\n<p>HTML words</p>"),
      "Plain words",
    ],
    [
      "HTML where the plain alternative is blank",
      { "Content-Type": "multipart/alternative; boundary=b" },
      multipart(
        "b",
        "Content-Type: text/plain; charset=iso-8859-1\r\n\r\n \u00A0",
        "Content-Type: text/html\r\n\r\n<p>HTML words</p>",
      ),
      "HTML words",
    ],
    [
      "nested parts with attachments around it",
      { "Content-Type": 'multipart/mixed; boundary="outer 1"' },
      multipart(
        "outer 1",
        `Content-Type: multipart/related; boundary=middle\r\n\r\n${multipart(
          "middle",
          `Content-Type: multipart/alternative; boundary=inner\r\n\r\n${multipart(
            "inner",
            "Content-Type: text/plain\r\n\r\nInside",
            "Content-Type: text/html\r\n\r\n<p>Inside</p>",
          )}`,
          `Content-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64("png")}`,
        )}`,
        `Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\npdf`,
      ),
      "Inside",
    ],
    ["nothing where there is none", {}, "", ""],
    [
      "nothing where there are only attachments",
      { "Content-Type": "application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding": "base64" },
      base64("tnef"),
      "",
    ],
    [
      "what is there of parts that never end",
      { "Content-Type": "multipart/mixed; boundary=b" },
      "--b\n\nCut of",
      "Cut of",
    ],
  ])("is read: %s", async (_, headers, body, text) => {
    expect((await readMail(rawMail(headers, body))).text).toBe(text);
  });

  it("does not include attached emails", async () => {
    const attached = rawMail({}, "Somebody else's words").toString("latin1");
    const body = multipart(
      "b",
      "Content-Type: text/plain\r\n\r\nMine",
      `Content-Type: message/rfc822\r\n\r\n${attached}`,
    );
    const mail = await readMail(rawMail({ "Content-Type": "multipart/mixed; boundary=b" }, body));
    expect(mail).toMatchObject({ text: "Mine", attachments: 1 });
  });

  it("excludes attachments, which are only counted", async () => {
    const part = `Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=x.pdf\r\n\r\nsecret`;
    const body = multipart(
      "b",
      "\r\nText",
      part,
      part,
      `Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nsecret`,
    );
    const mail = await readMail(rawMail({ "Content-Type": "multipart/mixed; boundary=b" }, body));
    expect(mail.attachments).toBe(3);
    expect(JSON.stringify(mail)).not.toContain("secret");
  });

  it("is read from the beginning of an email that is too large", async () => {
    const line = `${"A".repeat(76)}\r\n`;
    const attachment = `Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n${line.repeat(MAX_MAIL_BYTES / line.length + 1)}`;
    const body = multipart("b", "Content-Type: text/plain\r\n\r\nPhotos!", attachment, attachment);
    const raw = rawMail({ "Content-Type": "multipart/mixed; boundary=b" }, body);
    expect(raw.length).toBeGreaterThan(2 * MAX_MAIL_BYTES);
    expect(await readMail(raw)).toMatchObject({ text: "Photos!", attachments: 1, isComplete: false });
  });

  it("is left out if parts are nested too deeply, but the headers are read", async () => {
    const deep = Array.from(
      { length: 300 },
      (_, at) => `--b${at}\r\nContent-Type: multipart/mixed; boundary=b${at + 1}\r\n\r\n`,
    );
    const mail = await readMail(rawMail({ "Content-Type": "multipart/mixed; boundary=b0" }, deep.join("")));
    expect(mail).toMatchObject({ sender: "ada@example.org", subject: "Product feedback", text: "", isComplete: false });
  });
});

describe("the headers of an email", () => {
  it.each<[string, string | readonly string[] | null, string | undefined]>([
    ["a bare address", "ada@example.org", "ada@example.org"],
    ["one with a name and capital letters", '"Lovelace, Ada" <Ada@Example.ORG>', "Ada@Example.ORG"],
    [
      "one with an encoded name that looks like another",
      "=?utf-8?q?eve=40evil.example?= <ada@example.org>",
      "ada@example.org",
    ],
    ["one on an international domain", utf8("Ada <ada@bücher.example>"), "ada@xn--bcher-kva.example"],
    ["several addresses", "ada@example.org, eve@evil.example", undefined],
    ["several fields", ["ada@example.org", "eve@evil.example"], undefined],
    ["a group", "Friends: ada@example.org, eve@evil.example;", undefined],
    ["a name only", "Ada Lovelace", undefined],
    ["no field at all", null, undefined],
    ["an address that can't be mailed to", "<ada@localhost>", undefined],
  ])("name one sender or none: %s", async (_, from, sender) => {
    expect((await readMail(rawMail({ From: from }))).sender).toBe(sender);
  });

  it("are decoded and put on one line", async () => {
    const subject = "=?utf-8?B?R3LDvMOfZQ==?=\r\n =?iso-8859-1?q?_aus_K=F6ln=0D=0ABcc:_x@y.example?=";
    expect((await readMail(rawMail({ Subject: subject }))).subject).toBe("Grüße aus Köln Bcc: x@y.example");
  });

  it("name the answered emails once each, the nearest first", async () => {
    const headers = {
      "In-Reply-To": "Your message of Sunday <last@shop.example>",
      References: "<first@shop.example>\r\n <second@shop.example> rubbish <last@shop.example>",
    };
    const { inReplyTo } = await readMail(rawMail(headers));
    expect(inReplyTo).toEqual(["<last@shop.example>", "<second@shop.example>", "<first@shop.example>"]);
  });

  it("may follow an mbox's From line", async () => {
    const raw = Buffer.concat([Buffer.from("\r\nFrom ada@example.org Sun Nov 22 09:00:00 2026\r\n"), rawMail()]);
    expect(await readMail(raw)).toMatchObject({ sender: "ada@example.org", text: "I love the new search!" });
  });

  it.each([
    ["nothing", ""],
    ["a text", "Hello, I am no email"],
    ["bytes", "\u0000\u00FF\u0001"],
  ])("are missing in %s", async (_, raw) => {
    await expect(readMail(Buffer.from(raw, "latin1"))).rejects.toMatchObject({ code: "not_a_mail" });
  });
});

describe("an email that is built to take long", () => {
  const HTML = { "Content-Type": "text/html" };
  const MIXED = { "Content-Type": "multipart/mixed; boundary=b" };
  it.each<[string, RawHeaders, string]>([
    ["a little HTML that is very deep", HTML, "<div>".repeat(5000)],
    ["deep HTML", HTML, "<div>".repeat(180_000)],
    ["nested tables", HTML, "<table><tr><td>".repeat(60_000)],
    ["as many open tags as are read", HTML, "<div>".repeat(39_000)],
    [
      "quotations within each other around many lines",
      HTML,
      `${"<blockquote>".repeat(190)}<pre>${"x\n".repeat(50_000)}`,
    ],
    ["the same with line ends as entities", HTML, `${"<ul><li>".repeat(90)}<pre>${"x&NewLine;".repeat(50_000)}`],
    ["many headers", Object.fromEntries(Array.from({ length: 90_000 }, (_, n) => [`X-${n}`, "y"])), "x"],
    ["many senders", { From: "a,".repeat(400_000) }, "x"],
    ["many words in its subject", { Subject: "=?utf-8?q?=41?= ".repeat(60_000) }, "x"],
    ["empty lines", {}, `${"\n".repeat(2_000_000)}x`],
    ["parts without text", MIXED, "--b\n\n\n".repeat(180_000)],
  ])("is left to a person: %s", async (_, headers, body) => {
    const raw = rawMail(headers, body);
    const seconds = await asyncCpuSeconds(async () => {
      expect(await readMail(raw)).toMatchObject({ text: "", isComplete: false });
    });
    expect(seconds).toBeLessThan(MAX_LENGTH);
  });

  it.each<[string, RawHeaders, string]>([
    ["lines", {}, "On Mon, \n".repeat(1_000_000)],
    ["parts", MIXED, "--b\n\nx\n".repeat(180_000)],
    ["HTML", MIXED, `--b\n\nx\n--b\nContent-Type: text/html\n\n${`${"<p>a &amp; b</p>".repeat(60)}\n`.repeat(9000)}`],
  ])("is read from its beginning: many %s", async (_, headers, body) => {
    const raw = rawMail(headers, body);
    const seconds = await asyncCpuSeconds(async () => {
      expect(await readMail(raw)).toMatchObject({ text: expect.stringMatching(/^(?:On Mon|x)/), isComplete: false });
    });
    expect(seconds).toBeLessThan(MAX_LENGTH);
  });

  it("is distinguished from a large newsletter and a long conversation", async () => {
    const rows = "<table><tr><td><ul><li><a href='https://x.example'>Offer</a></li></ul></td></tr></table>".repeat(400);
    expect(await readMail(rawMail(HTML, rows))).toMatchObject({
      isComplete: true,
      text: expect.stringContaining("Offer"),
    });
    const quoted = `${"<div><blockquote>".repeat(40)}${"first<br>".repeat(500)}${"</blockquote></div>".repeat(40)}`;
    const { text, isComplete } = await readMail(rawMail(HTML, `<p>Thanks!</p>${quoted}`));
    expect(isComplete).toBe(true);
    expect(text).toMatch(/^Thanks!\s+(?:> ){40}first/);
  });
});

describe("the identity of an email", () => {
  const ID = { "Message-ID": "<one@mail.example.org>" };

  it("is its Message-ID, whatever happened in transit", async () => {
    const first = await readMail(rawMail(ID));
    const again = await readMail(rawMail({ Received: "from elsewhere", ...ID }));
    expect(again).toMatchObject({ id: first.id, digest: first.digest, messageId: "<one@mail.example.org>" });
    expect((await readMail(rawMail())).id).not.toBe(first.id);
  });

  it("has a digest that distinguishes different content under the same Message-ID", async () => {
    const first = await readMail(rawMail(ID));
    const other = await readMail(rawMail(ID, "Other words"));
    expect(other.id).toBe(first.id);
    expect(other.digest).not.toBe(first.digest);
  });

  it.each([
    ["is missing", null],
    ["is invalid", "rubbish"],
  ])("is its content if the Message-ID %s", async (_, id) => {
    const headers = { "Message-ID": id };
    const first = await readMail(rawMail(headers));
    expect(first.messageId).toBeUndefined();
    expect((await readMail(rawMail({ ...headers, Received: "from elsewhere" }))).id).toBe(first.id);
    expect((await readMail(rawMail(headers, "Other words"))).id).not.toBe(first.id);
    expect((await readMail(rawMail({ ...headers, Date: "Mon, 23 Nov 2026 09:00:00 +0000" }))).id).not.toBe(first.id);
  });
});

it("reads any bytes after a header", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      const mail = await readMail(Buffer.concat([Buffer.from("From: ada@example.org\r\n"), bytes]));
      expect(mail.text.isWellFormed() && mail.subject.isWellFormed() && !mail.text.includes("\0")).toBe(true);
    }),
  );
});
