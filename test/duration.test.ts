import { describe, expect, it } from "vitest";
import { DURATION, toMilliseconds } from "../src/duration.ts";

describe("a duration", () => {
  it.each([
    ["0", 0],
    ["30s", 30_000],
    ["15m", 900_000],
    ["1h", 3_600_000],
    ["2d", 172_800_000],
  ])("of %s has %d milliseconds", (text, milliseconds) => {
    expect(text).toMatch(DURATION);
    expect(toMilliseconds(text)).toBe(milliseconds);
  });

  it.each(["", "24", "1.5h", "-1h", "1 h", "1w", "h"])("can't be written as %j", (text) => {
    expect(text).not.toMatch(DURATION);
  });
});
