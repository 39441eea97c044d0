import { expect } from "vitest";

/** Without notifications, a process polls every second and so notices a change after half a second on average. Milliseconds. */
const AVERAGE_MS = 500;

/**
 * Does something this many times, one after the other, and fails if that takes as long as with polling, when each time
 * waits for the next poll. With notifications, each time takes a few milliseconds, and on a very busy machine a tenth of
 * the polling time.
 */
export async function soonerThanByPolling(times: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const began = performance.now();
  for (let n = 0; n < times; n++) await work(n);
  expect(performance.now() - began).toBeLessThan(times * AVERAGE_MS);
}
