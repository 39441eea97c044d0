import { expect } from "vitest";

/** Who hears of nothing looks again every second, so learns of something after half a second on the average. Milliseconds. */
const AVERAGE_MS = 500;

/**
 * Does something so many times, one after the other, and fails where that took as long as it does for who hears of nothing: there
 * each waits for its next look. Who does hear needs a few milliseconds for each, and on a very busy machine a tenth of that time.
 */
export async function soonerThanByPolling(times: number, work: (n: number) => Promise<unknown>): Promise<void> {
  const began = performance.now();
  for (let n = 0; n < times; n++) await work(n);
  expect(performance.now() - began).toBeLessThan(times * AVERAGE_MS);
}
