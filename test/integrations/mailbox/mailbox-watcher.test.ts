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

/** Asks again until it is so: other processes do the work. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

const retry = { initialDelayMs: 10, maximumDelayMs: 50 };

/** A watcher and what it has received; closed when the test ends. */
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

/** An IMAP server that lets everybody in and has a mail, and is silent when it is asked which. Gives its port. */
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

it("is closed although its server says nothing any more", async () => {
  const asked = Promise.withResolvers<void>();
  const port = await startSilentServer(asked.resolve);
  const url = `imap://u:p@127.0.0.1:${port}/INBOX`;
  const watcher = new MailboxWatcher({ url, receive: async () => ({ status: "recorded" }) });
  await watcher.start();
  await asked.promise;
  // It must not wait for the socket's own time-out, which is minutes.
  expect(await watcher.close()).toBeUndefined();
}, 60_000);

describe.skipIf(!canRunDovecot)("a mailbox on a real server", () => {
  it("gives what is there and what comes, and marks it", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    const { watcher, received } = watch(mailbox);
    await watcher.start();
    await mailbox.append(mail("two"));
    await until(async () => (await mailbox.flags()).filter((flags) => flags.includes(TAKEN_KEYWORD)).length === 2);
    expect(received).toEqual(["one", "two"]);
    // To people it is as unread as before.
    expect(await mailbox.flags()).toEqual([[TAKEN_KEYWORD], [TAKEN_KEYWORD]]);
  });

  it("gives nothing again that is marked, and starts with what came meanwhile", async () => {
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

  it("moves them to a folder that it makes, where one is set", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    const { watcher } = watch(mailbox, { doneFolder: "Taken" });
    await watcher.start();
    await until(async () => (await mailbox.subjects()).length === 0);
    expect(await mailbox.subjects("Taken")).toEqual(["one"]);
  });

  it("flags what needs a person, and what is no mail", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    await mailbox.append(mail("two"));
    const { watcher } = watch(mailbox, {
      receive: async (raw) => {
        if ((await readMail(raw)).subject === "one") return { status: "needs_person" };
        throw new ValidationError("This is not a mail.", { code: "not_a_mail" });
      },
    });
    await watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 4);
    const flagged = [String.raw`\Flagged`, TAKEN_KEYWORD].toSorted();
    expect(await mailbox.flags()).toEqual([flagged, flagged]);
  });

  it("marks nothing before it is taken in, and tries again where that fails for now", async () => {
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

  it("lets no mail that breaks something keep the others", async () => {
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
    // Flagged for a person, and not tried again.
    expect(await mailbox.flags()).toEqual([[String.raw`\Flagged`, TAKEN_KEYWORD].toSorted(), [TAKEN_KEYWORD]]);
  });

  it("lets none that can't be taken in for now keep the others, and tries it again", async () => {
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

  it("connects again when the server comes back", async () => {
    const mailbox = await startDovecot();
    const { watcher, received } = watch(mailbox);
    await watcher.start();
    await mailbox.stop();
    await mailbox.start();
    await mailbox.append(mail("after"));
    await until(async () => (await mailbox.flags()).flat().length === 1);
    expect(received).toEqual(["after"]);
  });

  it("starts where the server can't be reached, and is there when it can", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(mail("one"));
    await mailbox.stop();
    const { watcher, received } = watch(mailbox);
    await watcher.start();
    await mailbox.start();
    await until(async () => (await mailbox.flags()).flat().length === 1);
    expect(received).toEqual(["one"]);
  });

  it("refuses to start with a wrong password, or for a folder that is not there", async () => {
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
    // This machine, by a name that is not known to be.
    const watcher = new MailboxWatcher({
      url: `imap://a:secret@0.0.0.0:${port}/`,
      receive: async () => ({ status: "" }),
      retry,
    });
    onTestFinished(() => watcher.close());
    await watcher.start();
    expect(said.join("")).not.toContain("secret");
  });

  it("is closed in the middle of much mail, and goes on with the rest", async () => {
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
    await until(async () => (await mailbox.flags()).flat().length === 5);
    await first.watcher.close();
    expect(first.received).toHaveLength(5);
    const second = watch(mailbox);
    await second.watcher.start();
    await until(async () => (await mailbox.flags()).flat().length === 20);
    expect([...first.received, ...second.received]).toEqual(subjects);
  });
});

describe.skipIf(!canRunDovecot)("a worker with a mailbox", () => {
  it("loses no mail and answers none twice, killed with -9 over and over", async () => {
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
    await until(async () => (await marked()) === count);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0 });
    // What was started and not finished goes on with the next worker.
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

  it("takes it in over TLS, and refuses to start with a password that is wrong", async () => {
    const mailbox = await startDovecot();
    await mailbox.append(rawMail());
    const cwd = temporaryFolder();
    const authority = join(cwd, "authority.pem");
    writeFileSync(authority, localhostCertificate.cert);
    const env = { IMAP_URL: mailbox.secureUrl(), NODE_EXTRA_CA_CERTS: authority };
    const worker = new RunningCommand(["worker"], { cwd, env });
    await until(async () => (await mailbox.flags()).flat().length === 2);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0, stdout: expect.stringContaining("mails are processed") });
    expect((await call(["held-mails"], { cwd })).stdout).toContain("unknown_sender");
    const wrong = { IMAP_URL: mailbox.url().replace(/:[^:@]*@/, ":wr0ng-pass@") };
    const refused = await call(["worker"], { cwd, env: wrong });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("refuses user or password") });
    expect(refused.stderr).not.toContain("wr0ng");
  });
});
