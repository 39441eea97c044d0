import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_MAIL_BYTES } from "../../../src/integrations/mailbox/incoming-mail.ts";
import { mailsIn, mailsOf, type FoundMail } from "../../../src/integrations/mailbox/mail-files.ts";
import { mailsOfMbox } from "../../../src/integrations/mailbox/mbox.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { inMbox } from "../../support/mail-archive.ts";

const text = ({ raw }: FoundMail): string => Buffer.from(raw as Uint8Array).toString("latin1");

async function inPieces(bytes: Buffer, size: number): Promise<string[]> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
  const mails = await Array.fromAsync(mailsOfMbox(Readable.from(pieces)));
  return mails.map((mail) => mail.toString("latin1"));
}

const HEADS = "From: ada@example.org\nSubject: Hi\n\n";

describe("an mbox", () => {
  it("returns its original emails, with quoted lines restored", async () => {
    const mails = [
      `${HEADS}Hello\n`,
      `${HEADS}From here on\n\nFrom the start at 10:00 in 2026\n>From him\n>>From her\nnot > From\n`,
      `${HEADS}\n`,
    ];
    const mbox = Buffer.concat(mails.map((mail) => inMbox(Buffer.from(mail))));
    for (const size of [1, 7, 100_000]) {
      const found = await inPieces(mbox, size);
      expect(found.map((mail) => mail.replace(/\n$/, ""))).toEqual(mails);
    }
  });

  it("keeps lines that look like From lines in emails of programs that don't quote them", async () => {
    const mbox =
      "From a@b Sun Nov 22 09:00:00 2026\n" +
      `${HEADS}Text\n\nFrom my point of view\n\nFrom: nobody\nFrom x Sun Nov 22 09:00:00 2026\n`;
    expect(await inPieces(Buffer.from(mbox), 1000)).toHaveLength(1);
  });

  it.each([
    "From ada@example.org Sun Nov 22 09:00:00 2026",
    "From ada at example.org  Sun Nov 22 09:00:00 2026",
    "From - Sun Nov  2 09:00:00 2026",
    "From ada@example.org Sun Nov 22 09:00 2026 +0100",
    "From ???@??? Sun Nov 22 09:00:00 1999",
  ])("is recognised by its first line: %s", async (line) => {
    const mbox = Buffer.from(`${line}\n${HEADS}One\n\n${line}\r\n${HEADS}Two\n`);
    expect(await Array.fromAsync(mailsOf(Readable.from([mbox])))).toMatchObject([
      { place: "email 1" },
      { place: "email 2" },
    ]);
  });

  it("returns any emails, however the bytes are cut", async () => {
    const line = fc.stringMatching(/^(?:>{0,2}From |>|a)?[ -~]{0,20}$/);
    const mail = fc.array(line, { maxLength: 10 }).map((lines) => `${HEADS}${lines.join("\n")}\n`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(mail, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        async (mails, size) => {
          const mbox = Buffer.concat(mails.map((one) => inMbox(Buffer.from(one))));
          expect((await inPieces(mbox, size)).map((one) => one.replace(/\n$/, ""))).toEqual(mails);
        },
      ),
    );
  });

  it("keeps no more of an email than will be read, and continues with the next", async () => {
    const endless = "x".repeat(3 * MAX_MAIL_BYTES);
    const mbox = Buffer.concat([inMbox(Buffer.from(`${HEADS}${endless}\n`)), inMbox(Buffer.from(`${HEADS}Next\n`))]);
    const [large, next] = await inPieces(mbox, 1_000_000);
    expect(large).toHaveLength(MAX_MAIL_BYTES + 1);
    expect(next).toBe(`${HEADS}Next\n\n`);
  });
});

describe("emails in files", () => {
  it("are one in a file that is not an mbox", async () => {
    const path = join(temporaryFolder(), "a.eml");
    writeFileSync(path, `${HEADS}Hello`);
    const mails = await Array.fromAsync(mailsIn(path));
    expect(mails.map(text)).toEqual([`${HEADS}Hello`]);
  });

  it("are the .eml files in a folder and its subfolders, in the order of their names", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "b"));
    for (const name of ["c.eml", "a.EML", "b/d.eml", "note.txt", ".hidden.eml"])
      writeFileSync(join(folder, name), name);
    const mails = await Array.fromAsync(mailsIn(folder));
    expect(mails.map(({ place }) => place)).toEqual(["a.EML", join("b", "d.eml"), "c.eml"]);
    expect(mails.map(text)).toEqual(["a.EML", "b/d.eml", "c.eml"]);
    expect(mails.at(-1)?.share).toBe(1);
  });

  it("are those in new and cur of a Maildir, not those being delivered", async () => {
    const folder = temporaryFolder();
    for (const name of ["cur", "new", "tmp"]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, `1.${name}:2,S`), name);
    }
    expect((await Array.fromAsync(mailsIn(folder))).map(text)).toEqual(["cur", "new"]);
  });

  it("are none in an empty file, folder or stream", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "empty"), "");
    for (const mails of [mailsIn(folder), mailsIn(join(folder, "empty")), mailsOf(Readable.from([]))]) {
      expect(await Array.fromAsync(mails)).toEqual([]);
    }
  });

  it("are refused if there is no such file, and one that can't be read does not affect others", async () => {
    const folder = temporaryFolder();
    await expect(Array.fromAsync(mailsIn(join(folder, "missing")))).rejects.toMatchObject({ code: "file_unreadable" });
    writeFileSync(join(folder, "a.eml"), "a");
    const closed = join(folder, "b.eml");
    writeFileSync(closed, "b");
    chmodSync(closed, 0);
    const mails = await Array.fromAsync(mailsIn(folder));
    expect(mails).toHaveLength(2);
    // Root can read everything.
    const expected = process.getuid?.() === 0 ? Buffer.from("b") : { code: "file_unreadable" };
    expect(mails[1]!.raw).toMatchObject(expected);
  });
});
