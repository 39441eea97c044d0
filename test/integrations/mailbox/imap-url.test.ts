import { describe, expect, it } from "vitest";
import { parseImapUrl } from "../../../src/integrations/mailbox/imap-url.ts";
import { MailboxWatcher } from "../../../src/integrations/mailbox/mailbox-watcher.ts";

describe("the URL of a mailbox", () => {
  it.each([
    [
      "imaps://care%40shop.example:s%2Fe%25@mx.example",
      {
        host: "mx.example",
        port: 993,
        secure: true,
        requireTls: false,
        user: "care@shop.example",
        password: "s/e%",
        folder: "INBOX",
      },
    ],
    ["imap://a:b@mx.example:1143/Feed%20back", { port: 1143, secure: false, requireTls: true, folder: "Feed back" }],
    ["imap://a:b@127.0.0.1/", { port: 143, requireTls: false, folder: "INBOX" }],
    ["imaps://a:b@[::1]/INBOX/Feedback", { host: "::1", folder: "INBOX/Feedback" }],
  ])("is read: %s", (url, expected) => {
    expect(parseImapUrl(url)).toMatchObject(expected);
  });

  it.each([
    ["https://a:secret@mx.example"],
    ["imaps://mx.example/INBOX"],
    ["imaps://a:@mx.example"],
    ["imaps://a:se?cret@mx.example"],
    ["imaps://a:secret@mx.example/INBOX?x=1"],
    ["imaps://a:se%cret@mx.example"],
    ["secret"],
  ])("is refused without being quoted: %s", (url) => {
    expect(() => parseImapUrl(url)).toThrow(/^(?!.*cret).*imaps:\/\/user:password@host\/INBOX/s);
  });

  it("is refused if processed emails would be delivered again", () => {
    const options = { url: "imaps://a:b@mx.example/INBOX", receive: async () => ({ status: "recorded" }) };
    expect(() => new MailboxWatcher({ ...options, doneFolder: "INBOX" })).toThrow("IMAP_DONE_FOLDER");
  });
});
