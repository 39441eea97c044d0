import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { createCustomerSource } from "../../src/integrations/customers/create-customer-source.ts";
import type { CustomerIssue, CustomerSource } from "../../src/integrations/customers/customer-source.ts";
import { HttpCustomerSource } from "../../src/integrations/customers/http-customer-source.ts";
import { entityUri } from "../../src/ontology/entity-uri.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { ABI, PREFIXES, RDF, XSD } from "../../src/ontology/vocabulary.ts";
import { CustomerDataPipeline, type LoadCounts } from "../../src/pipelines/customer-data-pipeline.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serve, type Reply } from "../support/http.ts";

const fetching = { include_transactions: false, include_interactions: true };
const run = { customer_id: "C-1", ...fetching };
const READ_AT = new Date("2026-01-02T03:04:05Z");

async function open(source: string | CustomerSource) {
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  onTestFinished(() => ontologyStore.close());
  const log: string[] = [];
  const logger = pino({}, new Writable({ write: (chunk, _, done) => done(void log.push(String(chunk))) }));
  const customerSource = typeof source === "string" ? createCustomerSource(source) : source;
  const clock = () => READ_AT;
  const pipeline = new CustomerDataPipeline({ customerSource, ontologyStore, logger, clock });

  /** Everything that is known about one customer: the sorted values by property. */
  const known = async (id: string) => {
    const values: Record<string, string[]> = {};
    for (const { subject, predicate, object } of await ontologyStore.getGraph("customer_data")) {
      if (subject.value !== entityUri("Customer", id)) continue;
      const name = predicate.value.replace(ABI, "").replace(RDF, "");
      values[name] = [...(values[name] ?? []), object.value.replace(ABI, "")].sort();
    }
    return values;
  };
  /** The properties of every customer that came from the source. */
  const retrieved = { retrievedAt: ["2026-01-02T03:04:05Z"], retrievedFrom: [customerSource.name] };
  return { pipeline, ontologyStore, log, known, retrieved };
}

async function openOverHttp(...replies: [Reply, ...Reply[]]) {
  const server = await serve(...replies);
  return { server, ...(await open(`${server.origin}/{id}?interactions={include_interactions}`)) };
}

async function openFile(name: string, content: string) {
  const path = join(temporaryFolder(), name);
  await writeFile(path, content);
  return { path, ...(await open(path)) };
}

describe("run", () => {
  test("stores a customer from the source under the URI of the id", async () => {
    const json = { name: 'A "quoted" name', email: "a@example.com", segment: "premium", lifetime_value: 5000.5 };
    const { pipeline, server, ontologyStore, known, retrieved } = await openOverHttp({
      json: { ...json, do_not_contact: true },
    });
    expect(await pipeline.run(run)).toEqual({
      customer_id: "C-1",
      found: true,
      customer_uri: "http://example.org/abi/Customer/C-1",
    });
    expect(server.requests.map(({ path }) => path)).toEqual(["/C-1?interactions=true"]);
    expect(await known("C-1")).toEqual({
      type: ["Customer"],
      id: ["C-1"],
      name: ['A "quoted" name'],
      email: ["a@example.com"],
      segment: ["premium"],
      lifetimeValue: ["5000.5"],
      doNotContact: ["true"],
      ...retrieved,
    });
    const typed = `${PREFIXES} ASK { ?c abi:lifetimeValue ?v ; abi:doNotContact ?d ; abi:retrievedAt ?t
      FILTER(datatype(?v) = <${XSD}decimal> && datatype(?d) = <${XSD}boolean> && datatype(?t) = <${XSD}dateTime>) }`;
    expect(await ontologyStore.query("customer_data", typed)).toBe(true);
  });

  test("replaces stored data, without second values or values that the source no longer has", async () => {
    const { pipeline, known, retrieved } = await openOverHttp(
      { json: { name: "Ada", email: "old@example.com", segment: "premium", lifetime_value: 1, do_not_contact: true } },
      { json: { name: "Ada L.", lifetime_value: 2, do_not_contact: false } },
    );
    await pipeline.run(run);
    await pipeline.run(run);
    expect(await known("C-1")).toEqual({
      type: ["Customer"],
      id: ["C-1"],
      name: ["Ada L."],
      lifetimeValue: ["2"],
      doNotContact: ["false"],
      ...retrieved,
    });
  });

  test("repairs a customer who has several values for a property", async () => {
    const { pipeline, ontologyStore, known, retrieved } = await openOverHttp({ json: { name: "Ada" } });
    const twice = `${PREFIXES} INSERT DATA { <${entityUri("Customer", "C-1")}> abi:name "X", "Y" ; abi:email "x@y.z" }`;
    await ontologyStore.update("customer_data", twice);
    await pipeline.run(run);
    expect(await known("C-1")).toEqual({ type: ["Customer"], id: ["C-1"], name: ["Ada"], ...retrieved });
  });

  test("keeps an objection that the source doesn't mention, data that others added, and other customers", async () => {
    const { pipeline, ontologyStore, known } = await openOverHttp({ json: { name: "Ada" } });
    const [ada, bo] = [entityUri("Customer", "C-1"), entityUri("Customer", "C-2")];
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA { <${ada}> abi:name "Old" ; abi:doNotContact true ; abi:version "x" . <${bo}> abi:name "Bo" }`,
    );
    await pipeline.run(run);
    expect(await known("C-1")).toMatchObject({ name: ["Ada"], doNotContact: ["true"], version: ["x"] });
    expect(await known("C-2")).toEqual({ name: ["Bo"] });
  });

  test("keeps an import's lifetime value if the customer's own data does not show how to read the number", async () => {
    const server = await serve(
      { json: ["6.000", "1.234,56"].map((lifetime_value, at) => ({ id: `C-${at + 1}`, lifetime_value })) },
      { json: { lifetime_value: "6.000" } },
      { json: { lifetime_value: 7 } },
      { json: { name: "Ada" } },
    );
    const customerSource = new HttpCustomerSource({
      url: `${server.origin}/{id}`,
      listUrl: `${server.origin}/customers`,
    });
    const { pipeline, known } = await open(customerSource);
    await pipeline.loadAll();
    const values: unknown[] = [];
    for (let time = 0; time < 3; time += 1) {
      await pipeline.run(run);
      values.push((await known("C-1"))["lifetimeValue"]);
    }
    expect(values).toEqual([["6000"], ["7"], undefined]);
  });

  test("says that a customer is unknown, and stores nothing", async () => {
    const { pipeline, ontologyStore } = await openOverHttp({ status: 404 });
    expect(await pipeline.run(run)).toEqual({ customer_id: "C-1", found: false });
    expect(await ontologyStore.listStores()).toEqual([]);
  });

  test("stores an id of any characters unchanged, and adds nothing else", async () => {
    const id = '"} ; DROP ALL #<>\\ü/..';
    const { pipeline, known, ontologyStore, retrieved } = await openOverHttp({ json: { name: "?name $name {}" } });
    await pipeline.run({ ...run, customer_id: id });
    expect(await known(id)).toEqual({ type: ["Customer"], id: [id], name: ["?name $name {}"], ...retrieved });
    expect(await ontologyStore.getGraph("customer_data")).toHaveLength(5);
  });

  test("leaves out a lifetime value that is not a number, and logs that without the data", async () => {
    const { pipeline, known, log } = await openOverHttp({ json: { name: "Ada L", lifetime_value: "12,500.00.00" } });
    await pipeline.run(run);
    expect(await known("C-1")).not.toHaveProperty("lifetimeValue");
    expect(log).toHaveLength(1);
    expect(JSON.parse(log[0]!)).toMatchObject({
      level: 40,
      customer_id: "C-1",
      problem: expect.stringMatching(/not a number/),
    });
    expect(log[0]).not.toMatch(/Ada|12,500/);
  });

  test.each([
    [{ ...run, customer_id: "" }, "customer_id"],
    [{ ...run, customer_id: "a\u0000b" }, "customer_id"],
    [{ ...run, include_interactions: "yes" }, "include_interactions"],
    [{}, "customer_id"],
  ])("refuses the parameters %j before it requests anything", async (parameters, path) => {
    const { pipeline, server } = await openOverHttp({});
    await expect(pipeline.run(parameters as typeof run)).rejects.toMatchObject({
      type: "validation_error",
      issues: [{ path }],
    });
    expect(server.requests).toHaveLength(0);
  });

  test("does not change the customer if the source's answer makes no sense", async () => {
    const { pipeline, known } = await openOverHttp({ json: { name: "Ada" } }, { json: { id: "C-1", name: {} } });
    await pipeline.run(run);
    await expect(pipeline.run(run)).rejects.toMatchObject({ type: "validation_error" });
    expect(await known("C-1")).toMatchObject({ name: ["Ada"] });
  });
});

describe("concurrent runs", () => {
  /** A source that answers once `release` is called. */
  async function openHeld() {
    const { promise, resolve: release } = Promise.withResolvers<void>();
    const opened = await openOverHttp(async (_, response) => {
      await promise;
      response.end(JSON.stringify({ name: "Ada" }));
    });
    return { ...opened, release };
  }

  test("for one customer share one request", async () => {
    const { pipeline, server, release } = await openHeld();
    const running = Array.from({ length: 20 }, () => pipeline.run(run));
    await server.received(1);
    release();
    expect(new Set((await Promise.all(running)).map(({ found }) => found))).toEqual(new Set([true]));
    expect(server.requests).toHaveLength(1);
    await pipeline.run(run);
    expect(server.requests).toHaveLength(2);
  });

  test("for different customers or different data use separate requests", async () => {
    const { pipeline, server, release } = await openHeld();
    const running = [
      pipeline.run(run),
      pipeline.run({ ...run, customer_id: "C-2" }),
      pipeline.run({ ...run, include_interactions: false }),
    ];
    await server.received(3);
    release();
    await Promise.all(running);
    expect(server.requests).toHaveLength(3);
  });

  test("still get their answer if one of them gives up", async () => {
    const { pipeline, server, release } = await openHeld();
    const controller = new AbortController();
    const impatient = pipeline.run(run, { signal: controller.signal });
    const patient = pipeline.run(run);
    await server.received(1);
    controller.abort("too slow");
    await expect(impatient).rejects.toBe("too slow");
    release();
    expect(await patient).toMatchObject({ found: true });
    expect(server.requests).toHaveLength(1);
  });

  test("abort the shared request when all have given up, and a later run makes its own", async () => {
    const { promise: brokenOff, resolve } = Promise.withResolvers<void>();
    const { pipeline, server } = await openOverHttp((_, response) => void response.on("close", resolve), {
      json: { name: "Ada" },
    });
    const controller = new AbortController();
    const running = [1, 2].map(() => pipeline.run(run, { signal: controller.signal }));
    await server.received(1);
    controller.abort("enough");
    for (const one of running) await expect(one).rejects.toBe("enough");
    await brokenOff;
    expect(await pipeline.run(run)).toMatchObject({ found: true });
    expect(server.requests).toHaveLength(2);
  });

  test("also share a failure, and the next run tries again", async () => {
    const { pipeline, server } = await openOverHttp({ body: "no JSON" }, { json: { name: "Ada" } });
    const failed = await Promise.allSettled([pipeline.run(run), pipeline.run(run)]);
    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(server.requests).toHaveLength(1);
    expect(await pipeline.run(run)).toMatchObject({ found: true });
  });
});

describe("a source of your own", () => {
  const FAULTY: [what: string, record: unknown, fault: string][] = [
    ["has no id", { name: "Ada" }, "id must not be empty"],
    ["has an object as its id", { id: {} }, "id must be a text"],
    ["has an object as its name", { id: "C-1", name: {} }, "name must be a text"],
    ["is not an object", null, "id must not be empty"],
  ];
  const sourceOf = (...records: unknown[]): CustomerSource => ({
    get: async () => (records[0] ?? []) as never,
    withEmail: async () => records as never,
    list: async function* () {
      yield* records as never[];
    },
  });

  test.each(FAULTY)(
    "may return a record that %s: it is skipped, and the others are loaded",
    async (_, record, fault) => {
      const { pipeline, known } = await open(sourceOf({ id: "C-8" }, record, { id: " C-9 ", name: undefined }));
      const issues: CustomerIssue[] = [];
      const counts = await pipeline.loadAll({ onInvalid: (issue) => issues.push(issue) });
      expect(counts).toEqual({ loaded: 2, invalid: 1 });
      expect(issues).toMatchObject([{ place: "customer 2", message: fault, skipped: true }]);
      expect(await known("C-9")).toMatchObject({ id: ["C-9"] });
      await pipeline.runForEmail("ada@example.com");
    },
  );

  test.each(FAULTY)("is refused if the one record that is asked for %s", async (_, record, fault) => {
    const { pipeline, ontologyStore } = await open(sourceOf(record));
    const refused = { code: "customer_invalid", message: expect.stringContaining(`(${fault})`) };
    await expect(pipeline.run(run)).rejects.toMatchObject(refused);
    expect(await ontologyStore.getGraph("customer_data")).toEqual([]);
  });

  test("may return rows as a database has them: null, numbers as texts, 0 and 1", async () => {
    const row = { id: 1, name: null, email: "Ada@Example.com", lifetime_value: "1200.50", do_not_contact: "1" };
    const { pipeline, known } = await open(sourceOf(row));
    expect(await pipeline.loadAll()).toEqual({ loaded: 1, invalid: 0 });
    expect(await known("1")).toMatchObject({
      email: ["Ada@Example.com"],
      lifetimeValue: ["1200.5"],
      doNotContact: ["true"],
    });
    expect(await known("1")).not.toHaveProperty("name");
  });

  test("leaves the value in the graph if it says with null that a lifetime value was not understood", async () => {
    const rows = [
      { id: "C-1", lifetime_value: 5 },
      { id: "C-1", lifetime_value: null },
    ];
    const { pipeline, known } = await open(sourceOf(...rows));
    await pipeline.loadAll();
    expect(await known("C-1")).toMatchObject({ lifetimeValue: ["5"] });
  });

  test("never leads to an email to an address that is none", async () => {
    const { pipeline, known, log } = await open(sourceOf({ id: "C-1", email: 7 }));
    await pipeline.run(run);
    expect(await known("C-1")).not.toHaveProperty("email");
    expect(log.join()).toContain("email is not an address that email can be sent to: left out");
  });
});

describe("loadAll", () => {
  test("loads a file in batches, and reports progress and problems", async () => {
    const rows = Array.from({ length: 250 }, (_, at) => `C-${at},Name ${at},${at === 7 ? "lots" : at}`);
    const { pipeline, ontologyStore, log } = await openFile(
      "a.csv",
      ["id,name,lifetime_value", ...rows, ",nobody,1", "C-9", ""].join("\n"),
    );
    const issues: CustomerIssue[] = [];
    const progress: LoadCounts[] = [];
    const counts = await pipeline.loadAll({
      onProgress: (at) => progress.push(at),
      onInvalid: (issue) => issues.push(issue),
    });
    expect(counts).toEqual({ loaded: 250, invalid: 2 });
    expect(progress.map(({ loaded }) => loaded)).toEqual([100, 200, 250]);
    expect(progress.at(-1)).toEqual(counts);
    expect(issues.map(({ place, skipped }) => [place, skipped])).toEqual([
      ["line 9", false],
      ["line 252", true],
      ["line 253", true],
    ]);
    expect(log).toHaveLength(3);
    // Six statements for each customer, except for the lifetime value that is not a number.
    expect(await ontologyStore.getGraph("customer_data")).toHaveLength(250 * 6 - 1);
  });

  test("counts a row with several faults once, and reports columns that are not read", async () => {
    const { pipeline, log } = await openFile(
      "a.csv",
      'id,name,lifetime_value,opt_out,phone\n,x,lots,no,1\nC-2,"a" b,lots,yes,1\nC-3,Cy,much,no,1\n',
    );
    const unread: unknown[] = [];
    const issues: CustomerIssue[] = [];
    const counts = await pipeline.loadAll({
      onInvalid: (issue) => issues.push(issue),
      onUnreadColumn: (...column) => unread.push(column),
    });
    expect(counts).toEqual({ loaded: 1, invalid: 2 });
    expect(issues.map(({ place, skipped }) => [place, skipped])).toEqual([
      ["line 2", true],
      ["line 3", true],
      ["line 4", false],
    ]);
    expect(unread).toEqual([
      ["opt_out", "do_not_contact"],
      ["phone", undefined],
    ]);
    expect(log.filter((line) => line.includes("opt_out"))).toHaveLength(1);
    expect(log.join("")).not.toContain("phone");
  });

  test("keeps the last row of an id, within a batch and across batches, and changes nothing if repeated", async () => {
    const filler = Array.from({ length: 150 }, (_, at) => `F-${at},x,`);
    const rows = [
      "id,name,email",
      "C-1,first,a@b.c",
      "C-1,second,",
      "D-1,first,a@b.c",
      "D-1,second,",
      ...filler,
      "C-1,third,",
      "F-0,y,",
    ];
    const { pipeline, ontologyStore, known, retrieved } = await openFile("a.csv", rows.join("\n"));
    expect(await pipeline.loadAll()).toEqual({ loaded: 156, invalid: 0 });
    expect(await known("C-1")).toEqual({ type: ["Customer"], id: ["C-1"], name: ["third"], ...retrieved });
    expect(await known("D-1")).toEqual({ type: ["Customer"], id: ["D-1"], name: ["second"], ...retrieved });
    expect(await known("F-0")).toMatchObject({ name: ["y"] });
    const before = (await ontologyStore.getGraph("customer_data")).length;
    await pipeline.loadAll();
    expect(await ontologyStore.getGraph("customer_data")).toHaveLength(before);
  });

  test.each([0, 150])("keeps an objection that a later row doesn't mention, %i rows apart", async (apart) => {
    const filler = Array.from({ length: apart }, (_, at) => `F-${at},x,1,`);
    const rows = ["C-1,first,5,yes", "C-2,first,5,yes", ...filler, "C-1,second,much,", "C-2,second,,no"];
    const { pipeline, known } = await openFile("a.csv", ["id,name,lifetime_value,do_not_contact", ...rows].join("\n"));
    await pipeline.loadAll();
    expect(await known("C-1")).toMatchObject({ name: ["second"], lifetimeValue: ["5"], doNotContact: ["true"] });
    expect(await known("C-2")).toMatchObject({ name: ["second"], doNotContact: ["false"] });
    expect(await known("C-2")).not.toHaveProperty("lifetimeValue");
  });

  test("stops at an abort, and keeps the customers stored before", async () => {
    const server = await serve({ json: Array.from({ length: 300 }, (_, at) => ({ id: `C-${at}` })) });
    const { pipeline, ontologyStore } = await open(`${server.origin}/customers`);
    const controller = new AbortController();
    const loading = pipeline.loadAll({ signal: controller.signal, onProgress: () => controller.abort("enough") });
    await expect(loading).rejects.toBe("enough");
    expect(await ontologyStore.getGraph("customer_data")).toHaveLength(100 * 4);
  });

  test("reports a source without a list, a broken file and a missing one as errors that people understand", async () => {
    const { pipeline } = await openOverHttp({});
    await expect(pipeline.loadAll()).rejects.toMatchObject({ type: "validation_error" });
    const broken = await openFile("a.json", '[{"id":"C-1"}');
    await expect(broken.pipeline.loadAll()).rejects.toMatchObject({ code: "customer_file_invalid" });
    const missing = await open(join(temporaryFolder(), "none.json"));
    await expect(missing.pipeline.loadAll()).rejects.toMatchObject({ code: "customer_file_unreadable" });
  });
});
