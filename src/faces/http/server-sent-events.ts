/** What streams of server-sent events have in common (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { IoError } from "../../errors.ts";
import { describeCause, type Logger } from "../../log.ts";

/** How long nothing is said before a comment shows that the connection lives, for proxies that close silent ones. Milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 15_000;

/** A comment, which clients skip. */
export const HEARTBEAT = ": still there\n\n";

/** A comment for the beginning: the headers go out with it, so that whoever connects knows at once. */
export const CONNECTED = ": connected\n\n";

export const tooManyStreams = (message: string): IoError =>
  new IoError(message, { code: "too_many_streams", retryAfterMs: 10_000 });

export const eventResponse = (body: ReadableStream<Uint8Array>): Response =>
  new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // nginx would hold events back until it has enough of them.
      "x-accel-buffering": "no",
    },
  });

/** Streams to those who follow runs, of which a service keeps so many open at a time. */
export class OpenStreams {
  readonly #most: number;
  readonly #logger: Logger;
  #open = 0;

  constructor(most: number, logger: Logger) {
    this.#most = most;
    this.#logger = logger;
  }

  /**
   * @param texts what goes over the stream; it ends with them
   * @throws IoError (`too_many_streams`)
   */
  respond(texts: AsyncIterable<string>): Response {
    if (this.#open >= this.#most) {
      throw tooManyStreams("Too many streams are open. Try again later, or ask for the list instead.");
    }
    return eventResponse(ReadableStream.from(this.#encoded(texts)));
  }

  async *#encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    this.#open += 1;
    try {
      for await (const text of texts) yield encoder.encode(text);
    } catch (error) {
      // Clients connect again by themselves, and go on after the last event that they have.
      this.#logger.warn({ cause: describeCause(error) }, "a stream of events was broken off");
    } finally {
      this.#open -= 1;
    }
  }
}
