/** Headers by name: a list repeats a header, null omits a default one. */
export type RawHeaders = Readonly<Record<string, string | readonly string[] | null>>;

let sent = 0;

/** An email as it comes over the wire; by default from Ada, with a new Message-ID. Each character is a byte. */
export function rawMail(headers: RawHeaders = {}, body = "I love the new search!"): Buffer {
  sent += 1;
  const all: RawHeaders = {
    From: "Ada Lovelace <ada@example.org>",
    To: "care@shop.example",
    Subject: "Product feedback",
    Date: "Sun, 22 Nov 2026 09:00:00 +0000",
    "Message-ID": `<mail-${sent}@mail.example.org>`,
    "MIME-Version": "1.0",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, values]) =>
    (values === null ? [] : [values].flat()).map((value) => `${name}: ${value}\r\n`),
  );
  return Buffer.from(`${lines.join("")}\r\n${body.replaceAll(/\r?\n/g, "\r\n")}\r\n`, "latin1");
}

/** The text in UTF-8, for `rawMail`. */
export const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

/** Joins parts, each with its headers, into the body of a multipart email. */
export const multipart = (boundary: string, ...parts: readonly string[]): string =>
  `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("")}--${boundary}--`;
