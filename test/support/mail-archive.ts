/** An archive of emails shaped like those in public archives, with the expected outcome of each. */
import { messageIdFor } from "../../src/integrations/email/message-id.ts";
import { multipart, rawMail, utf8, type RawHeaders } from "./raw-mail.ts";

export type Fate = "processing" | "recorded" | "ignored" | "needs_person" | "duplicate";

interface Shape {
  fate: Fate;
  headers?: RawHeaders;
  body?: string;
}

export const CUSTOMER_COUNT = 500;

/** The file of the customers who write the emails. */
export const archiveCustomers = (): string =>
  `id,name,email\n${Array.from({ length: CUSTOMER_COUNT }, (_, n) => `C-${n},Customer ${n},${addressOf(n)}\n`).join("")}`;

const addressOf = (n: number): string => `customer${n}@example.com`;

const base64 = (text: string): string =>
  (
    Buffer.from(text)
      .toString("base64")
      .match(/.{1,76}/g) ?? []
  ).join("\n");
const boundary = "=_frontier 42";
const MULTIPART = (kind: string) => ({ "Content-Type": `multipart/${kind}; boundary="${boundary}"` });

/** @param answered Message-ID of an email that we sent to the author of this one */
const SHAPES: readonly ((n: number, answered: string) => Shape)[] = [
  (n) => ({ fate: "processing", body: `The search is great, number ${n}.` }),
  (n) => ({
    fate: "processing",
    headers: { "Content-Type": "text/plain; charset=iso-8859-1", "Content-Transfer-Encoding": "quoted-printable" },
    body: `Ich bin sehr zufrieden, Gr=FC=DFe aus K=F6ln, =\nNummer ${n}.`,
  }),
  (n) => ({
    fate: "processing",
    headers: { "Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "base64" },
    body: base64(`I can't log in since Monday. Привет! ${n}`),
  }),
  (n) => ({
    fate: "processing",
    headers: MULTIPART("alternative"),
    body: multipart(
      boundary,
      `Content-Type: text/plain; charset=utf-8; format=flowed\n\nI was charged twice for order ${n}.`,
      "Content-Type: text/html\n\n<p>I was charged <b>twice</b>.</p>",
    ),
  }),
  (n) => ({
    fate: "processing",
    headers: { "Content-Type": "text/html; charset=utf-8" },
    body: utf8(`<html><body><p>The page is slow – very slow.</p><p>${n}</p></body></html>`),
  }),
  (n) => ({
    fate: "processing",
    headers: MULTIPART("mixed"),
    body: multipart(
      boundary,
      `Content-Type: multipart/related; boundary=inner\n\n${multipart("inner", `Content-Type: text/plain\n\nSee the picture ${n}.`, `Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n${base64("png")}`)}`,
      `Content-Type: application/pdf\nContent-Disposition: attachment; filename=bill.pdf\nContent-Transfer-Encoding: base64\n\n${base64("pdf".repeat(3000))}`,
    ),
  }),
  (n) => ({
    fate: "processing",
    headers: { "Content-Type": "text/plain; charset=koi8-r", Subject: "=?koi8-r?B?8NLJ18XU?=" },
    body: `\u00F0\u00D2\u00C9\u00D7\u00C5\u00D4 ${n}`,
  }),
  (n) => ({
    fate: "ignored",
    headers: { "List-Id": "<users.lists.example.org>", Precedence: "list" },
    body: `[users] ${n}`,
  }),
  (n) => ({
    fate: "ignored",
    headers: {
      From: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
      "Return-Path": "<>",
      "Content-Type": `multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    },
    body: multipart(
      boundary,
      "Content-Type: text/plain\n\nUser unknown",
      `Content-Type: message/delivery-status\n\nAction: failed\nX-N: ${n}`,
    ),
  }),
  (n) => ({ fate: "ignored", headers: { "Auto-Submitted": "auto-replied" }, body: `I am on holiday until day ${n}.` }),
  (n) => ({ fate: "needs_person", headers: { From: `Somebody <somebody${n}@example.net>` }, body: "Who am I?" }),
  (n) => ({
    fate: "duplicate",
    headers: { "Message-ID": `<archive-${n}@mail.example.com>` },
    body: `The search is great, number ${n}.`,
  }),
  (n) => ({ fate: "processing", headers: { "Message-ID": null }, body: `My mail program makes no ids, ${n}.` }),
  (n, answered) => ({
    fate: "recorded",
    headers: { "In-Reply-To": answered },
    body: `Thank you, that was great! ${n}`,
  }),
  (n, answered) => ({
    fate: "processing",
    headers: { References: `<other@example.com>\r\n ${answered}` },
    body: `This is a bug: the app crashes when I log in. ${n}\n\n> Thank you for your feedback.`,
  }),
  (n) => ({
    fate: "needs_person",
    headers: { From: "customer1@example.com, customer2@example.com" },
    body: `We both ${n}`,
  }),
  () => ({ fate: "needs_person", body: "" }),
  (n) => ({
    fate: "processing",
    body: `Hello,\n\nFrom my point of view it is good.\n>From the beginning it was.\n>>From here on too. ${n}\n\n-- \nMe`,
  }),
  () => ({ fate: "needs_person", headers: { "Content-Type": "application/ms-tnef; name=winmail.dat" }, body: "tnef" }),
  (n) => ({ fate: "ignored", headers: { From: "Customer Care <care@example.org>" }, body: `Our own ${n}` }),
];

/** Id of the feedback that must have been answered before the replies to it arrive. */
export const seedId = (customer: number): string => `F-seed-${customer}`;

/** `count` emails (a multiple of the number of shapes), each with its fate. */
export function* mailArchive(count: number): Generator<{ raw: Buffer; fate: Fate }> {
  for (let n = 0; n < count; n++) {
    const round = n - (n % SHAPES.length);
    const customer = (round / SHAPES.length) % CUSTOMER_COUNT;
    const answered = messageIdFor(seedId(customer), "example.org");
    const at = n % SHAPES.length;
    const { fate, headers = {}, body = "" } = SHAPES[at]!(at === 11 ? round : n, answered);
    const usual = {
      "Return-Path": `<${addressOf(customer)}>`,
      Received: ["from mx.example.org by email.shop.example with ESMTPS", `from client by mx.example.org; id ${n}`],
      From: `Customer <${at % 2 ? addressOf(customer) : addressOf(customer).toUpperCase()}>`,
      Subject: `Feedback ${at === 11 ? round : n}`,
      Date: "Sun, 22 Nov 2026 09:00:00 +0000",
      "Message-ID": `<archive-${n}@mail.example.com>`,
    };
    yield { raw: rawMail({ ...usual, ...headers }, body), fate };
  }
}

export function fates(count: number): Record<Fate, number> {
  const counts: Record<Fate, number> = { processing: 0, recorded: 0, ignored: 0, needs_person: 0, duplicate: 0 };
  for (const { fate } of mailArchive(count)) counts[fate] += 1;
  return counts;
}

/** The email as it is stored in an mbox (mboxrd). */
export const inMbox = (raw: Buffer): Buffer =>
  Buffer.from(
    `From somebody@example.com Sun Nov 22 09:00:00 2026\n${raw
      .toString("latin1")
      .replaceAll("\r\n", "\n")
      .replaceAll(/^>*From /gm, ">$&")}\n`,
    "latin1",
  );
