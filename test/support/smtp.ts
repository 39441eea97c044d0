import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { simpleParser, type ParsedMail } from "mailparser";
import { localhostCertificate } from "./localhost-certificate.ts";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";

/** An email as it arrived. */
export interface ReceivedMail {
  envelope: { from: string; to: string[] };
  /** The message as it went over the wire. */
  raw: string;
  parsed: ParsedMail;
  secure: boolean;
  user?: string;
}

/** When in a session a scripted answer is given. `data`: after the whole email has arrived; `accepted`: after it was stored. */
export type Stage = "connect" | "auth" | "mail" | "rcpt" | "data" | "accepted";

/**
 * What the server does instead of accepting: it answers with a code, drops the connection, or first waits for a promise
 * (which the test may leave pending forever) before it accepts or answers with a code.
 */
export type Answer =
  | { code: number; text?: string; after?: Promise<unknown> }
  | { drop: true }
  | { after: Promise<unknown> };

export interface SmtpOptions {
  /** TLS from the first byte, with `localhostCertificate`, which clients don't trust by default. */
  secure?: boolean;
  /** Offer STARTTLS; default: no. */
  startTls?: boolean;
  /** Require this login. */
  login?: { user: string; password: string };
  /** Default: a free one. */
  port?: number;
  /** Serve at most this many connections (emails if `turnAway` is `mail`) at a time, and turn the others away. */
  connectionLimit?: number;
  /**
   * How the others are turned away: `greeting` (421, the default), `mail` (451 4.3.2 to MAIL FROM), `later` (421 to RCPT
   * TO), `drop` (without an answer).
   */
  turnAway?: "greeting" | "mail" | "later" | "drop";
}

/** A real mail server on a free local port. It keeps the emails that it receives. Close it at the end. */
export class SmtpTestServer implements AsyncDisposable {
  readonly mails: ReceivedMail[] = [];
  /** How many connections were made so far. */
  connections = 0;
  /** How many of them were turned away because of `connectionLimit`. */
  turnedAway = 0;
  /** While true, the server greylists: it defers every recipient (451 4.7.1). */
  greylists = false;
  readonly #served = new Set<string>();
  readonly #answers = new Map<Stage, Answer[]>();
  readonly #sockets = new Map<number, Socket>();
  readonly #waiting: { stage: Stage; resolve: () => void }[] = [];
  readonly #options: SmtpOptions;
  readonly #server: SMTPServer;

  constructor(options: SmtpOptions) {
    this.#options = options;
    this.#server = new SMTPServer(this.#serverOptions());
    this.#server.on("error", () => {});
    this.#server.server.on("connection", () => {
      this.connections += 1;
    });
    // Never remember the plain socket under a TLS one: Node.js crashes if it is destroyed during a handshake.
    this.#server.server.on(options.secure === true ? "secureConnection" : "connection", (socket: Socket) => {
      this.#remember(socket, socket.remotePort);
    });
  }

  async listen(): Promise<this> {
    await once(this.#server.listen(this.#options.port ?? 0, "127.0.0.1"), "listening");
    return this;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** URL for `createMailTransport`, with the login if there is one. */
  url(parameters = ""): string {
    const { login, secure } = this.#options;
    const user = login === undefined ? "" : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`;
    return `${secure === true ? "smtps" : "smtp"}://${user}127.0.0.1:${this.port}${parameters}`;
  }

  /** Gives these answers at this stage, one each time, before it accepts again. */
  script(stage: Stage, ...answers: Answer[]): void {
    this.#answers.set(stage, [...(this.#answers.get(stage) ?? []), ...answers]);
  }

  /** Resolves the next time a session reaches this stage, before the server answers. */
  reached(stage: Stage): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ stage, resolve });
    return promise;
  }

  /** Drops every connection, like a server that restarts. */
  dropConnections(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  async close(): Promise<void> {
    this.dropConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serverOptions(): SMTPServerOptions {
    const { login, secure = false, startTls = false } = this.#options;
    const hidden = [...(startTls ? [] : ["STARTTLS"]), ...(login === undefined ? ["AUTH"] : [])];
    return {
      ...localhostCertificate,
      secure,
      disabledCommands: hidden,
      authOptional: login === undefined,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 1,
      onSecure: (socket, session, done) => {
        this.#remember(socket, session.remotePort);
        done();
      },
      onConnect: (session, done) => {
        const turnAway = this.#options.turnAway === "mail" ? undefined : this.#place(session);
        if (turnAway === "greeting") done(withCode(421, "4.7.0 Too many concurrent connections, try again later"));
        else if (turnAway === "drop") this.#sockets.get(session.remotePort)?.destroy();
        else this.#answer("connect", session, done);
      },
      onClose: ({ id }) => void this.#served.delete(id),
      onAuth: ({ username, password }, session, done) => {
        const right = username === login?.user && password === login?.password;
        this.#answer("auth", session, (error) => {
          if (error) return done(error);
          return right ? done(null, { user: username }) : done(withCode(535, "5.7.8 login refused"));
        });
      },
      onMailFrom: (_address, session, done) => {
        if (this.#options.turnAway === "mail" && this.#place(session))
          done(withCode(451, "4.3.2 System not accepting network messages"));
        else this.#answer("mail", session, done);
      },
      onRcptTo: (_address, session, done) => {
        if (this.#options.turnAway === "later" && !this.#served.has(session.id))
          done(withCode(421, "4.3.2 Too many sessions, closing"));
        else if (this.greylists) done(withCode(451, "4.7.1 Greylisted, please try again in 300 seconds"));
        else this.#answer("rcpt", session, done);
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.once("end", () =>
          this.#answer("data", session, (error) => {
            if (this.#options.turnAway === "mail") this.#served.delete(session.id);
            if (error) done(error);
            else this.#keep(Buffer.concat(chunks), session, done);
          }),
        );
      },
    };
  }

  /** Admits a session if the limit allows it; otherwise returns how to turn it away. */
  #place({ id }: SMTPServerSession): SmtpOptions["turnAway"] {
    const { connectionLimit = Infinity, turnAway = "greeting" } = this.#options;
    if (this.#served.size < connectionLimit) {
      this.#served.add(id);
      return undefined;
    }
    this.turnedAway += 1;
    return turnAway;
  }

  #remember(socket: Socket, port = 0): void {
    this.#sockets.set(port, socket);
    socket.once("close", () => this.#sockets.delete(port));
  }

  #keep(raw: Buffer, session: SMTPServerSession, done: (error?: Error | null) => void): void {
    const { mailFrom, rcptTo } = session.envelope;
    const secure = session.secure;
    simpleParser(raw, (error: unknown, parsed) => {
      this.mails.push({
        envelope: { from: mailFrom === false ? "" : mailFrom.address, to: rcptTo.map(({ address }) => address) },
        raw: raw.toString("latin1"),
        parsed,
        secure,
        ...(session.user !== undefined && { user: session.user }),
      });
      if (error instanceof Error) done(error);
      else this.#answer("accepted", session, done);
    });
  }

  #answer(stage: Stage, session: SMTPServerSession, answered: (error?: Error | null) => void): void {
    const index = this.#waiting.findIndex((waiting) => waiting.stage === stage);
    if (index !== -1) this.#waiting.splice(index, 1)[0]?.resolve();
    const answer = this.#answers.get(stage)?.shift();
    if (answer === undefined) answered();
    else if ("code" in answer) {
      void afterwards(answer.after, () => answered(withCode(answer.code, answer.text ?? "scripted answer")));
    } else if ("drop" in answer) this.#sockets.get(session.remotePort)?.destroy();
    else void afterwards(answer.after, answered);
  }
}

async function afterwards(delay: Promise<unknown> | undefined, continued: () => void): Promise<void> {
  await delay;
  continued();
}

const withCode = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode });

export const startSmtpServer = (options: SmtpOptions = {}): Promise<SmtpTestServer> =>
  new SmtpTestServer(options).listen();
