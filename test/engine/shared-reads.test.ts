import { describe, expect, it } from "vitest";
import { SharedReads } from "../../src/engine/restate/shared-reads.ts";

/** Reads that are answered one after the other, when the test says so. */
function reading() {
  const queries: { keys: readonly string[]; answer: (found: Record<string, number>) => void; fail: () => void }[] = [];
  const reads = new SharedReads<number>((keys) => {
    const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<string, number>>();
    const answer = (found: Record<string, number>): void => resolve(new Map(Object.entries(found)));
    queries.push({ keys, answer, fail: () => reject(new Error("away")) });
    return promise;
  });
  const query = async (at: number) => {
    await expect.poll(() => queries.length).toBeGreaterThan(at);
    return queries[at]!;
  };
  return { reads, queries, query };
}

describe("shared reads", () => {
  it("use one query for all keys that are requested while another query is in progress", async () => {
    const { reads, queries, query } = reading();
    const first = reads.get("a");
    const { keys, answer } = await query(0);
    expect(keys).toEqual(["a"]);
    const later = [reads.get("a"), reads.get("b"), reads.get("c")];
    answer({ a: 1 });
    expect(await first).toBe(1);
    const next = await query(1);
    expect(next.keys).toEqual(["a", "b", "c"]);
    next.answer({ a: 2, b: 3 });
    // A later caller gets nothing that was read before its request.
    expect(await Promise.all(later)).toEqual([2, 3, undefined]);
    expect(queries).toHaveLength(2);
  });

  it("fail for the callers that asked, and continue for the next ones", async () => {
    const { reads, query } = reading();
    const first = reads.get("a");
    const failing = await query(0);
    const second = reads.get("a");
    failing.fail();
    await expect(first).rejects.toThrow("away");
    (await query(1)).answer({ a: 1 });
    expect(await second).toBe(1);
  });
});
