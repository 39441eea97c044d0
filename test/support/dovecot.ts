// Dovecot, a real IMAP server, run without privileges on free ports, with all its files in one folder.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";
import { ImapFlow } from "imapflow";
import { onTestFinished } from "vitest";
import { localhostCertificate } from "./localhost-certificate.ts";
import { freePort } from "./free-port.ts";

const program = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot"].find((path) => existsSync(path));

/** False if Dovecot is not installed. The tests that need it are then skipped, with a message. */
export const canRunDovecot = program !== undefined;
if (!canRunDovecot) process.stderr.write("Skipped: Dovecot, an IMAP server, is not installed.\n");

const isRoot = process.getuid?.() === 0;
const id = (option: string): string => spawnSync("id", [option, "nobody"], { encoding: "utf8" }).stdout.trim();
/** Dovecot doesn't let root read mail. */
const user = isRoot
  ? { name: "nobody", group: id("-gn"), uid: Number(id("-u")), gid: Number(id("-g")) }
  : { name: userInfo().username, group: String(userInfo().gid), uid: userInfo().uid, gid: userInfo().gid };

const LOGIN = { user: "care@shop.example", pass: "se/c@r%t" };

/** A mailbox as another mail program sees it. */
export interface TestMailbox {
  /** URL of a folder, for `MailboxWatcher`. */
  url(folder?: string): string;
  secureUrl(): string;
  port: number;
  /** Delivers an email. */
  append(raw: Uint8Array, folder?: string): Promise<void>;
  /** Flags of all emails in a folder, in order. */
  flags(folder?: string): Promise<string[][]>;
  /** Subjects of all emails in a folder, in order. */
  subjects(folder?: string): Promise<string[]>;
  /** Stops the server at once. It keeps its mail. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

function configuration(folder: string, port: number, securePort: number): string {
  return `
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = ${user.name}
default_internal_group = ${user.group}
default_login_user = ${user.name}
disable_plaintext_auth = no
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
first_valid_uid = 1
mail_location = maildir:${folder}/mail
passdb {
  driver = passwd-file
  args = scheme=plain username_format=%u ${folder}/users
}
userdb {
  driver = static
  args = uid=${user.uid} gid=${user.gid} home=${folder}/mail
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${securePort}
    ssl = yes
  }
}
`;
}

/** Whether a server sends a greeting on this port. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    return await Promise.race([once(socket, "data").then(() => true), once(socket, "close").then(() => false)]);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Starts a server with one empty mailbox. Both are removed after the test. */
export async function startDovecot(): Promise<TestMailbox> {
  // Not in the test's temporary folder: paths of sockets must be short.
  const folder = mkdtempSync("/tmp/abi-dovecot-");
  const [port, securePort] = [await freePort(), await freePort()];
  chmodSync(folder, 0o755);
  for (const name of ["run", "mail"]) mkdirSync(join(folder, name));
  const files = {
    users: `${LOGIN.user}:{plain}${LOGIN.pass}\n`,
    "cert.pem": localhostCertificate.cert,
    "key.pem": localhostCertificate.key,
    "dovecot.conf": configuration(folder, port, securePort),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  for (const name of ["", "run", "mail", ...Object.keys(files)]) chownSync(join(folder, name), user.uid, user.gid);

  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const identity = isRoot ? { uid: user.uid, gid: user.gid } : {};
    const child = spawn(program!, ["-F", "-c", join(folder, "dovecot.conf")], {
      ...identity,
      detached: true,
      stdio: "ignore",
    });
    server = child;
    while (!(await answers(port))) {
      if (child.exitCode === null && child.signalCode === null) continue;
      throw new Error(`Dovecot did not start: ${readFileSync(join(folder, "log"), "utf8")}`);
    }
  };
  const stop = async (): Promise<void> => {
    const child = server;
    server = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    // Kills its process group, which includes all processes that it has started.
    process.kill(-child.pid, "SIGKILL");
    await ended;
  };
  const withClient = async <Result>(work: (client: ImapFlow) => Promise<Result>): Promise<Result> => {
    const local = { host: "127.0.0.1", port, secure: false, doSTARTTLS: false };
    const client = new ImapFlow({ ...local, auth: LOGIN, logger: false });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.logout();
    }
  };
  const read = (folder: string) =>
    withClient(async (client) => {
      const { exists } = await client.mailboxOpen(folder);
      return exists === 0 ? [] : client.fetchAll("1:*", { flags: true, envelope: true });
    });

  await start();
  onTestFinished(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const credentials = `${encodeURIComponent(LOGIN.user)}:${encodeURIComponent(LOGIN.pass)}`;
  return {
    port,
    url: (inbox = "INBOX") => `imap://${credentials}@127.0.0.1:${port}/${encodeURIComponent(inbox)}`,
    secureUrl: () => `imaps://${credentials}@localhost:${securePort}/INBOX`,
    append: (raw, inbox = "INBOX") => withClient(async (client) => void (await client.append(inbox, Buffer.from(raw)))),
    flags: async (inbox = "INBOX") =>
      (await read(inbox)).map(({ flags }) =>
        [...(flags ?? [])].filter((flag) => flag !== String.raw`\Recent`).toSorted(),
      ),
    subjects: async (inbox = "INBOX") => (await read(inbox)).map(({ envelope }) => envelope?.subject ?? ""),
    stop,
    start,
  };
}
