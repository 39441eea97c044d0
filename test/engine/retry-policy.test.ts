import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IoError } from "../../src/errors.ts";
import { askedDelay, DEFAULT_RETRY_POLICY, retryDelay } from "../../src/engine/retry-policy.ts";

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

  it("tries once where one attempt is allowed, and adds up to a quarter of a minute by default", () => {
    expect(retryDelay({ ...policy, attempts: 1 }, 1)).toBeUndefined();
    const longest = [1, 2, 3, 4, 5].map((attempt) => retryDelay(DEFAULT_RETRY_POLICY, attempt, () => 1)!);
    expect(longest.reduce((sum, delay) => sum + delay)).toBe(15_500);
  });
});

describe("the delay that the other side asks for", () => {
  it("is at most an hour, and none where nothing was said", () => {
    const asked = (retryAfterMs?: number) =>
      askedDelay(new IoError("busy", retryAfterMs === undefined ? {} : { retryAfterMs }));
    expect([asked(), asked(60_000), asked(1e12), askedDelay(new Error("x"))]).toEqual([0, 60_000, 3_600_000, 0]);
  });
});
