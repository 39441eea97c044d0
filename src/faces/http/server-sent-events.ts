/** What streams of server-sent events have in common (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import { IoError } from "../../errors.ts";

/** How long nothing is said before a comment shows that the connection lives, for proxies that close silent ones. Milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 15_000;

/** A comment, which clients skip. */
export const HEARTBEAT = ": still there\n\n";

export const tooManyStreams = (message: string): IoError =>
  new IoError(message, { code: "too_many_streams", retryAfterMs: 10_000 });

export const eventResponse = (body: ReadableStream<Uint8Array>): Response =>
  new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
