import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { IoError, ValidationError } from "../../../src/errors.ts";
import { readMail } from "../../../src/integrations/mailbox/incoming-mail.ts";
import {
  MailboxWatcher,
  TAKEN_KEYWORD,
  type MailboxWatcherOptions,
} from "../../../src/integrations/mailbox/mailbox-watcher.ts";
import { call, RunningCommand } from "../../cli/command-process.ts";
import { canRunDovecot, startDovecot, type TestMailbox } from "../../support/dovecot.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { localhostCertificate } from "../../support/localhost-certificate.ts";
import { rawMail } from "../../support/raw-mail.ts";

/** Polls until the condition holds, because other processes do the work. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

const retry = { initialDelayMs: 10, maximumDelayMs: 50 };

/** A watcher and the emails it has received; closed when the test ends. */
function watch(mailbox: TestMailbox, options: Partial<MailboxWatcherOptions> = {}) {
  const received: string[] = [];
  const receive = async (raw: Uint8Array) => {
    const outcome = await options.receive?.(raw);
    received.push((await readMail(raw)).subject);
    return outcome ?? { status: "processing" };
  };
  const watcher = new MailboxWatcher({ url: mailbox.url(), retry, ...options, receive });
  onTestFinished(() => watcher.close());
  return { watcher, received };
}

const mail = (subject: string): Buffer => rawMail({ Subject: subject });

/**
 * An IMAP server that accepts every login and has an email, but stays silent when it is asked which.
 * Returns its port.
 */
async function startSilentServer(asked: () => void): Promise<number> {
  const answers: Record<string, string> = {
    SELECT: "* FLAGS ()\r\n* OK [PERMANENTFLAGS (\\*)] ok\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n",
    LIST: '* LIST () "/" INBOX\r\n',
    CAPABILITY: "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n",
  };
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n");
    socket.on("data", (data) => {
      for (const line of data.toString().split("\r\n").filter(Boolean)) {
        const [tag, command = ""] = line.toUpperCase().split(" ");
        if (command === "UID" || command === "SEARCH") return asked();
        socket.write(`${answers[command] ?? ""}${tag} OK ${command === "SELECT" ? "[READ-WRITE] " : ""}done\r\n`);
      }
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

it("can be closed although its server has become silent", async () => {
  const asked = Promise.withResolvers<void>();
  const port = await startSilentServer(asked.resolve);
  const url = `imap://u:p@127.0.0.1:${port}/INBOX`;
  const watcher = new MailboxWatcher({ url, receive: async () => ({ status: "recorded" }) });
  await watcher.start();
  await asked.promise;
  // Closing must not wait for the socket's own time-out, which is minutes.
  expect(await watcher.close()).toBeUndefined();
}, 60_000);

describe.skipIf(!canRunDovecot)("a mailbox on a real server", () => {
  it("delivers existing and new emails, and marks them", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    const { watcher, received } = watch(mailbox);
    await watcher.start();
    await mailbox.append(mail("two"));
    await until(async () => (await mailbox.flags()).filter((flags) => flags.includes(TAKEN_KEYWORD)).length === 2);
    expect(received).toEqual(["one", "two"]);
    // For people, it is still unread.
    expect(await mailbox.flags()).toEqual([[TAKEN_KEYWORD], [TAKEN_KEYWORD]]);
  });

  it("delivers no marked email again, and starts with those that arrived in the meantime", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    const first = watch(mailbox);
    await first.watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 1);
    await first.watcher.close();
    await mailbox.append(mail("two"));
    const second = watch(mailbox);
    await second.watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 2);
    expect([first.received, second.received]).toEqual([["one"], ["two"]]);
  });

  it("moves emails to a configured folder, which it creates", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    const { watcher } = watch(mailbox, { doneFolder: "Taken" });
    await watcher.start();
    await until(async () => (await mailbox.subjects()).length === 0);
    expect(await mailbox.subjects("Taken")).toEqual(["one"]);
  });

  it("flags emails that need a person, and messages that are not emails", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    await mailbox.append(mail("two"));
    const { watcher } = watch(mailbox, {
      receive: async (raw) => {
        if ((await readMail(raw)).subject === "one") return { status: "needs_person" };
        throw new ValidationError("This is not an email.", { code: "not_a_mail" });
      },
    });
    await watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 4);
    const flagged = [String.raw`\Flagged`, TAKEN_KEYWORD].toSorted();
    expect(await mailbox.flags()).toEqual([flagged, flagged]);
  });

  it("marks no email before it is accepted, and retries temporary failures", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    let failures = 3;
    const { watcher, received } = watch(mailbox, {
      receive: async () => {
        expect(await mailbox.flags()).toEqual([[]]);
        if (failures-- > 0) throw new IoError("The graph is away.");
        return { status: "recorded" };
      },
    });
    await watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 1);
    expect({ failures, received }).toEqual({ failures: -1, received: ["one"] });
  });

  it("does not let an email that breaks something block the others", async () => {
    const mailbox = await startDovecot();
    for (const subject of ["bad", "good"]) await mailbox.append(mail(subject));
    const { watcher, received } = watch(mailbox, {
      receive: async (raw) => {
        if ((await readMail(raw)).subject === "bad") throw new TypeError("a fault of ours");
        return { status: "recorded" };
      },
    });
    await watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 3);
    expect(received).toEqual(["good"]);
    // Flagged for a person, and not retried.
    expect(await mailbox.flags()).toEqual([[String.raw`\Flagged`, TAKEN_KEYWORD].toSorted(), [TAKEN_KEYWORD]]);
  });

  it("does not let an email that can't be accepted for now block the others, and retries it", async () => {
    const mailbox = await startDovecot();
    for (const subject of ["poison", "one", "two"]) await mailbox.append(mail(subject));
    let refusals = 0;
    const receive = async (raw: Uint8Array) => {
      const { subject } = await readMail(raw);
      if (subject === "poison" && ++refusals < 3) throw new IoError("The source answers 500 about this one.");
      return { status: "processing" };
    };
    const { watcher, received } = watch(mailbox, { receive });
    await watcher.start();
    await until(async () => (await mailbox.flags()).filter((flags) => flags.includes(TAKEN_KEYWORD)).length === 3);
    expect(received).toEqual(["one", "two", "poison"]);
  });

  it("lets no number of such emails block the others, or each other", async () => {
    const mailbox = await startDovecot();
    const poison = Array.from({ length: 12 }, (_, n) => `poison ${n + 1}`);
    for (const subject of [...poison, "good"]) await mailbox.append(mail(subject));
    const { watcher, received } = watch(mailbox, {
      receive: async (raw) => {
        const { subject } = await readMail(raw);
        const isCured = subject === "poison 12" && received.includes("good");
        if (subject.startsWith("poison") && !isCured) throw new IoError("The source answers 500 about this one.");
        return { status: "processing" };
      },
    });
    await watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 2);
    expect(received).toEqual(["good", "poison 12"]);
  });

  it("reconnects when the server comes back", async () => {
    const mailbox = await startDovecot();
    const { watcher, received } = watch(mailbox);
    await watcher.start();
    await mailbox.stop();
    await mailbox.start();
    await mailbox.append(mail("after"));
    await until(async () => (await mailbox.flags()).flat().length === 1);
    expect(received).toEqual(["after"]);
  });

  it("starts even if the server can't be reached, and connects once it can", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    await mailbox.stop();
    const { watcher, received } = watch(mailbox);
    await watcher.start();
    await mailbox.start();
    await until(async () => (await mailbox.flags()).flat().length === 1);
    expect(received).toEqual(["one"]);
  });

  it("refuses to start with a wrong password or for a missing folder", async () => {
    const mailbox = await startDovecot();
    const refused = { code: "invalid_configuration" };
    const wrong = mailbox.url().replace(/:[^:@]*@/, ":wrong@");
    await expect(watch(mailbox, { url: wrong }).watcher.start()).rejects.toMatchObject(refused);
    await expect(watch(mailbox, { url: mailbox.url("Nowhere") }).watcher.start()).rejects.toMatchObject(refused);
  });

  it("does not log in without TLS on another machine", async () => {
    const plain = createServer((socket) => {
      socket.write("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n");
      socket.on("error", () => {});
      socket.on("data", (data) => {
        said.push(data.toString());
        const [, tag] = /^(\S+)/.exec(data.toString()) ?? [];
        socket.write(`${tag} BAD no\r\n`);
      });
    });
    const said: string[] = [];
    await once(plain.listen(0, "0.0.0.0"), "listening");
    onTestFinished(() => void plain.close());
    const { port } = plain.address() as { port: number };
    // This machine, under a name that is not known to be local.
    const watcher = new MailboxWatcher({
      url: `imap://a:secret@0.0.0.0:${port}/`,
      receive: async () => ({ status: "" }),
      retry,
    });
    onTestFinished(() => watcher.close());
    await watcher.start();
    expect(said.join("")).not.toContain("secret");
  });

  it("can be closed in the middle of many emails, and continues with the rest", async () => {
    const mailbox = await startDovecot();
    const subjects = Array.from({ length: 20 }, (_, n) => String(n));
    for (const subject of subjects) await mailbox.append(mail(subject));
    const first = watch(mailbox, {
      receive: async () => {
        if (first.received.length === 4) void first.watcher.close();
        return { status: "recorded" };
      },
    });
    await first.watcher.start();
    await until(async () => (await mailbox.flags()).filter((flags) => flags.length > 0).length === 5);
    await first.watcher.close();
    expect(first.received).toHaveLength(5);
    const second = watch(mailbox);
    await second.watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 20);
    await expect.poll(() => [...first.received, ...second.received]).toEqual(subjects);
  });
});

describe.skipIf(!canRunDovecot)("a worker with a mailbox", () => {
  it("loses no email and answers none twice when killed with -9 over and over", async () => {
    const mailbox = await startDovecot();
    const cwd = temporaryFolder();
    const count = 15;
    const rows = Array.from({ length: count }, (_, n) => `C-${n},c${n}@example.org`);
    writeFileSync(join(cwd, "customers.csv"), `id,email\n${rows.join("\n")}\n`);
    await call(["import-customers", "customers.csv"], { cwd });
    for (let n = 0; n < count; n++) {
      await mailbox.append(rawMail({ From: `c${n}@example.org` }, "I love the new search!"));
    }
    const env = { IMAP_URL: mailbox.url() };
    const marked = async (): Promise<number> => (await mailbox.flags()).flat().length;
    for (const goal of [1, 4, 8]) {
      const worker = new RunningCommand(["worker"], { cwd, env });
      await until(async () => (await marked()) >= goal);
      worker.kill("SIGKILL");
      await worker.ended;
    }
    const worker = new RunningCommand(["worker"], { cwd, env });
    // Nothing may be left to mark, so wait until the worker listens for the signal.
    await worker.lines(1);
    await until(async () => (await marked()) === count);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0 });
    // The next worker continues what was started and not finished.
    const rest = new RunningCommand(["worker"], { cwd });
    await until(async () => {
      const { stdout } = await call(["status", "--json", "--limit", "100"], { cwd });
      return (JSON.parse(stdout) as { status: string }[]).every(({ status }) => status === "completed");
    });
    rest.kill("SIGTERM");
    await rest.ended;
    const { stdout } = await call(
      ["query", "SELECT ?c (COUNT(?f) AS ?n) { ?f abi:providedBy ?c ; abi:responseSent true } GROUP BY ?c", "--json"],
      { cwd },
    );
    expect(stdout.match(/Customer\/C-\d+/g)).toHaveLength(count);
    expect(stdout).not.toMatch(/"(?:[2-9]|\d\d)"/);
  });

  it("accepts emails over TLS, and refuses to start with a wrong password", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(rawMail());
    const cwd = temporaryFolder();
    const authority = join(cwd, "authority.pem");
    writeFileSync(authority, localhostCertificate.cert);
    const env = { IMAP_URL: mailbox.secureUrl(), NODE_EXTRA_CA_CERTS: authority };
    const worker = new RunningCommand(["worker"], { cwd, env });
    await until(async () => (await mailbox.flags()).flat().length === 2);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0, stdout: expect.stringContaining("emails are processed") });
    expect((await call(["held-mails"], { cwd })).stdout).toContain("unknown_sender");
    const wrong = { IMAP_URL: mailbox.url().replace(/:[^:@]*@/, ":wr0ng-pass@") };
    const refused = await call(["worker"], { cwd, env: wrong });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("refuses the user or the password") });
    expect(refused.stderr).not.toContain("wr0ng");
  });
});
