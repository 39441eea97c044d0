import { expect, test } from "vitest";
import { BoundedCache } from "../../src/concurrency/bounded-cache.ts";

test("a cache keeps the most recently used values, up to its limit", () => {
  const cache = new BoundedCache<string, { value: number }>(2);
  cache.set("a", { value: 1 });
  cache.set("b", { value: 2 });
  expect(cache.get("a")).toEqual({ value: 1 });
  cache.set("c", { value: 3 });
  expect(["a", "b", "c"].map((key) => cache.get(key)?.value)).toEqual([1, undefined, 3]);
  cache.set("a", { value: 4 });
  expect(["a", "c"].map((key) => cache.get(key)?.value)).toEqual([4, 3]);
  cache.delete("a");
  expect(cache.get("a")).toBeUndefined();
});
