import { trace } from "@opentelemetry/api";
import { serve as serveHono } from "@hono/node-server";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Hono } from "hono";
import { routePath } from "hono/route";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { IoError } from "../../src/errors.ts";
import { HttpClient } from "../../src/http-client.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { TracedOntologyStore } from "../../src/telemetry/traced-ontology-store.ts";
import { inSpan, traceRequest } from "../../src/telemetry/tracing.ts";
import { NotificationWorkflow } from "../../src/workflows/notifications/notification-workflow.ts";
import { root, runNode } from "../docs/documents.ts";
import { feedback, startFeedback } from "../support/feedback.ts";
import { serve } from "../support/http.ts";
import { traceInMemory, type EndedSpan } from "../support/tracing.ts";
import { InvoiceWorkflow } from "./invoices.ts";

const [SERVER, CLIENT, PRODUCER, CONSUMER] = [1, 2, 3, 4];

let spans: () => EndedSpan[];
let tearDown: () => void;
beforeEach(() => {
  ({ spans, tearDown } = traceInMemory());
});
afterEach(() => tearDown());

const named = (name: string): EndedSpan[] => spans().filter((span) => span.name === name);
const one = (name: string): EndedSpan => {
  expect(named(name)).toHaveLength(1);
  return named(name)[0]!;
};
const inRoot = <Result>(name: string, work: () => Promise<Result>): Promise<Result> =>
  trace.getTracer("test").startActiveSpan(name, async (span) => work().finally(() => span.end()));

function openInvoices(send?: () => Promise<void> | void) {
  const retry = { attempts: 3, initialDelayMs: 1, maximumDelayMs: 1 };
  const engine = new DurableEngine({ path: ":memory:", retry });
  onTestFinished(() => engine.close());
  return { engine, workflow: new InvoiceWorkflow({ engine, ...(send && { send }) }) };
}

describe("a trace", () => {
  it("leads from a tool call through the steps to graph and email, and reveals nothing about the customer", async () => {
    const oxigraph = await OxigraphOntologyStore.open({ path: ":memory:" });
    const { workflow } = await startFeedback({ ontologyStore: new TracedOntologyStore(oxigraph, "oxigraph") });
    const [tool] = workflow.as_tools();
    await inRoot("chat", () => tool!.invoke(feedback()));
    await expect.poll(() => named("run customer-feedback").length).toBe(1);

    const call = one("execute_tool process_customer_feedback");
    expect(call.parent).toBe(one("chat").spanId);
    expect(call.attributes).toEqual({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "process_customer_feedback",
      "gen_ai.tool.type": "function",
    });
    const accepted = one("accept customer-feedback");
    expect(accepted).toMatchObject({ parent: call.spanId, kind: PRODUCER });
    expect(accepted.attributes).toMatchObject({ "abi.run.outcome": "created" });
    expect(one("run customer-feedback")).toMatchObject({ parent: accepted.spanId, kind: CONSUMER });
    const sent = one("step response_sent");
    expect(sent).toMatchObject({ parent: accepted.spanId, isError: false });
    expect(sent.attributes).toMatchObject({ "abi.step.attempt": 1, "abi.step.outcome": "completed" });
    const mail = one("send mail");
    expect(mail).toMatchObject({ parent: sent.spanId, kind: CLIENT });
    expect(mail.attributes).toMatchObject({ "messaging.system": "email", "messaging.operation.type": "send" });
    const stored = spans().filter(({ parent }) => parent === one("step feedback_stored").spanId);
    expect(stored.length).toBeGreaterThan(0);
    for (const { attributes } of stored)
      expect(attributes).toMatchObject({ "db.system.name": "oxigraph", "db.collection.name": "feedback_data" });
    expect(new Set(spans().map(({ traceId }) => traceId)).size).toBe(1);
    const { customer_id, subject, feedback_text } = feedback();
    for (const secret of [customer_id, subject, feedback_text, "Ada", "ada@example.org", "F-1"]) {
      expect(JSON.stringify(spans().map(({ name, attributes }) => [name, attributes]))).not.toContain(`"${secret}`);
    }
  });

  it("has a span for each attempt, with the error code if it failed", async () => {
    let calls = 0;
    const { engine, workflow } = openInvoices(() => {
      if (++calls < 3) throw new IoError("away, says ada@example.org", { code: "mail_unavailable" });
    });
    const id = await workflow.startWorkflow({ invoice_id: "I-1" });
    await engine.wait(id);
    await workflow.approve(id);
    await engine.wait(id);
    await expect.poll(() => named("run invoice").length).toBe(1);
    expect(named("step sent")).toMatchObject([
      {
        attributes: { "abi.step.attempt": 1, "abi.step.outcome": "failed", "error.type": "mail_unavailable" },
        isError: true,
      },
      {
        attributes: { "abi.step.attempt": 2, "abi.step.outcome": "failed", "error.type": "mail_unavailable" },
        isError: true,
      },
      { attributes: { "abi.step.attempt": 3, "abi.step.outcome": "completed" }, isError: false },
    ]);
    expect(one("step drafted").isError).toBe(false);
    expect(workflow.inputs.length).toBeGreaterThan(3);
    expect(JSON.stringify(spans())).not.toContain("ada@");
  });

  it("of a run is that of its first submission; later submissions are linked to it", async () => {
    const { engine, workflow } = openInvoices();
    const id = await inRoot("first", () => workflow.startWorkflow({ invoice_id: "I-1" }));
    await inRoot("second", () => workflow.startWorkflow({ invoice_id: "I-1" }));
    await engine.wait(id);
    const [first, second] = named("accept invoice");
    expect(second).toMatchObject({ traceId: one("second").traceId, links: [first!.traceId] });
    expect(first!.links).toEqual([]);
    expect(one("step drafted").traceId).toBe(one("first").traceId);
    expect(workflow.inputs).toEqual([{ invoice_id: "I-1" }]);
  });

  it("of a run that was accepted without an SDK has the run's id", async () => {
    tearDown();
    const { engine, workflow } = openInvoices();
    const id = await workflow.startWorkflow({ invoice_id: "I-1" });
    await engine.wait(id);
    expect((await engine.get(id))!.input).toEqual({ invoice_id: "I-1" });
    ({ spans, tearDown } = traceInMemory());
    await workflow.approve(id);
    await engine.wait(id);
    await expect.poll(() => named("run invoice").length).toBe(1);
    const traceId = id.replace("workflow-", "").replaceAll("-", "");
    expect([one("step sent").traceId, one("run invoice").traceId]).toEqual([traceId, traceId]);
    expect(one("decide invoice").links).toEqual([traceId]);
  });

  it("shows runs that failed or were cancelled as such", async () => {
    const { engine, workflow } = openInvoices(() => {
      throw new TypeError("broken");
    });
    const failing = await workflow.startWorkflow({ invoice_id: "I-1" });
    await workflow.approve(failing);
    await engine.wait(failing);
    const cancelled = await workflow.startWorkflow({ invoice_id: "I-2" });
    await engine.wait(cancelled);
    await workflow.cancelWorkflow(cancelled);
    await expect.poll(() => named("run invoice").length).toBe(2);
    expect(named("run invoice").map(({ attributes, isError }) => [attributes["abi.run.status"], isError])).toEqual([
      ["failed", true],
      ["cancelled", false],
    ]);
    expect(named("run invoice")[0]!.attributes["error.type"]).toBe("internal");
  });

  it("includes the notification that follows a run", async () => {
    const { engine, workflow } = openInvoices();
    const channel = { name: "webhook", deliver: async () => {} };
    new NotificationWorkflow({ engine, channels: [channel] }).register();
    workflow.register();
    const id = await inRoot("request", () => workflow.startWorkflow({ invoice_id: "I-1" }));
    await engine.wait(id);
    await expect.poll(() => named("step webhook").length).toBe(1);
    expect(one("step webhook").traceId).toBe(one("request").traceId);
  });

  it("of a run is not that of the request that happened to start the worker", async () => {
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    const active: unknown[] = [];
    engine.register("plain", async () => active.push(trace.getActiveSpan()));
    for (const key of ["one", "two"]) {
      const { id } = await inRoot(key, () => engine.start("plain", { key, fingerprint: "f", input: null }));
      await engine.wait(id);
    }
    expect(active).toEqual([undefined, undefined]);
  });
});

describe("an SDK whose API can't be loaded by this package", () => {
  it("is warned about once, and everything works as if there were none", async () => {
    const program = `
      import { registerHooks } from "node:module";
      registerHooks({ resolve: (name, context, next) => {
        if (name === "@opentelemetry/api") throw Object.assign(new Error("not found"), { code: "MODULE_NOT_FOUND" });
        return next(name, context);
      } });
      globalThis[Symbol.for("opentelemetry.js.api.1")] = { version: "1.9.0", trace: {} };
      const { inSpan } = await import(${JSON.stringify(pathToFileURL(join(root, "src/telemetry/tracing.ts")).href)});
      console.log(await inSpan("one", {}, (span) => [span]), await inSpan("two", {}, () => "done"));`;
    const { code, stdout, stderr } = await runNode(["--input-type=module", "--eval", program]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "[ undefined ] done\n" });
    expect(stderr.split("npm install @opentelemetry/api")).toHaveLength(2);
  });
});

describe("a request to another server", () => {
  const clientOf = (url: string, retries = 0) => new HttpClient({ name: "shop", url, timeoutMs: 60_000, retries });

  it("passes the trace on, and has a span without the URL for each attempt", async () => {
    const server = await serve({ status: 503 }, { json: {} });
    const client = clientOf(server.origin, 1);
    const url = client.resolve(`${server.origin}/customers/C-1`);
    await inRoot("root", () => client.send({ url, maxBytes: 1000 }));
    const attempts = named("GET");
    expect(attempts).toMatchObject([
      { isError: true, kind: CLIENT, parent: one("root").spanId },
      { isError: false, kind: CLIENT, parent: one("root").spanId },
    ]);
    expect(attempts.map(({ attributes }) => attributes)).toEqual([
      {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": Number(new URL(server.origin).port),
        "http.response.status_code": 503,
        "error.type": "503",
      },
      expect.objectContaining({ "http.request.resend_count": 1, "http.response.status_code": 200 }),
    ]);
    const sent = server.requests.map(({ headers }) => headers["traceparent"]);
    expect(sent).toEqual(attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
  });

  it("is ignored by instrumentations of fetch, whose spans would contain the URL", async () => {
    const instrument = () => trace.getTracer("fetch").startSpan("instrumented").end();
    subscribe("undici:request:create", instrument);
    onTestFinished(() => void unsubscribe("undici:request:create", instrument));
    const server = await serve({ json: {} });
    await inRoot("theirs", async () => (await fetch(server.origin)).text());
    const client = clientOf(server.origin);
    await inRoot("ours", () => client.send({ url: client.resolve(server.origin), maxBytes: 1000 }));
    expect(one("instrumented").traceId).toBe(one("theirs").traceId);
  });

  it("passes no trace on if no SDK is set up", async () => {
    tearDown();
    const server = await serve({ json: {} });
    const client = clientOf(server.origin);
    await client.send({ url: client.resolve(server.origin), maxBytes: 1000 });
    expect(server.requests[0]!.headers).not.toHaveProperty("traceparent");
  });
});

describe("an incoming request", () => {
  async function listen(): Promise<string> {
    const app = new Hono();
    app.use(async (c, next) => {
      await traceRequest(c.req.raw, async () => {
        await next();
        return { status: c.res.status, route: c.res.status === 404 ? undefined : routePath(c, -1) };
      });
    });
    app.get("/runs/:id", (c) => inSpan("inside", {}, () => c.text("ok")));
    app.get("/broken", (c) => c.text("broken", 500));
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await once(server, "listening");
    onTestFinished(async () => void (await once(server.close(), "close")));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it("continues the caller's trace, under the name of its route", async () => {
    const origin = await listen();
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await (await fetch(`${origin}/runs/workflow-1?q=secret`, { headers })).text();
    const request = one("GET /runs/:id");
    expect(request).toMatchObject({ traceId, parent: "b7ad6b7169203331", kind: SERVER, isError: false });
    expect(request.attributes).toEqual({
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "http.route": "/runs/:id",
    });
    expect(one("inside").parent).toBe(request.spanId);
  });

  it("counts as an error from status 500, and has one of HTTP's methods", async () => {
    const origin = await listen();
    await (await fetch(`${origin}/broken`)).text();
    await (await fetch(`${origin}/nowhere`, { method: "PURGE" })).text();
    expect(one("GET /broken")).toMatchObject({ isError: true });
    const attributes = { "http.request.method": "_OTHER", "http.response.status_code": 404 };
    expect(one("HTTP")).toMatchObject({ isError: false, attributes });
  });

  it("has only one span if an instrumentation has already created it", async () => {
    const request = { method: "GET", headers: new Headers() };
    await inRoot("GET", () => traceRequest(request, async () => ({ status: 200, route: "/runs/:id" })));
    expect(spans().map(({ name }) => name)).toEqual(["GET /runs/:id"]);
    expect(spans()[0]!.attributes).toEqual({ "http.route": "/runs/:id" });
  });
});
