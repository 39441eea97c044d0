import { Socket } from "node:net";
import { Client, Pool, types, type ClientConfig, type QueryResultRow } from "pg";
import { IoError, isAbiError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { settlesWithin } from "../../concurrency/settles-within.ts";
import {
  isProtocolViolation,
  isUnanswered,
  lacksTls,
  openingError,
  otherTarget,
  READ_ONLY,
  TRANSACTION_POOLING,
} from "./errors.ts";
import { FACTS, parseUrl, startOptions, type Address, type SessionFacts } from "./session.ts";

/**
 * Per process, besides one that listens and one that renews leases. By default, a server allows a
 * hundred for all processes.
 */
const MAX_CONNECTIONS = 4;
/** A statement without an answer for this long has lost its network. Milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;
/** For statements whose duration grows with the number of runs. The longest possible timer. */
export const NO_TIMEOUT = 2 ** 31 - 1;
/** How long detecting a pooler may take. Milliseconds. */
const SECOND_SESSION_MS = 5000;
/** Closing must not wait forever for a server that is gone. Milliseconds. */
const CLOSE_TIMEOUT_MS = 3000;
const KEEP_ALIVE_MS = 60_000;

const INT8: number = types.builtins.INT8;

/** In the driver's format. */
export interface Statement {
  /** A statement with a name is prepared once per connection. */
  readonly name?: string;
  readonly text: string;
  /** Milliseconds; default 30 seconds. */
  readonly query_timeout?: number;
}

/** One of the ways to connect. If it doesn't work, `nextWay` names another. */
interface Way {
  readonly hostIndex: number;
  readonly withTls: boolean;
  /** Some poolers reject start options. */
  readonly withStartOptions: boolean;
}

/**
 * Connections to a PostgreSQL database, with sessions set up as we need them: a small shared pool,
 * one connection for urgent statements, and dedicated ones. Idle connections don't keep the process
 * alive.
 */
export class PostgresConnections {
  readonly #address: Address;
  readonly #way: Way;
  readonly #pool: Pool;
  /** One extra connection for statements that must not wait for others. */
  readonly #urgent: Pool;
  /**
   * The sockets of all connections, even those still connecting. The driver can only end
   * connections gracefully; to break one, we need its socket.
   */
  readonly #sockets = new Set<Socket>();
  readonly #underWay = new Set<Promise<unknown>>();
  /** The index of the host to try next. */
  #hostIndex: number;
  #isClosed = false;

  private constructor(address: Address, way: Way) {
    this.#address = address;
    this.#way = way;
    this.#hostIndex = way.hostIndex;
    this.#pool = this.#newPool(MAX_CONNECTIONS);
    this.#urgent = this.#newPool(1);
  }

  #newPool(max: number): Pool {
    const newClient = (): Client => this.#newClient();
    const pool = new Pool({
      // The pool calls it with `new`, which returns what the function returns.
      Client: function SharedClient() {
        return newClient();
      } as unknown as new () => Client,
      onConnect: (client) => this.#setUp(client as Client) as unknown as void, // the pool awaits it
      max,
      connectionTimeoutMillis: this.#patienceMs,
      idleTimeoutMillis: 0,
      allowExitOnIdle: true,
    });
    pool.on("error", () => {});
    return pool;
  }

  /**
   * Opens a database and checks that we can work with it.
   * @param options `worker`: whether the process executes runs, and so must be able to write
   * @throws ValidationError for an invalid database URL, IoError (`engine_unavailable`)
   */
  static async open(url: string, options: { worker: boolean; logger: Logger }): Promise<PostgresConnections> {
    const address = parseUrl(url);
    const way = { hostIndex: 0, withTls: address.ssl !== false, withStartOptions: true };
    return PostgresConnections.#openWith(address, way, options);
  }

  static async #openWith(
    address: Address,
    way: Way,
    options: { worker: boolean; logger: Logger },
  ): Promise<PostgresConnections> {
    const connections = new PostgresConnections(address, way);
    try {
      const facts = await connections.#checkPooling();
      if (options.worker && facts.isReadOnly) throw new IoError(READ_ONLY, { code: "engine_unavailable" });
      warnAbout(facts, options.logger);
      return connections;
    } catch (cause) {
      await connections.close();
      const next = nextWay(address, way, cause);
      if (!next) throw connections.openingError(cause);
      return PostgresConnections.#openWith(address, next, options);
    }
  }

  get #patienceMs(): number {
    return this.#address.connectTimeoutS * 1000;
  }

  /** Why the database can't be opened, with advice. */
  openingError(cause: unknown): Error {
    return isAbiError(cause) ? cause : openingError(cause, this.#address.given, this.#address.connectTimeoutS);
  }

  /**
   * Checks that a session always has the same server process. Behind a pooler in transaction mode,
   * two sessions may share a process, or a session may get another one.
   */
  async #checkPooling(): Promise<SessionFacts> {
    const [facts] = await this.query<SessionFacts>(FACTS);
    const second = this.#newClient(Math.min(SECOND_SESSION_MS, this.#patienceMs));
    try {
      await second.connect();
      const { rows: other } = await second.query<SessionFacts>(FACTS);
      const [again] = await this.query<SessionFacts>(FACTS);
      if (other[0]!.pid === facts!.pid || again!.pid !== facts!.pid) {
        throw new IoError(TRANSACTION_POOLING, { code: "engine_unavailable" });
      }
    } catch (error) {
      // The server may have no connection left for the check. Open the database anyway.
      if (isAbiError(error)) throw error;
    } finally {
      await settlesWithin(second.end(), CLOSE_TIMEOUT_MS);
    }
    return facts!;
  }

  /** Runs a statement on a connection of the shared pool. */
  readonly query = <Row extends QueryResultRow>(
    statement: Statement | string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> => this.#queryOn(this.#pool, statement, values);

  /**
   * The same on the connection for urgent statements, so that it never waits for one from the pool.
   */
  async queryAtOnce(statement: Statement, values: readonly unknown[]): Promise<void> {
    await this.#queryOn(this.#urgent, statement, values);
  }

  async #queryOn<Row extends QueryResultRow>(
    pool: Pool,
    statement: Statement | string,
    values: readonly unknown[],
  ): Promise<Row[]> {
    const work = pool.query<Row>({
      ...(typeof statement === "string" ? { text: statement } : statement),
      values: [...values],
    });
    this.#underWay.add(work);
    try {
      return (await work).rows;
    } catch (error) {
      // The other statements would wait just as long, so break their connections as well.
      if (isUnanswered(error)) this.#breakAll();
      throw error;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** A dedicated connection. The caller ends it. */
  async openSession(): Promise<Client> {
    const client = this.#newClient();
    try {
      await client.connect();
      await this.#setUp(client);
      return client;
    } catch (error) {
      await settlesWithin(client.end(), CLOSE_TIMEOUT_MS);
      throw error;
    }
  }

  /** Statements that are still running after three seconds fail. */
  async close(): Promise<void> {
    await this.#settled();
    this.#isClosed = true;
    if (this.#underWay.size > 0) {
      // The pool never answers callers that still wait for a connection, so give them broken ones.
      this.#breakAll();
      await this.#settled();
    }
    const ends = [this.#pool, this.#urgent].filter(({ ending }) => !ending).map((pool) => pool.end());
    await settlesWithin(Promise.all(ends), CLOSE_TIMEOUT_MS);
    this.#breakAll();
  }

  #settled(): Promise<boolean> {
    return settlesWithin(Promise.allSettled(this.#underWay), CLOSE_TIMEOUT_MS);
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #newClient(patienceMs = this.#patienceMs): Client {
    const { hosts, database, user, password, applicationName, ssl, negotiatesTlsDirectly } = this.#address;
    const hostIndex = this.#hostIndex;
    const { host, port } = hosts[hostIndex % hosts.length]!;
    let isUsable = false;
    const onClose = (): void => {
      if (!isUsable && this.#hostIndex === hostIndex) this.#hostIndex += 1;
    };
    const tls = !this.#way.withTls ? false : ssl === "if_offered" ? { rejectUnauthorized: false } : ssl;
    const config: ClientConfig = {
      host,
      port,
      database,
      user,
      password,
      ssl: tls,
      ...(tls && negotiatesTlsDirectly ? { sslnegotiation: "direct" } : {}),
      application_name: applicationName,
      fallback_application_name: "abi-workflows",
      options: this.#way.withStartOptions ? startOptions(this.#address) : undefined,
      connectionTimeoutMillis: patienceMs,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      stream: () => this.#newSocket().once("close", onClose),
      types: {
        getTypeParser: ((oid: number, format?: "text") =>
          oid === INT8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
      },
    };
    const client = new Client(config);
    client.once("connect", () => (isUsable = true));
    // Without a listener, a broken connection would end the process. Its statements fail anyway.
    client.on("error", () => (isUsable = false));
    return client;
  }

  #newSocket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#isClosed) setImmediate(() => socket.destroy(new Error("the connections are closed")));
    return socket;
  }

  /** Repeats the settings, because a pooler may have dropped the start options. */
  async #setUp(client: Client): Promise<void> {
    const { settings, matchesTarget } = this.#address;
    await client.query({
      text: "SELECT pg_catalog.set_config(key, value, false) FROM pg_catalog.json_each_text($1)",
      values: [JSON.stringify(settings)],
    });
    if (!matchesTarget) return;
    const { rows } = await client.query<SessionFacts>(FACTS);
    if (matchesTarget(rows[0]!)) return;
    this.#hostIndex += 1;
    throw otherTarget();
  }
}

/** What to try instead, if there is anything. */
function nextWay({ hosts, ssl }: Address, way: Way, cause: unknown): Way | undefined {
  if (way.withStartOptions && isProtocolViolation(cause)) return { ...way, withStartOptions: false };
  if (way.withTls && ssl === "if_offered" && lacksTls(cause)) return { ...way, withTls: false };
  const hostIndex = way.hostIndex + 1;
  return hostIndex < hosts.length ? { ...way, hostIndex } : undefined;
}

function warnAbout({ encoding, synchronousCommit }: SessionFacts, logger: Logger): void {
  if (encoding !== "UTF8") {
    logger.warn(
      { encoding },
      "the encoding of the workflow database lacks most characters, and runs that need them fail: create a database with ENCODING 'UTF8'",
    );
  }
  if (synchronousCommit === "off") {
    logger.warn(
      "synchronous_commit is off by default in the workflow database: what was accepted just before its server crashes may be lost",
    );
  }
}
