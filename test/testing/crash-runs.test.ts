import { describe, expect, it } from "vitest";
import { isClean, runUndisturbed, runWithKills, tally, type Kill } from "../../testing/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serve } from "../support/http.ts";

const script = new URL("orders-process.ts", import.meta.url);
const ORDERS = Array.from({ length: 40 }, (_, n) => `order-${n}`);

async function trial(care: string, kills: number, workers = 1) {
  const models = await serve({ status: 204 });
  const undisturbed = await runUndisturbed({ script, args: [temporaryFolder(), models.origin, care], workers });
  const server = await serve({ status: 204 });
  const told: Kill[] = [];
  const made = await runWithKills({
    script,
    args: [temporaryFolder(), server.origin, care],
    workers,
    undisturbed,
    kills,
    seed: 5,
    onKill: (kill) => told.push(kill),
  });
  const received = server.requests.map(({ body }) => {
    const { order, key } = JSON.parse(body) as { order: string; key: string };
    return { key: order, identity: key };
  });
  return { undisturbed, kills: made, told, received };
}

describe("a run with kills", () => {
  it("dies at every named point and at random moments, and completes all work", async () => {
    const { undisturbed, kills, told, received } = await trial("careful", 20);
    expect(undisturbed.size).toBeGreaterThan(20 / 2);
    expect(undisturbed.get("before:payments.charge")).toBe(40);
    expect(undisturbed.get("after:payments.charge")).toBe(40);
    expect(told).toEqual(kills);
    const named = new Set(kills.filter(({ how }) => how === "point").map(({ point }) => point));
    expect([...named].sort()).toEqual([...undisturbed.keys()].sort());
    expect(kills.some(({ how }) => how === "random")).toBe(true);
    // Any number of repetitions with the same key is for the receiver to recognize; none may have a
    // different key.
    const windows = new Map(ORDERS.map((order) => [order, kills.length]));
    expect(tally({ name: "charges", expected: ORDERS, received, windows })).toSatisfy(isClean);
  });

  it("kills one of several workers at a time, and lets each continue where it was", async () => {
    const { undisturbed, kills, received } = await trial("careful", 12, 2);
    expect(undisturbed.get("after:payments.charge")).toBe(40);
    expect(kills).toHaveLength(12);
    expect(new Set(kills.map(({ worker }) => worker))).toEqual(new Set([0, 1]));
    const windows = new Map(ORDERS.map((order) => [order, kills.length]));
    expect(tally({ name: "charges", expected: ORDERS, received, windows })).toSatisfy(isClean);
  });

  it("passes a kill that came too late for a finished worker to another", async () => {
    // The first kill is planned for the first worker, which has nothing to do.
    const { kills } = await trial("lopsided", 1, 2);
    expect(kills.map(({ worker }) => worker)).toEqual([1]);
  });

  // As many kills as it takes to die at every point, because the fault is visible only if the
  // process dies between charge and record.
  it("reveals a workflow that creates a new key for every attempt", async () => {
    const { received } = await trial("careless", 28);
    const { twice } = tally({ name: "charges", expected: ORDERS, received });
    expect(twice).not.toEqual([]);
  });

  it("reveals a promise that was made before the work was durable", async () => {
    const { received } = await trial("forgetful", 26);
    const { lost } = tally({ name: "charges", expected: ORDERS, received });
    expect(lost).not.toEqual([]);
  });

  it.each([1, 2])(
    "reports the output of a process that failed without being killed, and ends the others (%i)",
    async (workers) => {
      // A process that continued would wait for an answer forever.
      const server = await serve(() => {});
      const args = [temporaryFolder(), server.origin, "broken"];
      await expect(runUndisturbed({ script, args, workers })).rejects.toThrow(/ended with exit code 1.*out of order/s);
    },
  );
});
