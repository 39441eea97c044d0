import type { NodemailerError } from "nodemailer";
import type SMTPPool from "nodemailer/lib/smtp-pool";
import { IoError } from "../../../errors.ts";
import type { MailMessage, MailTransport } from "../mail-transport.ts";
import { toMimeOptions } from "../mime-message.ts";
import { ConnectionLimit, ConnectionRefused } from "./connection-limit.ts";
import { isConnectionRefusal, toMailError } from "./smtp-errors.ts";
import type { SmtpServer } from "./smtp-url.ts";

const CONNECT_TIMEOUT_MS = 30_000;

// RFC 5321 section 4.5.3.2.6. If we gave up on a slow confirmation any sooner, we might send the
// email twice.
const SILENCE_TIMEOUT_MS = 600_000;

const MAX_CONNECTIONS = 5;

/**
 * Not nodemailer's four minutes: an idle connection may take the only place that the server has for
 * us and other senders.
 */
const IDLE_TIMEOUT_MS = 5000;

/**
 * Delivers emails to a mail server (RFC 5321) over a few connections that are kept open and reused:
 * at most five, or as many as its URL says, and fewer if the server refuses some of them. In that
 * case, emails wait for one another.
 */
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
    const { pool, limit } = await (this.#pool ??= openPool(this.#server));
    const attempt = async (): Promise<void> => {
      let connected = false;
      const mail = { ...(await toMimeOptions(message)), signal, onConnected: () => (connected = true) };
      try {
        await pool.sendMail(mail);
      } catch (error) {
        throw isConnectionRefusal(error as NodemailerError, connected)
          ? new ConnectionRefused("The connection was refused.", { cause: error })
          : error;
      }
    };
    const isAnswer = (error: unknown): boolean => (error as NodemailerError).responseCode !== undefined;
    try {
      await limit.send(attempt, isAnswer, signal);
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = thrown instanceof ConnectionRefused ? thrown.cause : thrown;
      const { host, port } = this.#server;
      const hide = { recipient: message.to, secrets: this.#secrets() };
      throw toMailError(error as NodemailerError, `${host}:${port}`, hide);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#pool)?.pool.close();
  }

  #secrets(): string[] {
    const { user, password } = this.#server.credentials ?? {};
    if (user === undefined || password === undefined) return [];
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    return [base64(`\0${user}\0${password}`), base64(password), password];
  }
}

// nodemailer is loaded with the first email, so programs that send none start without it.
async function openPool(server: SmtpServer) {
  const { createTransport } = await import("nodemailer");
  const most = server.connections ?? MAX_CONNECTIONS;
  const pool = createTransport({
    pool: true,
    maxConnections: most,
    idleTimeout: IDLE_TIMEOUT_MS,
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTls,
    auth: server.credentials && { user: server.credentials.user, pass: server.credentials.password },
    connectionTimeout: server.timeoutMs ?? CONNECT_TIMEOUT_MS,
    greetingTimeout: server.timeoutMs ?? CONNECT_TIMEOUT_MS,
    socketTimeout: server.timeoutMs ?? SILENCE_TIMEOUT_MS,
    // nodemailer retries on another connection only if no byte of the email was sent. Any further
    // retries are up to the caller.
    maxRequeues: 2,
  });
  // nodemailer reads the message once the connection is established. Its errors don't say whether
  // that happened.
  pool.use("stream", ({ data, message }, done) => {
    message.processFunc((stream) => {
      (data as { onConnected?: () => void }).onConnected?.();
      return stream;
    });
    done();
  });
  const { options } = pool.transporter as SMTPPool;
  // The pool reads this option whenever it could open a connection; open connections stay open.
  const limit = new ConnectionLimit(most, (connections) => (options.maxConnections = connections));
  return { pool, limit };
}
