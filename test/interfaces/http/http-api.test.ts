import { on } from "node:events";
import { request } from "node:http";
import { createInterface } from "node:readline";
import { describe, expect, it, vi } from "vitest";
import type { Run } from "../../../src/engine/engine.ts";
import { feedback } from "../../support/feedback.ts";
import { startHttpService } from "../../support/http-service.ts";

const PATH = "/workflows/customer-feedback";

const keysOf = ({ body }: { body: Record<string, unknown> }): string[] =>
  (body["runs"] as { key: string }[]).map(({ key }) => key);

describe("a submission", () => {
  it("is answered when the run is durable, with the run's address", async () => {
    const { call, workflow } = await startHttpService();
    const submitted = await call("POST", PATH, { body: feedback() });
    expect(submitted).toMatchObject({
      status: 202,
      body: { status: "processing", feedback_id: "F-1", customer_id: "C-1" },
    });
    const id = submitted.body["workflow_id"] as string;
    expect(submitted.headers.get("location")).toBe(`/runs/${id}`);
    await workflow.getWorkflowResult(id);
    expect(await call("GET", submitted.headers.get("location")!)).toMatchObject({
      status: 200,
      body: { workflow_id: id, workflow: "customer-feedback", key: "F-1", status: "completed" },
    });
    expect(await call("GET", `${PATH}/F-1`)).toMatchObject({
      status: 200,
      body: { feedback_id: "F-1", status: "processed", response_sent: true },
    });
  });

  it("waits for the result if the client prefers that", async () => {
    const { call } = await startHttpService();
    const headers = { prefer: "respond-async, wait=60" };
    const first = await call("POST", PATH, { body: feedback(), headers });
    expect(first).toMatchObject({ status: 200, body: { success: true, feedback_id: "F-1", action: "auto_respond" } });
    expect(first.headers.get("preference-applied")).toBe("wait=60");
    expect(first.body).not.toHaveProperty("duplicate");
    const again = await call("POST", PATH, { body: feedback(), headers });
    expect(again).toMatchObject({ status: 200, body: { duplicate: true, response_id: first.body["response_id"] } });
    const failed = await call("POST", PATH, { body: feedback({ feedback_id: "F-2", customer_id: "C-404" }), headers });
    expect(failed).toMatchObject({
      status: 422,
      body: { status: 422, error_code: "customer_not_found", feedback_id: "F-2", steps_completed: [] },
    });
    expect(failed.headers.get("location")).toMatch(/^\/runs\/workflow-/);
  });

  it("is answered before the result if that takes longer or a person is needed", async () => {
    const idle = await startHttpService({ surroundings: { worker: false } });
    const late = await idle.call("POST", PATH, { body: feedback(), headers: { prefer: "wait=0" } });
    expect([late.status, late.headers.get("preference-applied")]).toEqual([202, null]);
    const { call } = await startHttpService({ feedback: { approval: true } });
    expect(await call("POST", PATH, { body: feedback(), headers: { prefer: "wait=60" } })).toMatchObject({
      status: 202,
      body: { success: true, status: "waiting_for_approval", workflow_id: expect.stringMatching(/^workflow-/) },
    });
  });

  it("is answered when the service closes, even if the client is waiting for the result", async () => {
    const { call, close, engine } = await startHttpService({ surroundings: { worker: false } });
    const waiting = call("POST", PATH, { body: feedback(), headers: { prefer: "wait=60" } });
    await expect.poll(() => engine.list()).toHaveLength(1);
    await close();
    const [{ id }] = (await engine.list()) as [Run];
    expect(await waiting).toMatchObject({ status: 202, body: { status: "processing", workflow_id: id } });
  });

  it("uses Idempotency-Key as the run's key if the body has none", async () => {
    const { call, engine } = await startHttpService();
    const { feedback_id: _, ...rest } = feedback();
    for (const key of ['"F-7"', "F-7"]) {
      const headers = { "idempotency-key": key };
      expect(await call("POST", PATH, { body: rest, headers })).toMatchObject({
        status: 202,
        body: { feedback_id: "F-7" },
      });
    }
    expect(await engine.list()).toHaveLength(1);
    const reused = { ...rest, subject: "Something else" };
    expect(await call("POST", PATH, { body: reused, headers: { "idempotency-key": "F-7" } })).toMatchObject({
      status: 422,
      body: { error_code: "idempotency_key_reused" },
    });
    expect(await call("POST", PATH, { body: { ...reused, feedback_id: "F-7" } })).toMatchObject({
      status: 409,
      body: { error_code: "conflict", error_type: "conflict" },
    });
    // The body has the run's key; a client that sends a new header with every request does not
    // create another run.
    const other = { body: { ...rest, feedback_id: "F-7" }, headers: { "idempotency-key": "another" } };
    expect(await call("POST", PATH, other)).toMatchObject({ status: 202, body: { feedback_id: "F-7" } });
    expect(await engine.list()).toHaveLength(1);
  });

  it("can be looked up by its key, and an unknown key is answered with a problem", async () => {
    const { call } = await startHttpService();
    const answer = await call("GET", `${PATH}/F-404`);
    expect(answer).toMatchObject({ status: 404, body: { status: 404, error_code: "not_found" } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("can be looked up by an id with any characters", async () => {
    const { call, workflow } = await startHttpService();
    for (const feedback_id of ["a/b", "batch", "100 % sure?", "é#1", "../x"]) {
      await workflow.run(feedback({ feedback_id }));
      const path = `${PATH}/${encodeURIComponent(feedback_id)}`;
      expect(await call("GET", path)).toMatchObject({ status: 200, body: { feedback_id } });
    }
  });
});

describe("the batch route", () => {
  it("returns one result for each line, in order, and names invalid lines", async () => {
    const { call } = await startHttpService();
    const lines = [
      feedback({ feedback_id: "B-1" }),
      "no JSON",
      feedback({ feedback_id: "B-2", customer_id: "C-404" }),
      "",
      feedback({ feedback_id: "B-1" }),
      [1],
      { feedback_id: "B-3" },
    ].map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    const { status, headers, text } = await call("POST", `${PATH}/batch`, {
      body: lines.join("\n"),
      headers: { "content-type": "application/jsonl" },
    });
    expect([status, headers.get("content-type")]).toEqual([200, "application/jsonl"]);
    const results = text.trimEnd().split("\n");
    expect(results.map((line) => JSON.parse(line) as object)).toMatchObject([
      { line: 1, success: true, feedback_id: "B-1" },
      {
        line: 2,
        success: false,
        error_code: "malformed_line",
        error: expect.stringMatching(/^Line 2 is not valid JSON/),
      },
      { line: 3, success: false, error_code: "customer_not_found", feedback_id: "B-2" },
      { line: 5, success: true, duplicate: true },
      { line: 6, success: false, error_code: "malformed_line" },
      { line: 7, success: false, error_code: "invalid_parameters" },
    ]);
  });

  it("answers while the rest of the body is still to come", async () => {
    const { port, call } = await startHttpService();
    const headers = { "content-type": "application/x-ndjson", authorization: "Bearer writer-0123456789abcdef" };
    const sending = request({ port, host: "127.0.0.1", method: "POST", path: `${PATH}/batch`, headers });
    const answered = new Promise<NodeJS.ReadableStream>((resolve) => sending.on("response", resolve));
    sending.write(`${JSON.stringify(feedback({ feedback_id: "S-1" }))}\n`);
    const lines = on(createInterface({ input: await answered }), "line", { close: ["close"] });
    expect(JSON.parse(((await lines.next()).value as [string])[0])).toMatchObject({ feedback_id: "S-1" });
    sending.end(JSON.stringify(feedback({ feedback_id: "S-2" })));
    expect(JSON.parse(((await lines.next()).value as [string])[0])).toMatchObject({ feedback_id: "S-2" });
    expect((await lines.next()).done).toBe(true);
    expect(keysOf(await call("GET", "/runs"))).toEqual(["S-2", "S-1"]);
  });

  it("accepts nothing more once the client has disconnected", async () => {
    const { port, engine } = await startHttpService();
    const headers = { "content-type": "application/jsonl", authorization: "Bearer writer-0123456789abcdef" };
    const sending = request({ port, host: "127.0.0.1", method: "POST", path: `${PATH}/batch`, headers });
    sending.on("error", () => {});
    const answered = new Promise<NodeJS.ReadableStream>((resolve) => sending.on("response", resolve));
    sending.write(`${JSON.stringify(feedback({ feedback_id: "G-1" }))}\n`);
    const answer = await answered;
    await new Promise((resolve) => answer.once("data", resolve));
    sending.destroy();
    expect((await engine.list()).map(({ key }) => key)).toEqual(["G-1"]);
  });
});

describe("runs", () => {
  it("are listed in linked pages, or filtered", async () => {
    const { call, workflow, refunds } = await startHttpService();
    await refunds.run({ refund_id: "R-1", order_id: "O-1", amount: 30 });
    await workflow.run(feedback({ feedback_id: "F-1" }));
    await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip" }));
    const first = await call("GET", "/runs?limit=2");
    expect(keysOf(first)).toEqual(["F-2", "F-1"]);
    const [, next] = /^<([^>]+)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
    const second = await call("GET", next!);
    expect([keysOf(second), second.headers.get("link")]).toEqual([["R-1"], null]);
    expect(keysOf(await call("GET", "/runs?workflow=refund&status=completed"))).toEqual(["R-1"]);
    expect(keysOf(await call("GET", "/runs?input[customer_id]=C-vip"))).toEqual(["F-2"]);
    expect(keysOf(await call("GET", "/runs?started_before=2001-01-01T00:00:00Z"))).toEqual([]);
    expect(keysOf(await call("GET", "/runs?key=F-2"))).toEqual(["F-2"]);
    expect(keysOf(await call("GET", "/runs?key=F-2&status=completed&started_since=2001-01-01T00:00:00Z"))).toEqual([
      "F-2",
    ]);
    for (const other of ["status=failed", "started_before=2001-01-01T00:00:00Z", "input[customer_id]=C-1"])
      expect(keysOf(await call("GET", `/runs?key=F-2&${other}`))).toEqual([]);
  });

  it("can be shown with their history, cancelled and retried", async () => {
    const { call, workflow } = await startHttpService({ feedback: { approval: true } });
    const { workflow_id: id } = await workflow.run(feedback());
    expect(await call("GET", `/runs/${id}/history`)).toMatchObject({
      status: 200,
      body: { history: expect.arrayContaining([expect.objectContaining({ step: "feedback_stored" })]) },
    });
    expect(await call("POST", `/runs/${id}/cancel`)).toMatchObject({ body: { status: "cancelled", changed: true } });
    expect(await call("POST", `/runs/${id}/retry`)).toMatchObject({ body: { changed: true } });
    expect(await call("POST", `/runs/${id}/retry`)).toMatchObject({ status: 200, body: { changed: false } });
    expect(await call("GET", "/runs/workflow-none")).toMatchObject({
      status: 404,
      body: { error_code: "unknown_run" },
    });
  });
});

describe("tools", () => {
  it("are called as a model would: leniently, and as chosen by a model", async () => {
    const { call, mails } = await startHttpService();
    const args = { customer_id: "C-1", subject: "Dear friend", feedback_text: "I love it!", feedback_id: null };
    const result = await call("POST", "/tools/process_customer_feedback", { body: { ...args, sentiment: "none" } });
    expect(result).toMatchObject({
      status: 200,
      body: { success: true, feedback_id: expect.stringMatching(/^auto-/) },
    });
    // What a model wrote is not repeated to a customer that it chose.
    expect(mails.mails.map(({ parsed }) => parsed.subject)).toEqual([expect.stringMatching(/^RE: your feedback/)]);
    expect(
      await call("POST", "/tools/analyze_feedback_sentiment", { token: "reader", body: { text: "I love it!" } }),
    ).toMatchObject({ status: 200, body: { sentiment: "positive" } });
    expect(await call("POST", "/tools/get_refund_limit", { body: {} })).toMatchObject({ status: 200 });
  });

  it("answer with a problem that names the fields", async () => {
    const { call } = await startHttpService();
    expect(await call("POST", "/tools/process_customer_feedback", { body: { subject: "x" } })).toMatchObject({
      status: 422,
      body: {
        error_code: "invalid_parameters",
        fields: [{ field: "customer_id" }, { field: "feedback_text" }],
      },
    });
    expect(await call("POST", "/tools/analyze_feedback_sentiment", { body: { text: "" } })).toMatchObject({
      status: 422,
      body: { fields: [{ field: "text", message: "must not be empty" }] },
    });
    const unknown = { customer_id: "C-404", subject: "x", feedback_text: "y", feedback_id: "F-1" };
    expect(await call("POST", "/tools/process_customer_feedback", { body: unknown })).toMatchObject({
      status: 422,
      body: { error_code: "customer_not_found", feedback_id: "F-1" },
    });
  });
});

describe("pipelines", () => {
  it("refresh one customer, or accept many as JSON Lines", async () => {
    const { call } = await startHttpService();
    const path = "/pipelines/customer-data";
    const asAdmin = { token: "admin" } as const;
    expect(await call("POST", `${path}/refresh_customer`, { ...asAdmin, body: { customer_id: "C-1" } })).toMatchObject({
      status: 200,
      body: { customer_id: "C-1", found: true },
    });
    const { status, text } = await call("POST", `${path}/import_customers`, {
      ...asAdmin,
      body: ['{"id":"N-1","email":"n@example.org"}', "no JSON", '{"id":"N-2"}'].join("\n"),
      headers: { "content-type": "application/jsonl" },
    });
    expect(status).toBe(200);
    expect(JSON.parse(text.trimEnd().split("\n").at(-1)!)).toMatchObject({ loaded: 2, invalid: 1 });
    expect(await call("POST", `${path}/refresh_customer`, { body: { customer_id: "C-1" } })).toMatchObject({
      status: 403,
    });
  });
});

describe("health", () => {
  it("is open to everyone, and says which part does not work", async () => {
    let graph = (): Promise<void> => Promise.resolve();
    const { call } = await startHttpService({
      api: {
        checks: { database: async () => {}, graph: () => graph(), queue: async () => ({ oldest_due_seconds: 3 }) },
      },
    });
    expect(await call("GET", "/livez", { token: undefined })).toMatchObject({ status: 200, body: { status: "ok" } });
    expect(await call("GET", "/readyz", { token: undefined })).toMatchObject({
      status: 200,
      body: { status: "ok", parts: { database: { status: "ok" }, queue: { status: "ok", oldest_due_seconds: 3 } } },
    });
    graph = () => Promise.reject(new Error("secret details"));
    const broken = await call("GET", "/readyz", { token: undefined });
    expect(broken).toMatchObject({
      status: 503,
      body: { status: "unavailable", parts: { graph: { status: "unavailable" } } },
    });
    expect(broken.text).not.toContain("secret");
    expect(await call("GET", "/livez")).toMatchObject({ status: 200 });
  });

  it("is checked once for all concurrent callers", async () => {
    const answer = Promise.withResolvers<void>();
    const graph = vi.fn<() => Promise<void>>(() => answer.promise);
    const pages = vi.fn<() => Promise<undefined>>(() => Promise.resolve(undefined));
    const { call } = await startHttpService({ api: { checks: { graph }, pages } });
    const together = Promise.all([call("GET", "/readyz"), call("GET", "/readyz"), call("GET", "/readyz")]);
    await vi.waitFor(() => expect(pages).toHaveBeenCalledTimes(3));
    answer.resolve();
    expect((await together).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(graph).toHaveBeenCalledOnce();
    await call("GET", "/readyz");
    expect(graph).toHaveBeenCalledTimes(2);
  });
});

describe("the id of a request", () => {
  it("is passed on to the answer and the log", async () => {
    const lines: object[] = [];
    const log = (entry: object): void => void lines.push(entry);
    const { call } = await startHttpService({ api: { logger: { info: log, error: log, warn: log, debug: log } } });
    const headers = {
      "x-request-id": "req-1",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    };
    const { headers: answered } = await call("GET", `${PATH}/F-secret?x=ada@example.org`, { headers });
    expect(answered.get("x-request-id")).toBe("req-1");
    expect(lines).toEqual([
      {
        method: "GET",
        route: `${PATH}/:feedback_id`,
        status: 404,
        ms: expect.any(Number),
        request_id: "req-1",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        caller: "writer",
      },
    ]);
    expect(answered.get("x-content-type-options")).toBe("nosniff");
    expect(answered.get("content-security-policy")).toContain("default-src 'none'");
  });
});
