import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { openApplication } from "../../src/application/application.ts";
import type { WorkflowParts } from "../../src/application/own-workflows.ts";
import { durable } from "../../src/framework/operation.ts";
import { Workflow } from "../../src/framework/workflow.ts";
import { silentLogger } from "../../src/log.ts";
import { readSettings } from "../../src/application/settings.ts";
import { CUSTOMER_FEEDBACK_QUESTIONS } from "../../src/workflows/customer-feedback/questions.ts";
import { feedback } from "../support/feedback.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startSparqlEndpoint, type Access } from "../support/sparql-endpoint.ts";

const CUSTOMERS = "id,name,email\nC-1,Ada,ada@example.net\n";

async function openOn(environment: Record<string, string>) {
  const folder = temporaryFolder();
  const customerSource = join(folder, "customers.csv");
  writeFileSync(customerSource, CUSTOMERS);
  const settings = readSettings({ dataDirectory: join(folder, "data"), customerSource }, environment);
  const application = await openApplication(settings, silentLogger);
  onTestFinished(() => application.close());
  return application;
}

describe("the rules of an application", () => {
  // Praise with a score of 0.55 to 0.75.
  const doubtful = feedback({ feedback_text: "If you love sitting in silence for an hour, call them." });
  const unreadable = feedback({ feedback_id: "F-2", feedback_text: "Très mauvais service, je suis déçu." });

  it.each<[Record<string, string>, unknown, object, object]>([
    [{}, true, { action: "auto_respond" }, { action: "auto_respond" }],
    [{ THANK_ABOVE: "0.5" }, undefined, { action: "auto_respond" }, { action: "auto_respond" }],
    [{ ESCALATE_DOUBTFUL: "on" }, true, { action: "escalate" }, { action: "auto_respond" }],
    [{ ESCALATE_UNREADABLE: "on" }, true, { action: "auto_respond" }, { action: "escalate" }],
  ])("come from its settings: %j", async (environment, isDoubtful, ofDoubtful, ofUnreadable) => {
    const { workflow } = await openOn(environment);
    const result = await workflow.run(doubtful);
    expect(result).toMatchObject({ sentiment: "positive", ...ofDoubtful });
    expect(result["doubtful"]).toBe(isDoubtful);
    expect(await workflow.run(unreadable)).toMatchObject({ sentiment: "neutral", unreadable: true, ...ofUnreadable });
  });
});

it("executes no more runs in a process than its settings say, even if it notifies people", async () => {
  const settings = readSettings(
    { dataDirectory: ":memory:" },
    { MAX_PARALLEL_REQUESTS: "1", MAX_PARALLEL_REQUESTS_PER: "process", NOTIFY_URL: "https://chat.example/hook" },
  );
  const working = { now: 0, most: 0 };
  class Working extends Workflow {
    override readonly name = "working";
    override readonly operations = [
      durable("work", {
        description: "Work for a moment.",
        input: z.strictObject({ id: z.string() }),
        output: z.object({}),
        key: "id",
        run: (_, { step }) =>
          step("worked", async () => {
            working.now += 1;
            working.most = Math.max(working.most, working.now);
            await setTimeout(20);
            working.now -= 1;
            return {};
          }),
      }),
    ];
  }
  const created = Promise.withResolvers<Workflow>();
  const createWorkflows = ({ engine, maxParallelRequests }: WorkflowParts): Workflow[] => {
    const workflow = new Working({ engine, maxParallelRequests });
    created.resolve(workflow);
    return [workflow];
  };
  const application = await openApplication(settings, silentLogger, { createWorkflows });
  onTestFinished(() => application.close());
  const workflow = await created.promise;
  const results = await Promise.all(["1", "2", "3"].map((id) => workflow.run({ id })));
  expect(results.every(({ success }) => success)).toBe(true);
  expect(working.most).toBe(1);
});

describe("an application with a SPARQL endpoint in its settings", () => {
  it.each<[string, Access, (host: string) => Record<string, string>]>([
    [
      "user and password in the URL",
      { scheme: "basic", user: "jo", password: "s3cret" },
      (host) => ({ ONTOLOGY_URL: `http://jo:s3cret@${host}/sparql` }),
    ],
    [
      "Digest and URLs of their own for updates and graphs",
      { scheme: "digest", user: "jo", password: "s3cret", algorithm: "SHA-256" },
      (host) => ({
        ONTOLOGY_URL: `http://jo:s3cret@${host}/sparql`,
        ONTOLOGY_UPDATE_URL: `http://${host}/sparql?for=updates`,
        ONTOLOGY_GRAPH_STORE_URL: `http://${host}/graphs`,
        ONTOLOGY_AUTHENTICATION: "digest",
      }),
    ],
    [
      "a token",
      { scheme: "bearer", token: "t0ken" },
      (host) => ({ ONTOLOGY_URL: `http://${host}/sparql`, ONTOLOGY_TOKEN: "t0ken" }),
    ],
  ])("stores its graph there, authenticated by %s", async (_, access, environment) => {
    const endpoint = await startSparqlEndpoint({ access });
    const { workflow, ontologyStore } = await openOn(environment(new URL(endpoint.origin).host));
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(await ontologyStore.listStores()).toEqual(["customer_data", "feedback_data"]);
    expect(endpoint.size()).toBeGreaterThan(10);
  });

  it("tells callers only an error code if the endpoint refuses it", async () => {
    const endpoint = await startSparqlEndpoint({ access: { scheme: "basic", user: "jo", password: "other" } });
    const { workflow } = await openOn({ ONTOLOGY_URL: `http://jo:s3cret@${new URL(endpoint.origin).host}/sparql` });
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({ success: false, error_code: "access_denied", retriable: false });
    expect(result).toMatchObject({
      error: "The SPARQL endpoint can't be used with the current settings. The log says what to correct.",
    });
    expect(JSON.stringify(result)).not.toMatch(/s3cret|127\.0\.0\.1/);
  });
});

describe("the operations of an application", () => {
  const ofService = async (graphTools: string) => {
    const { service, workflow } = await openOn({ GRAPH_TOOLS: graphTools });
    const agentOperations = service.operations.filter(({ operation }) => operation.audience === "agent");
    const named = (isOfWorkflow: boolean) =>
      agentOperations
        .filter((one) => (one.workflow !== undefined) === isOfWorkflow)
        .map(({ operation }) => operation.name);
    expect(named(true)).toEqual(workflow.as_tools().map(({ name }) => name));
    expect(workflow.as_tools()).toHaveLength(3);
    return { service, others: named(false) };
  };

  it("include questions to the graph for agents only if GRAPH_TOOLS says so", async () => {
    expect((await ofService("off")).others).toEqual([]);
    const questions = CUSTOMER_FEEDBACK_QUESTIONS.map(({ name }) => name);
    expect((await ofService("questions")).others).toEqual(questions);
    const { service, others } = await ofService("query");
    expect(others).toEqual([...questions, "query_knowledge_graph"]);
    const free = service.operation("query_knowledge_graph");
    const query = "SELECT * { GRAPH <http://example.org/abi/stores/customer_data> { ?s ?p ?o } }";
    await expect(free.run({ query }, {})).rejects.toMatchObject({ code: "not_visible" });
  });

  it("include pipelines and free queries for operators only", async () => {
    const { service } = await ofService("query");
    const operators = service.operations
      .filter(({ operation, workflow }) => !workflow && operation.scope === "admin")
      .map(
        ({ operation, pipeline }) =>
          `${operation.audience} ${pipeline?.name ?? "*"} ${operation.kind} ${operation.name}`,
      );
    expect(operators).toEqual([
      "operator customer-data direct refresh_customer",
      "operator customer-data stream import_customers",
      "operator * direct query_graph",
    ]);
  });

  it("include a query for operators, which returns SPARQL JSON results within limits", async () => {
    const { service, workflow, customerDataPipeline } = await openOn({});
    await customerDataPipeline.run({ customer_id: "C-1" });
    await workflow.run(feedback());
    const operation = service.operation("query_graph");
    const query = async (input: object) => operation.run(operation.input.parse(input), {});
    const answer = await query({ query: "SELECT ?name ?none { ?c abi:name ?name }", store: "customer_data" });
    expect(operation.output.parse(answer)).toEqual({
      head: { vars: ["name", "none"] },
      results: { bindings: [{ name: { type: "literal", value: "Ada" } }] },
    });
    expect(await query({ query: "ASK { ?f a abi:Feedback }" })).toEqual({ head: {}, boolean: true });
    expect(await query({ query: "SELECT * { ?s ?p ?o }", limit: 3 })).toMatchObject({
      results: { bindings: { length: 3 } },
      truncated: true,
    });
    expect(operation.output.parse(await query({ query: "DESCRIBE ?f { ?f a abi:Feedback }" }))).toMatchObject({
      quads: expect.any(Array),
    });
    const endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p . ?q ?r ?s }";
    await expect(query({ query: endless, timeout_s: 1 })).rejects.toMatchObject({ code: "query_timeout" });
    await expect(query({ query: "DROP ALL" })).rejects.toMatchObject({ code: "unsupported_sparql" });
    expect(() => operation.input.parse({ query: "ASK {}", timeout_s: 601 })).toThrow("600");
  });
});
