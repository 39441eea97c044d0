import { describe, expect, it, onTestFinished } from "vitest";
import type { CustomerRecord } from "../../src/integrations/customers/customer-source.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../src/ontology/queries.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import { CustomerDataPipeline } from "../../src/pipelines/customer-data-pipeline.ts";
import { toolConformance } from "../../testing/index.ts";

interface Counts {
  loaded: number;
  invalid: number;
  issues: { place: string; customer_id?: string; message: string; skipped: boolean }[];
}

async function open() {
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  onTestFinished(() => ontologyStore.close());
  const asked: string[] = [];
  const customerSource = {
    name: "test",
    get: async (id: string): Promise<CustomerRecord | undefined> => {
      asked.push(id);
      return id.startsWith("C-") ? { id, name: `Name of ${id}`, email: "ada@example.com" } : undefined;
    },
    list: async function* () {},
  };
  const pipeline = new CustomerDataPipeline({ customerSource, ontologyStore });
  const importing = (items: AsyncIterable<unknown>, signal?: AbortSignal): AsyncIterable<Counts> => {
    const operation = pipeline.operations.find(({ name }) => name === "import_customers")!;
    if (operation.kind !== "stream") throw new Error("no stream");
    return operation.run(items, signal ? { signal } : {}) as AsyncIterable<Counts>;
  };
  const names = async () =>
    (await select(ontologyStore, "customer_data", `${PREFIXES} SELECT ?name { ?c abi:name ?name } ORDER BY ?name`)).map(
      ({ name }) => name!.value,
    );
  return { pipeline, ontologyStore, asked, importing, names };
}

async function* streamOf(items: Iterable<unknown>) {
  yield* items;
}

describe("a pipeline's tools", () => {
  it("are not for agents: refreshing is for operators, and becomes a tool only if a program asks for it", async () => {
    const { pipeline } = await open();
    expect(pipeline.as_tools()).toEqual([]);
    expect(pipeline.as_tools({ audience: "agent" })).toEqual([]);
    expect(pipeline.as_tools({ audience: "operator" }).map(({ name }) => name)).toEqual(["refresh_customer"]);
    expect(() => pipeline.as_tools({ audience: "person" as never })).toThrow("agent or operator");
    expect(() => pipeline.as_tools({ audience: "operator", fixed: { customer: "C-1" } })).toThrow(
      'no tool has a field "customer"',
    );
  });

  it("refresh one customer, and reveal nothing about the customer to a model", async () => {
    const { pipeline, names } = await open();
    const [tool] = pipeline.as_tools({ audience: "operator" });
    const call = async (args: object) => JSON.parse((await tool!.invoke(args as never)) as string) as object;
    expect(await call({ customer_id: "C-1" })).toEqual({
      customer_id: "C-1",
      found: true,
      customer_uri: "http://example.org/abi/Customer/C-1",
    });
    expect(await call({ customer_id: "X-1" })).toEqual({ customer_id: "X-1", found: false });
    expect(await call({ customer_id: "" })).toMatchObject({ success: false, error_type: "validation_error" });
    expect(await names()).toEqual(["Name of C-1"]);
  });

  it("can be bound to one customer", async () => {
    const { pipeline, asked } = await open();
    const [tool] = pipeline.as_tools({ audience: "operator", fixed: { customer_id: "C-1" } });
    const refused = JSON.parse((await tool!.invoke({ customer_id: "C-2" } as never)) as string) as object;
    expect(refused).toMatchObject({ error: expect.stringContaining("is set by the program") });
    expect(asked).toEqual([]);
    await tool!.invoke({});
    expect(asked).toEqual(["C-1"]);
  });

  it("pass the conformance suite", async () => {
    const { pipeline, asked } = await open();
    const [tool] = pipeline.as_tools({ audience: "operator" });
    let calls = 0;
    const checks = toolConformance({
      tool: tool!,
      validArguments: () => ({ customer_id: `C-${(calls += 1)}` }),
      invalidArguments: { customer_id: "a\u0000b" },
      effects: () => new Set(asked).size,
    });
    for (const { check } of checks) await expect(check()).resolves.toBeUndefined();
  });
});

describe("import_customers", () => {
  it("stores many customers as they arrive, and reports counts and problems", async () => {
    const { importing, names, ontologyStore } = await open();
    const items = [
      ...Array.from({ length: 250 }, (_, index) => ({
        id: `C-${index}`,
        name: `Name ${index}`,
        "Lifetime Value": "12,5",
      })),
      { name: "Nobody" },
      "no object",
      null,
      { customer_id: "C-251", name: "Spelt otherwise", email: "no address" },
    ];
    const counts = await Array.fromAsync(importing(streamOf(items)));
    expect(counts.map(({ loaded, invalid }) => [loaded, invalid])).toEqual([
      [100, 0],
      [200, 0],
      [251, 3],
      [251, 3],
    ]);
    expect(counts.flatMap(({ issues }) => issues)).toEqual([
      ...[251, 252, 253].map((item) => ({
        place: `item ${item}`,
        message: expect.stringContaining("id"),
        skipped: true,
      })),
      {
        place: "item 254",
        customer_id: "C-251",
        message: expect.stringContaining("email is not an address"),
        skipped: false,
      },
    ]);
    expect(await names()).toHaveLength(251);
    const sources = `${PREFIXES} SELECT ?source { ?c abi:retrievedFrom ?source }`;
    expect(await select(ontologyStore, "customer_data", sources)).toEqual([]);
  });

  it("reports counts even if there are no customers", async () => {
    const { importing } = await open();
    expect(await Array.fromAsync(importing(streamOf([])))).toEqual([{ loaded: 0, invalid: 0, issues: [] }]);
  });

  it("reads only items that it stores, and ends their source when the caller stops reading counts", async () => {
    const { importing } = await open();
    let taken = 0;
    let isEnded = false;
    async function* endless() {
      try {
        for (;;) yield { id: `C-${(taken += 1)}` };
      } finally {
        isEnded = true;
      }
    }
    for await (const { loaded } of importing(endless())) {
      expect(taken).toBe(loaded);
      if (loaded >= 300) break;
    }
    expect({ taken, isEnded }).toEqual({ taken: 300, isEnded: true });
  });

  it("ends when the signal aborts, and keeps the customers stored so far", async () => {
    const { importing, names } = await open();
    const controller = new AbortController();
    async function* items() {
      for (let index = 0; ; index += 1) {
        if (index === 150) controller.abort(new Error("enough"));
        yield { id: `C-${index}`, name: `Name ${index}` };
      }
    }
    await expect(Array.fromAsync(importing(items(), controller.signal))).rejects.toThrow("enough");
    expect(await names()).toHaveLength(100);
  });
});
