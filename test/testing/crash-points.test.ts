import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { IoError, DurableEngine, OxigraphOntologyStore } from "../../src/index.ts";
import { readOrders, writeOrders } from "../../testing/crash/protocol.ts";
import { seededRandom } from "../../testing/crash/random.ts";
import { CrashPoints } from "../../testing/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serverUrl } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

/** Records the points instead of dying at them. */
class Noted extends CrashPoints {
  readonly reached: string[] = [];
  constructor() {
    super([]);
  }
  override reach(point: string): void {
    this.reached.push(point);
  }
}

describe("crash points", () => {
  it("are before a call and after its success, and change nothing else", async () => {
    const points = new Noted();
    const part = {
      name: "gateway",
      charge: async (amount: number) => {
        points.reached.push("charging");
        if (amount > 5) throw new Error("too much");
        return amount * 2;
      },
      refund: async () => "refunded",
    };
    const watched = points.around("payments", part, ["charge"]);
    expect(await watched.charge(4)).toBe(8);
    expect(points.reached.splice(0)).toEqual(["before:payments.charge", "charging", "after:payments.charge"]);
    await expect(watched.charge(6)).rejects.toThrow("too much");
    expect(points.reached.splice(0)).toEqual(["before:payments.charge", "charging"]);
    expect(watched.name).toBe("gateway");
    expect(await watched.refund()).toBe("refunded");
    expect(points.reached).toEqual([]);
  });

  it("also work for parts with private fields", async () => {
    const points = new Noted();
    const store = points.ontologyStore(await OxigraphOntologyStore.open({ path: ":memory:" }));
    await store.update("s", "INSERT DATA { <urn:a> <urn:b> <urn:c> }");
    expect(await store.query("s", "ASK { <urn:a> ?p ?o }")).toBe(true);
    expect(points.reached.splice(0)).toEqual(["before:graph.update", "after:graph.update"]);
    const quads = await store.match("s", {});
    await store.insert("t", quads);
    await store.change("s", { remove: [{}], insert: quads });
    await store.close();
    const around = (method: string) => [`before:graph.${method}`, `after:graph.${method}`];
    expect(points.reached).toEqual([...around("insert"), ...around("change")]);
  });

  describe.each<[string, boolean, (points: CrashPoints) => ReturnType<CrashPoints["postgresRunStore"]>]>([
    ["SQLite", true, async (points) => points.runStore(join(temporaryFolder(), "runs.sqlite"))],
    ["PostgreSQL", serverUrl !== undefined, async (points) => points.postgresRunStore(await newDatabase())],
  ])("on %s", (_, isThere, open) => {
    it.skipIf(!isThere)("are around everything that is written about a run, whatever its outcome", async () => {
      const points = new Noted();
      const retry = { attempts: 2, initialDelayMs: 1, maximumDelayMs: 1 };
      const engine = new DurableEngine({ store: await open(points), retry });
      const close = () => engine.close();
      onTestFinished(close);
      const gates = { cancelled: Promise.withResolvers<void>(), left: Promise.withResolvers<void>() };
      engine.register("ways", async (way, { step, decision }) => {
        if (way === "decided") await decision("subject");
        await step("gone", async () => {
          if (way === "failed") throw new IoError("away");
          if (way === "cancelled" || way === "left") await gates[way].promise;
        });
        await step("arrived", () => null);
        return null;
      });
      const start = async (way: string): Promise<string> =>
        (await engine.start("ways", { key: way, fingerprint: "f", input: way })).id;
      const atWork = (): Promise<void> =>
        new Promise((resolve) => {
          const end = engine.onStep(() => {
            end();
            resolve();
          });
        });

      const decided = await start("decided");
      await engine.wait(decided);
      await engine.decide(decided, "subject", true);
      await engine.wait(decided);

      const failed = await start("failed");
      await engine.wait(failed);
      await engine.retry(failed);
      await engine.wait(failed);

      const cancelling = atWork();
      const cancelled = await start("cancelled");
      await cancelling;
      await engine.cancel(cancelled);
      gates.cancelled.resolve();
      await engine.wait(cancelled);

      const leaving = atWork();
      await start("left");
      await leaving;
      const closed = engine.close();
      gates.left.resolve();
      await closed;

      const written = ["accept", "begin", "complete", "fail", "reschedule", "park", "end", "decide", "cancel"];
      const all = written.flatMap((what) => [`before:runs.${what}`, `after:runs.${what}`]);
      expect([...new Set(points.reached)].toSorted()).toEqual(
        [...all, "after:runs.claim", "after:runs.retry"].toSorted(),
      );
      const count = (point: string): number => points.reached.filter((reached) => reached === point).length;
      // Not if there was nothing to do.
      expect(count("after:runs.retry")).toBe(1);
      expect(count("after:runs.claim")).toBeLessThanOrEqual(8);
    });
  });

  it("know what was acknowledged before", () => {
    const points = new CrashPoints([
      "node",
      "script.ts",
      "own",
      ...writeOrders({ acknowledged: 7, worker: 0, workers: 1 }),
    ]);
    points.acknowledge();
    expect(points.acknowledged).toBe(8);
    expect(new CrashPoints([])).toMatchObject({ acknowledged: 0, worker: 0, workers: 1 });
  });

  it("get their orders with any name of a point and any arguments of the script", () => {
    const orders = fc.record({
      acknowledged: fc.nat(),
      worker: fc.nat(),
      workers: fc.nat(),
      point: fc.string({ minLength: 1 }).filter((s) => !/[\n\r\u2028\u2029]/.test(s)),
      nth: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(fc.string()), orders, (own, given) => {
        expect(readOrders([...own, ...writeOrders(given)])).toEqual(given);
      }),
    );
  });
});

describe("random numbers with a seed", () => {
  it("repeat, differ between seeds, and spread over [0, 1)", () => {
    const draw = (seed: number): number[] => Array.from({ length: 1000 }, seededRandom(seed));
    for (const seed of [0, 1, 2, -7, 2 ** 40]) {
      const numbers = draw(seed);
      expect(draw(seed)).toEqual(numbers);
      expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
      const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
      expect(mean).toBeCloseTo(0.5, 1);
    }
    expect(draw(1)[0]).not.toBeCloseTo(draw(2)[0]!, 3);
  });
});
