import { setTimeout } from "node:timers/promises";

/**
 * How many emails in a row must succeed before one more connection is tried. A server that has just
 * refused a connection rarely accepts more a moment later.
 */
const MAILS_BEFORE_GROWTH = 100;
/**
 * An email that is refused more often than this while others are accepted has a problem of its own.
 */
const MAX_REFUSALS = 10;
/**
 * A server that has accepted an email within this time counts as working even if it refuses a
 * connection: it may not have noticed yet that our last one is closed.
 */
const RECENTLY_MS = 10_000;
const INITIAL_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

/**
 * The server can't be reached or refuses a connection for now, and has accepted no part of the
 * email. The `cause` is the error of the attempt.
 */
export class ConnectionRefused extends Error {}

interface Turn {
  readonly begin: () => void;
  /** Only for an email that was refused: makes it fail with that refusal. */
  readonly giveUp?: () => void;
}

/**
 * Finds out, from the refused connections, how many connections a mail server allows at a time, and
 * sends no more emails at once than that. An email whose connection was refused waits as long as
 * the server accepts other emails of ours. It fails if the server accepts none, or after eleven
 * refusals.
 */
export class ConnectionLimit {
  readonly #most: number;
  readonly #onChange: (limit: number) => void;
  #limit: number;
  #active = 0;
  readonly #queue: Turn[] = [];
  #servedInARow = 0;
  #servedAt = -Infinity;

  /** @param most maximum number of connections; at least 1 */
  constructor(most: number, onChange: (limit: number) => void) {
    this.#most = most;
    this.#limit = most;
    this.#onChange = onChange;
  }

  /**
   * Makes an attempt when it is the email's turn. An attempt that rejects with `ConnectionRefused`
   * while other emails are accepted is repeated.
   * @param isAnswer whether an error other than `ConnectionRefused` is the server's answer to the
   *   email
   * @throws the last attempt's error, or the signal's reason
   */
  async send(
    attempt: () => Promise<unknown>,
    isAnswer: (error: unknown) => boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#turn(signal);
    for (let refusals = 1; ; refusals++) {
      try {
        await attempt();
        this.#served();
        return this.#leave();
      } catch (error) {
        const isRefused = error instanceof ConnectionRefused;
        if (!isRefused && isAnswer(error)) this.#served();
        if (isRefused && !this.#isServing()) this.#failRefused();
        if (!isRefused || refusals > MAX_REFUSALS || !this.#isServing()) {
          this.#leave();
          throw error;
        }
        if (this.#active > 1) await this.#nextTurn(error, signal);
        else await this.#pause(refusals, signal);
      }
    }
  }

  /** Whether the server accepts emails other than the one that it has just refused. */
  #isServing(): boolean {
    return this.#active > 1 || performance.now() - this.#servedAt < RECENTLY_MS;
  }

  /**
   * The server accepts nothing, so the number of connections is not the problem: refused emails
   * fail.
   */
  #failRefused(): void {
    this.#change(this.#most);
    for (const { giveUp } of this.#queue.filter((turn) => turn.giveUp)) giveUp?.();
  }

  #nextTurn(refusal: ConnectionRefused, signal: AbortSignal | undefined): Promise<void> {
    this.#active -= 1;
    this.#change(Math.min(this.#limit, this.#active));
    return this.#turn(signal, refusal);
  }

  /** @param refusal set for a refused email, which comes before those not tried yet */
  #turn(signal: AbortSignal | undefined, refusal?: ConnectionRefused): Promise<void> {
    // An aborted signal fires no event.
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (reason: unknown): void => {
      this.#queue.splice(this.#queue.indexOf(turn), 1);
      signal?.removeEventListener("abort", onAbort);
      reject(reason);
    };
    const onAbort = (): void => fail(signal?.reason);
    const begin = (): void => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    };
    const turn: Turn = refusal ? { begin, giveUp: () => fail(refusal) } : { begin };
    if (refusal) this.#queue.unshift(turn);
    else this.#queue.push(turn);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#admit();
    return promise;
  }

  #admit(): void {
    while (this.#active < this.#limit && this.#queue.length > 0) {
      this.#active += 1;
      this.#queue.shift()?.begin();
    }
  }

  async #pause(refusals: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      const delay = Math.min(INITIAL_PAUSE_MS * 2 ** (refusals - 1), MAX_PAUSE_MS);
      await setTimeout(delay, undefined, signal ? { signal } : {});
    } catch {
      this.#leave();
      throw signal?.reason;
    }
  }

  #leave(): void {
    this.#active -= 1;
    this.#admit();
  }

  #served(): void {
    this.#servedAt = performance.now();
    this.#servedInARow += 1;
    if (this.#servedInARow >= MAILS_BEFORE_GROWTH && this.#limit < this.#most) this.#change(this.#limit + 1);
  }

  #change(limit: number): void {
    this.#servedInARow = 0;
    if (limit === this.#limit) return;
    this.#limit = limit;
    this.#onChange(limit);
  }
}
