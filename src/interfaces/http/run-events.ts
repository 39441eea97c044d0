/**
 * The events of a run as server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isTerminal } from "../../engine/engine.ts";
import { ValidationError } from "../../errors.ts";
import { eventView } from "../../framework/run-operations.ts";
import type { Service } from "../../framework/service.ts";
import { CONNECTED, HEARTBEAT, HEARTBEAT_INTERVAL_MS } from "./server-sent-events.ts";

/** How often to look for changes by other processes that were not announced. Milliseconds. */
const POLL_INTERVAL_MS = 1000;

/**
 * Parses the id of the last event that a client has received; -1 if there is none.
 * @throws ValidationError (`bad_request`)
 */
export function lastEventId(text: string | undefined): number {
  if (text === undefined || text.trim() === "") return -1;
  if (!/^\s*(?:-1|\d{1,15})\s*$/.test(text)) {
    throw new ValidationError("The id of the last event must be a whole number.", { code: "bad_request" });
  }
  return Number(text);
}

/**
 * The text of a stream with the events of a run, up to the run's end; undefined if the run has
 * ended and the client has all events.
 * @param after id of the last event that the client has; -1 for none
 * @throws ValidationError (`unknown_run`), IoError
 */
export async function followRun(
  service: Service,
  workflowId: string,
  after: number,
  signal: AbortSignal,
): Promise<AsyncGenerator<string> | undefined> {
  const { run } = await service.run(workflowId);
  if (isTerminal(run.status) && (await service.engine.events(run.id, after)).length === 0) return undefined;
  return follow(service, run.id, after, signal);
}

/** The text of the stream, until the run or the signal ends it. */
async function* follow(service: Service, id: string, after: number, signal: AbortSignal): AsyncGenerator<string> {
  let known = after;
  let lastSentAt = performance.now();
  yield CONNECTED;
  const news = newsOf(service, id, signal);
  try {
    while (!signal.aborted) {
      // In this order: if the run has ended, the events that are read afterwards include its end.
      const { run } = await service.run(id);
      const events = (await service.engine.events(id, known)).map(eventView);
      for (const event of events) {
        known = event.id;
        yield `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
      }
      if (isTerminal(run.status)) return;
      if (events.length > 0) lastSentAt = performance.now();
      else if (performance.now() - lastSentAt > HEARTBEAT_INTERVAL_MS) {
        lastSentAt = performance.now();
        yield HEARTBEAT;
      }
      await news.next();
    }
  } finally {
    news.close();
  }
}

/** Waits between two reads: until the run has changed, or for a second. */
function newsOf({ engine }: Service, id: string, signal: AbortSignal) {
  let wake = (): void => {};
  let isNew = false;
  const stop = engine.onChange((changed) => {
    if (changed !== undefined && changed !== id) return;
    isNew = true;
    wake();
  });
  return {
    next: async (): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (isNew) resolve();
      const over = new AbortController();
      const either = AbortSignal.any([signal, over.signal]);
      await Promise.race([promise, sleep(POLL_INTERVAL_MS, undefined, { signal: either, ref: false })]).catch(() => {});
      isNew = false;
      over.abort();
    },
    close: stop,
  };
}
