import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Bindings, OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { construct } from "../../../src/ontology/queries.ts";
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
 * A graph through which a writer sees what was there when its update began, and writes when `turn` comes: as endpoints under
 * snapshot isolation let it happen.
 */
function graphWithSnapshots(turn: (began: Promise<unknown>) => Promise<unknown>): FeedbackGraph {
  const update = async (name: string, sparql: string, bindings: Bindings = {}): Promise<void> => {
    if (!sparql.includes("INSERT {")) return store.update(name, sparql, bindings);
    const found = construct(store, name, sparql.replace("INSERT {", "CONSTRUCT {"), bindings);
    await turn(found);
    await store.insert(name, await found);
  };
  return new FeedbackGraph(
    Object.assign(Object.create(store) as OntologyStore, { query: store.query.bind(store), update }),
  );
}

const permitted = async (): Promise<number> =>
  new Set(
    (
      await construct(store, "feedback_data", "CONSTRUCT WHERE { ?c <http://example.org/abi#permittedResponseTo> ?f }")
    ).map(({ object }) => object.value),
  ).size;

describe("the cap of mails for one customer", () => {
  const permit = (graph: FeedbackGraph, id: string, at = NOW): Promise<boolean> =>
    graph.permitResponse(id, CUSTOMER, CAP, at);

  it("is exact where updates are done one at a time, however many ask at once", async () => {
    const graph = new FeedbackGraph(store);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => permit(graph, `F-${n}`)));
    expect(answers.filter(Boolean)).toHaveLength(2);
    expect(await permitted()).toBe(2);
  });

  it("is kept where two updates both find the last place free", async () => {
    await permit(new FeedbackGraph(store), "F-1");
    const began: Promise<unknown>[] = [];
    const { promise: both, resolve } = Promise.withResolvers<void>();
    const graph = graphWithSnapshots((one) => {
      if (began.push(one) === 2) resolve();
      return both.then(() => Promise.all(began));
    });
    const answers = await Promise.all([permit(graph, "F-2"), permit(graph, "F-3")]);
    expect(answers.filter(Boolean).length).toBeLessThanOrEqual(1);
    expect(await permitted()).toBe(1 + answers.filter(Boolean).length);
  });

  it("is kept where the one that began first, by the clock as well, writes after the other has looked", async () => {
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

  it("gives the same answer to the same feedback again", async () => {
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

  it("is not reached because an update got lost", async () => {
    const query = store.query.bind(store);
    const lossy = Object.assign(Object.create(store) as OntologyStore, { query, update: async () => {} });
    const lost = () => permit(new FeedbackGraph(lossy), "F-3");
    await expect(lost()).rejects.toMatchObject({ type: "io_error" });
    await permit(new FeedbackGraph(store), "F-1");
    await expect(lost()).rejects.toMatchObject({ type: "io_error" });
    await permit(new FeedbackGraph(store), "F-2");
    expect(await lost()).toBe(false);
  });
});
