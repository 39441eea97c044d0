import type { NodemailerError } from "nodemailer";
import { IoError } from "../../errors.ts";
import type { MailMessage, MailTransport } from "./mail-transport.ts";
import { toMimeOptions } from "./mime-message.ts";
import { toMailError } from "./smtp-errors.ts";
import type { SmtpServer } from "./smtp-url.ts";

const CONNECT_TIMEOUT_MS = 30_000;

// RFC 5321 section 4.5.3.2.6: whoever gives up on a slow "taken" sooner sends the mail twice.
const SILENCE_TIMEOUT_MS = 600_000;

/** Hands mails to a mail server (RFC 5321), over at most five connections that are kept and used again. */
export class SmtpTransport implements MailTransport {
  readonly #server: SmtpServer;
  #pool: ReturnType<typeof openPool> | undefined;
  #closed = false;

  constructor(server: SmtpServer) {
    this.#server = server;
  }

  async send(message: MailMessage, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw new IoError("The connection to the mail server was closed.", { code: "mail_unavailable" });
    const pool = await (this.#pool ??= openPool(this.#server));
    try {
      await pool.sendMail({ ...toMimeOptions(message), signal });
    } catch (error) {
      signal?.throwIfAborted();
      const { host, port } = this.#server;
      throw toMailError(error as NodemailerError, `${host}:${port}`, [message.to, ...this.#secrets()]);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#pool)?.close();
  }

  #secrets(): string[] {
    const { user, password } = this.#server.credentials ?? {};
    if (user === undefined || password === undefined) return [];
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    return [base64(`\0${user}\0${password}`), base64(password), password];
  }
}

// nodemailer is loaded when the first mail goes out: programs that send none start without it.
async function openPool(server: SmtpServer) {
  const { createTransport } = await import("nodemailer");
  return createTransport({
    pool: true,
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTls,
    auth: server.credentials && { user: server.credentials.user, pass: server.credentials.password },
    connectionTimeout: server.timeoutMs ?? CONNECT_TIMEOUT_MS,
    greetingTimeout: server.timeoutMs ?? CONNECT_TIMEOUT_MS,
    socketTimeout: server.timeoutMs ?? SILENCE_TIMEOUT_MS,
    // Another connection for a mail of which not a byte was sent; beyond that, trying again is the caller's business.
    maxRequeues: 2,
  });
}
