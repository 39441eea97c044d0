import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Change, OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { abi } from "../../../src/ontology/vocabulary.ts";
import { FeedbackGraph } from "../../../src/workflows/customer-feedback/feedback-graph.ts";

const CUSTOMER = "http://example.org/abi/Customer/C-1";
const CAP = { responses: 2, minutes: 60 };
const NOW = new Date("2026-05-05T12:00:00Z");

let store: OntologyStore;

beforeEach(async () => {
  store = await OxigraphOntologyStore.open({ path: ":memory:" });
  onTestFinished(() => store.close());
});

/**
 * The graph as another process uses it, on an endpoint with snapshot isolation: a change sees the data from when it began, and
 * writes only when `turn` resolves.
 */
function graphWithSnapshots(turn: (began: Promise<unknown>) => Promise<unknown>): FeedbackGraph {
  const change = async (name: string, { unless, insert = [], ...rest }: Change): Promise<void> => {
    if (!unless) return store.change(name, { ...rest, insert });
    const found = store.match(name, unless);
    await turn(found);
    if ((await found).length === 0) await store.insert(name, insert);
  };
  const match = store.match.bind(store);
  return new FeedbackGraph(Object.assign(Object.create(store) as OntologyStore, { match, change, isExclusive: false }));
}

const permitted = async (): Promise<number> =>
  (await store.match("feedback_data", { predicate: abi.permittedResponseTo })).length;

describe("the cap of emails for one customer", () => {
  const permit = (graph: FeedbackGraph, id: string, at = NOW): Promise<boolean> =>
    graph.permitResponse(id, CUSTOMER, CAP, at);

  it("is exact within a process, however many calls are made at once", async () => {
    const graph = new FeedbackGraph(store);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => permit(graph, `F-${n}`)));
    expect(answers.filter(Boolean)).toHaveLength(2);
    expect(await permitted()).toBe(2);
  });

  it("holds even if two processes both find the last place free", async () => {
    await permit(new FeedbackGraph(store), "F-1");
    const began: Promise<unknown>[] = [];
    const { promise: both, resolve } = Promise.withResolvers<void>();
    const turn = (one: Promise<unknown>): Promise<unknown> => {
      if (began.push(one) === 2) resolve();
      return both.then(() => Promise.all(began));
    };
    const answers = await Promise.all(["F-2", "F-3"].map((id) => permit(graphWithSnapshots(turn), id)));
    expect(answers.filter(Boolean).length).toBeLessThanOrEqual(1);
    expect(await permitted()).toBe(1 + answers.filter(Boolean).length);
  });

  it("holds even if the process with the earlier start and timestamp writes after the other has read", async () => {
    await permit(new FeedbackGraph(store), "F-1");
    const { promise: other, resolve } = Promise.withResolvers<void>();
    const slow = permit(
      graphWithSnapshots(async (began) => {
        await began;
        await other;
      }),
      "F-2",
    );
    expect(await permit(new FeedbackGraph(store), "F-3", new Date(NOW.getTime() + 1000))).toBe(true);
    resolve();
    expect(await slow).toBe(false);
    expect(await permitted()).toBe(2);
  });

  it("gives the same feedback the same answer again", async () => {
    const graph = new FeedbackGraph(store);
    const ids = ["F-1", "F-2", "F-3"];
    const ask = async (): Promise<boolean[]> => {
      const answers: boolean[] = [];
      for (const id of ids) answers.push(await permit(graph, id));
      return answers;
    };
    expect(await ask()).toEqual([true, true, false]);
    expect(await ask()).toEqual([true, true, false]);
  });

  it("does not count as reached because a change got lost", async () => {
    const match = store.match.bind(store);
    const lossy = Object.assign(Object.create(store) as OntologyStore, {
      match,
      change: async () => {},
      isExclusive: false,
    });
    const lost = () => permit(new FeedbackGraph(lossy), "F-3");
    await expect(lost()).rejects.toMatchObject({ type: "io_error" });
    await permit(new FeedbackGraph(store), "F-1");
    await expect(lost()).rejects.toMatchObject({ type: "io_error" });
    await permit(new FeedbackGraph(store), "F-2");
    expect(await lost()).toBe(false);
  });
});
