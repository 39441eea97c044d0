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

/** A comment; clients ignore it. */
export const HEARTBEAT = ": still there\n\n";

/**
 * The comment that begins a stream. The headers are sent together with it, so the client knows at
 * once that it is connected.
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
  readonly #limit: number;
  readonly #logger: Logger;
  #open = 0;

  constructor(limit: number, logger: Logger) {
    this.#limit = limit;
    this.#logger = logger;
  }

  /**
   * Answers with a new stream.
   * @param texts the texts to send; after the last one, the stream ends
   * @throws IoError (`too_many_streams`)
   */
  respond(texts: AsyncIterable<string>): Response {
    if (this.#open >= this.#limit) {
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
      // The stream just ends: clients reconnect by themselves, and continue after their last event.
      this.#logger.warn({ cause: describeCause(error) }, "a stream of events failed");
    } finally {
      this.#open -= 1;
    }
  }
}
