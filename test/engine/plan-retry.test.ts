import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IoError } from "../../src/errors.ts";
import { askedDelay, planRetry, retryDelay } from "../../src/engine/plan-retry.ts";
import { DEFAULT_RETRY_POLICY } from "../../src/retry-policies.ts";

describe("the delay before a retry", () => {
  const policy = { attempts: 8, initialDelayMs: 100, maximumDelayMs: 1000 };

  it("doubles from the initial delay to the maximum, and ends with the attempts", () => {
    const delays = Array.from({ length: 8 }, (_, n) => retryDelay(policy, n + 1, () => 1));
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000, 1000, undefined]);
  });

  it("is half fixed and half random", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const longest = retryDelay(policy, attempt, () => 1)!;
        expect(retryDelay(policy, attempt, () => random)).toBe(Math.round(longest / 2 + (random * longest) / 2));
      }),
    );
    expect(new Set(Array.from({ length: 20 }, () => retryDelay(policy, 5))).size).toBeGreaterThan(1);
  });

  it("is absent if only one attempt is allowed, and adds up to a quarter of a minute by default", () => {
    expect(retryDelay({ ...policy, attempts: 1 }, 1)).toBeUndefined();
    const longest = [1, 2, 3, 4, 5].map((attempt) => retryDelay(DEFAULT_RETRY_POLICY, attempt, () => 1)!);
    expect(longest.reduce((sum, delay) => sum + delay)).toBe(15_500);
  });
});

describe("the delay that the other side asks for", () => {
  it("is at most an hour, and zero if the other side asked for none", () => {
    const asked = (retryAfterMs?: number) =>
      askedDelay(new IoError("busy", retryAfterMs === undefined ? {} : { retryAfterMs }));
    expect([asked(), asked(60_000), asked(1e12), askedDelay(new Error("x"))]).toEqual([0, 60_000, 3_600_000, 0]);
  });
});

describe("a retry on a budget", () => {
  const MINUTE = 60_000;
  const DAY = 1440 * MINUTE;
  const budget = { forMs: DAY, maximumDelayMs: 15 * MINUTE };
  const start = Date.parse("2026-05-05T20:00:00Z");
  const away = new IoError("away");

  /**
   * Failures at their planned times, until the step has failed permanently; `shift` is added to the
   * clock.
   */
  function failures({ error = away, shift = (_attempt: number): number => 0 } = {}) {
    const times: Date[] = [];
    let now = start;
    for (let attempt = 1; attempt < 10_000; attempt++) {
      times.push(new Date(now + shift(attempt)));
      const next = planRetry(DEFAULT_RETRY_POLICY, error, { attempt, budget, failures: times }, () => 1);
      if (!next) return { now, times, attempt };
      now += next.delayMs;
    }
    throw new Error("never ends");
  }

  it("follows the ordinary attempts, doubles up to its maximum, and ends when its time has passed", () => {
    const { times } = failures();
    const pauses = times.slice(1).map((time, at) => time.getTime() - times[at]!.getTime());
    expect(pauses.slice(0, 13).map((pause) => pause / 1000)).toEqual([
      0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900,
    ]);
    expect(Math.max(...pauses)).toBe(15 * MINUTE);
    expect(times.at(-1)!.getTime() - start).toBe(DAY);
    expect(times.length).toBeLessThan(120);
  });

  it("is visible to callers, with its end, only once the ordinary attempts are used up", () => {
    const at = (attempt: number, minutes: number[]) =>
      planRetry(DEFAULT_RETRY_POLICY, away, {
        attempt,
        budget,
        failures: minutes.map((minute) => new Date(start + minute * MINUTE)),
      });
    expect(at(5, [0])?.until).toBeUndefined();
    expect(at(6, [0, 1])?.until).toEqual(new Date(start + DAY));
    // Attempts that take long, such as those that time out, don't keep a caller waiting either.
    expect(at(3, [0, 0.5, 1])?.until).toEqual(new Date(start + DAY));
  });

  it("waits as long as the other side asks for, but does not keep callers waiting", () => {
    const busy = new IoError("busy", { retryAfterMs: 5 * MINUTE });
    const next = planRetry(DEFAULT_RETRY_POLICY, busy, { attempt: 1, budget, failures: [new Date(start)] }, () => 1);
    expect(next).toEqual({ delayMs: 5 * MINUTE + 500, until: new Date(start + DAY) });
    expect(failures({ error: busy }).now - start).toBe(DAY);
  });

  it.each([2 * DAY, 20_000 * DAY, -2 * DAY, -20_000 * DAY])(
    "does not end early if the clock is changed by %i ms in the meantime",
    (jump) => {
      const { now } = failures({ shift: (attempt) => (attempt > 20 ? jump : 0) });
      expect(now - start).toBeGreaterThanOrEqual(0.75 * DAY);
      expect(now - start).toBeLessThanOrEqual(1.02 * DAY);
    },
  );

  it("adds nothing to the ordinary attempts if it is zero, and never shortens them", () => {
    const last = (forMs: number, attempt: number) =>
      planRetry(DEFAULT_RETRY_POLICY, away, {
        attempt,
        budget: { ...budget, forMs },
        failures: [new Date(start), new Date(start + MINUTE)],
      });
    expect(last(0, 6)).toBeUndefined();
    expect(last(0, 1)?.until).toBeUndefined();
    expect(last(1, 1)?.delayMs).toBeGreaterThan(0);
  });
});
