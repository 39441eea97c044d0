/**
 * The common part of streams of server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
import { IoError } from "../../errors.ts";
import { describeCause, type Logger } from "../../log.ts";

/**
 * How long a stream may be silent before it sends a comment, because proxies close silent
 * connections. Milliseconds.
 */
export const HEARTBEAT_INTERVAL_MS = 15_000;

/** A comment, which clients ignore. */
export const HEARTBEAT = ": still there\n\n";

/**
 * The comment that begins a stream. With it, the headers are sent, so the client knows at once that
 * it is connected.
 */
export const CONNECTED = ": connected\n\n";

export const tooManyStreams = (message: string): IoError =>
  new IoError(message, { code: "too_many_streams", retryAfterMs: 10_000 });

export const eventResponse = (body: ReadableStream<Uint8Array>): Response =>
  new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // nginx would buffer events until it has enough of them.
      "x-accel-buffering": "no",
    },
  });

/** The open streams of a service, up to a limit. */
export class OpenStreams {
  readonly #most: number;
  readonly #logger: Logger;
  #open = 0;

  constructor(most: number, logger: Logger) {
    this.#most = most;
    this.#logger = logger;
  }

  /**
   * @param texts the texts to send; the stream ends with them
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
      // Clients reconnect automatically, and continue after the last event that they received.
      this.#logger.warn({ cause: describeCause(error) }, "a stream of events failed");
    } finally {
      this.#open -= 1;
    }
  }
}
