import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { RateLimit } from "../../../src/interfaces/http/rate-limit.ts";
import { feedback } from "../../support/feedback.ts";
import { open, SECRETS, startHttpService, type CallOptions, type HttpService } from "../../support/http-service.ts";

const PATH = "/workflows/customer-feedback";
const BODY = JSON.stringify(feedback());
const AUTHORIZED = `Host: localhost\r\nAuthorization: Bearer ${SECRETS.writer}\r\nContent-Type: application/json\r\n`;

/** Nothing was started, and the service still works. */
async function expectUnharmed({ engine, call }: HttpService): Promise<void> {
  expect(await engine.list()).toEqual([]);
  expect(await call("POST", PATH, { body: BODY })).toMatchObject({ status: 202 });
}

/** The status and the problem document in a raw answer. */
function parsed(answer: string): { status: number; problem: Record<string, unknown> } {
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
  expect(answer).toMatch(/^content-type: application\/problem\+json\r$/im);
  return { status: Number(status), problem: JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)) as never };
}

describe("a bad request is answered with a problem, and nothing is started", () => {
  it.each<[string, string, string, CallOptions, number, string]>([
    ["no token", "POST", PATH, { token: undefined, body: BODY }, 401, "token_missing"],
    [
      "a wrong token",
      "POST",
      PATH,
      { body: BODY, headers: { authorization: "Bearer nobody-0123456789abc" } },
      401,
      "token_invalid",
    ],
    [
      "a token of another kind",
      "POST",
      PATH,
      { body: BODY, headers: { authorization: "Basic YW5uOmFubg==" } },
      401,
      "token_missing",
    ],
    [
      "a token in the query",
      "POST",
      `${PATH}?access_token=${SECRETS.writer}`,
      { token: undefined, body: BODY },
      401,
      "token_missing",
    ],
    ["a token without the scope", "POST", PATH, { token: "reader", body: BODY }, 403, "scope_missing"],
    ["another scope, even admin", "POST", PATH, { token: "admin", body: BODY }, 403, "scope_missing"],
    ["another method", "PUT", PATH, { body: BODY }, 405, "method_not_allowed"],
    ["another method of runs", "DELETE", "/runs/workflow-1", {}, 405, "method_not_allowed"],
    ["another method of sessions", "PUT", "/session", {}, 405, "method_not_allowed"],
    ["no such path", "GET", "/admin", {}, 404, "not_found"],
    ["no such workflow", "POST", "/workflows/other", { body: BODY }, 404, "not_found"],
    ["no such tool", "POST", "/tools/approve_response", { body: {} }, 404, "not_found"],
    [
      "another type",
      "POST",
      PATH,
      { body: BODY, headers: { "content-type": "text/plain" } },
      415,
      "unsupported_media_type",
    ],
    [
      "a form",
      "POST",
      PATH,
      { body: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } },
      415,
      "unsupported_media_type",
    ],
    [
      "a compressed body",
      "POST",
      PATH,
      { body: BODY, headers: { "content-encoding": "gzip" } },
      415,
      "unsupported_media_type",
    ],
    ["another type of batch", "POST", `${PATH}/batch`, { body: BODY }, 415, "unsupported_media_type"],
    ["too much", "POST", PATH, { body: { ...feedback(), x: "x".repeat(1_000_001) } }, 413, "body_too_large"],
    ["no JSON", "POST", PATH, { body: "{" }, 400, "malformed_json"],
    ["an empty body", "POST", PATH, { body: "" }, 400, "malformed_json"],
    ["an array", "POST", PATH, { body: [feedback()] }, 422, "invalid_parameters"],
    ["no such run", "POST", "/runs/workflow-none/cancel", {}, 404, "unknown_run"],
    ["no such page", "GET", "/runs?limit=0", {}, 422, "invalid_parameters"],
    ["no such filter", "GET", "/runs?customer=C-1", {}, 422, "invalid_parameters"],
    ["a page after no run", "GET", "/runs?after=workflow-none", {}, 400, "bad_request"],
    ["approvals after no run", "GET", "/approvals?after=workflow-none", { token: "ann" }, 400, "bad_request"],
    [
      "feedback after no run",
      "POST",
      "/workflows/customer-feedback/operations/list_feedback",
      { token: "reader", body: { after: "workflow-none" } },
      400,
      "bad_request",
    ],
    ["a filter that is given twice", "GET", "/runs?limit=1&limit=2", {}, 400, "bad_request"],
    ["a filter of two kinds", "GET", "/runs?input=1&input[a]=2", {}, 400, "bad_request"],
    [
      "a last event that is none",
      "GET",
      "/runs/workflow-1/events",
      { headers: { "last-event-id": "x" } },
      400,
      "bad_request",
    ],
    [
      "an event of an unknown type",
      "POST",
      "/events",
      { body: { type: "new_moon", data: {} } },
      422,
      "unknown_event_type",
    ],
    [
      "a page of another site",
      "POST",
      PATH,
      { body: BODY, headers: { origin: "https://evil.example" } },
      403,
      "origin_not_allowed",
    ],
    ["a page without a site", "POST", PATH, { body: BODY, headers: { origin: "null" } }, 403, "origin_not_allowed"],
  ])("%s", async (_, method, path, options, status, error_code) => {
    const service = await startHttpService();
    const answer = await service.call(method, path, options);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer).toMatchObject({
      status,
      body: {
        status,
        error_code,
        type: "about:blank",
        detail: expect.any(String),
      },
    });
    expect(answer.headers.get("www-authenticate") ?? "").toMatch(status === 401 ? /^Bearer / : /^(?:Bearer .*)?$/);
    expect(answer.headers.get("allow") ?? "").toMatch(status === 405 ? /OPTIONS/ : /^$/);
    for (const secret of Object.values(SECRETS)) expect(answer.text).not.toContain(secret);
    await expectUnharmed(service);
  });

  it("names every invalid field", async () => {
    const { call } = await startHttpService();
    const body = { feedback_id: "F-1", customer_id: "", subject: "a\nb", feedback_text: "x", mood: "bad" };
    const answer = await call("POST", PATH, { body });
    expect(answer).toMatchObject({ status: 422, body: { error_type: "validation_error", retriable: false } });
    expect((answer.body["fields"] as { field: string }[]).map(({ field }) => field)).toEqual([
      "customer_id",
      "subject",
      "mood",
    ]);
    expect(answer.body["detail"]).toContain("mood");
  });

  it("names the field if a page is after an unknown run; the page after the last run is empty", async () => {
    const { call, workflow } = await startHttpService();
    await workflow.run(feedback());
    const [run] = await workflow.listWorkflows();
    expect(await call("GET", `/runs?after=${run!.workflow_id}`)).toMatchObject({ status: 200, body: { runs: [] } });
    for (const after of ["workflow-none", "", "%00"]) {
      expect(await call("GET", `/runs?after=${after}`)).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining("after"), fields: [{ field: "after" }] },
      });
    }
  });

  it.each([
    ["limit=0", "must be at least 1"],
    ["limit=100000", "must be at most 1000"],
    ["limit=x", "must be a number"],
    ["limit=1.5", "must be a whole number"],
  ])("says in plain words what is wrong with a number: %s", async (query, message) => {
    const { call } = await startHttpService();
    const { status, body } = await call("GET", `/runs?${query}`);
    expect({ status, fields: body["fields"] }).toEqual({ status: 422, fields: [{ field: "limit", message }] });
  });

  it.each<[string, string, number]>([
    ["half a body", `POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: 1000\r\n\r\n{"feedback_id`, 408],
    ["a slow head", `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n`, 408],
    ["10,000 headers", `GET /runs HTTP/1.1\r\n${AUTHORIZED}${"a: b\r\n".repeat(10_000)}\r\n`, 431],
    ["no HTTP", "hello\r\n\r\n", 400],
    ["no host", `GET /runs HTTP/1.1\r\nConnection: close\r\n\r\n`, 400],
    ["a host that is none", `GET /runs HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n`, 400],
    ["two lengths", `POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   `, 400],
    [
      "a length and chunks",
      `POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["a target that is none", `GET \\runs HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`, 400],
    ["a way up", `GET /livez/../../etc/passwd HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`, 404],
    [
      "an encoded way up",
      `GET /docs/%2e%2e%2f%2e%2e%2fetc/passwd HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`,
      404,
    ],
    ["an encoded path without a token", `GET /%72uns HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 401],
    ["two slashes", `GET //runs HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`, 404],
    ["a path with NUL", `GET /runs%00 HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`, 404],
    ["a path that is no UTF-8", `GET /runs/%ff HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`, 404],
    [
      "too much, by its length",
      `POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: 99999999\r\nConnection: close\r\n\r\n`,
      413,
    ],
  ])("%s, over a socket", async (_, bytes, status) => {
    const service = await startHttpService({ api: { bodyTimeoutMs: 100 }, server: { headersTimeoutMs: 100 } });
    const answer = parsed(await service.raw(bytes));
    expect(answer).toMatchObject({ status, problem: { status } });
    await expectUnharmed(service);
  });

  it("a body whose other half never arrives is incomplete, and half a head is not a request", async () => {
    const service = await startHttpService();
    const sendAndEnd = async (bytes: string) => {
      const socket = await open(service.port);
      socket.end(bytes);
      return parsed(await text(socket));
    };
    const head = `POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}`;
    for (const half of [
      `${head}Content-Length: 1000\r\n\r\n{"feedback_id`,
      `${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"fee\r\n`,
    ]) {
      expect(await sendAndEnd(half)).toMatchObject({ status: 400, problem: { error_code: "incomplete_body" } });
    }
    expect(await sendAndEnd(head)).toMatchObject({ status: 400, problem: { error_code: "bad_request" } });
    await expectUnharmed(service);
  });

  it("an unsupported Expect header is refused, and the connection closes", async () => {
    const service = await startHttpService();
    const head = `POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: ${BODY.length}\r\n`;
    const answer = parsed(await service.raw(`${head}Expect: 200-ok\r\n\r\n${BODY}`));
    expect(answer).toMatchObject({ status: 417, problem: { status: 417, error_code: "expectation_failed" } });
    const socket = await open(service.port);
    socket.write(`${head}Connection: close\r\nExpect: 100-continue\r\n\r\n`);
    expect(String((await once(socket, "data"))[0])).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.destroy();
    await expectUnharmed(service);
  });

  it("invalid bytes during an answer break the connection, and add nothing to the answer", async () => {
    const service = await startHttpService();
    const socket = await open(service.port);
    socket.write(`GET /runs/events HTTP/1.1\r\n${AUTHORIZED}\r\n`);
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(String(first)).toMatch(/^HTTP\/1\.1 200 /);
    socket.write("hello\r\n\r\n");
    expect(await text(socket)).not.toContain("HTTP/1.1");
    await expectUnharmed(service);
  });

  it("a body that arrives drop by drop is refused at its time limit", async () => {
    const service = await startHttpService({ api: { bodyTimeoutMs: 300 } });
    const socket = await open(service.port);
    socket.write(`POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: 100000\r\n\r\n`);
    const drops = setInterval(() => socket.write(" "), 20);
    const [first] = (await once(socket, "data")) as [Buffer];
    clearInterval(drops);
    socket.destroy();
    expect(first.toString()).toMatch(/^HTTP\/1\.1 408 /);
    await expectUnharmed(service);
  });

  it.each<[string, string, number]>([
    ["half a body", "Content-Length: 1000\r\n\r\n{", 408],
    ["too much, by its length", "Content-Length: 1000001\r\n\r\n", 413],
    ["too much, in chunks", `Transfer-Encoding: chunked\r\n\r\nf4241\r\n${"x".repeat(1_000_001)}\r\n`, 413],
  ])("%s never reaches another protocol, such as MCP", async (_, rest, status) => {
    const handle = vi.fn<() => Promise<Response>>(() => Promise.resolve(new Response()));
    const api = { mounts: [{ path: "/mcp", handle }], ...(status === 408 && { bodyTimeoutMs: 100 }) };
    const { raw } = await startHttpService({ api });
    const answer = parsed(await raw(`POST /mcp HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n${rest}`));
    expect(answer).toMatchObject({ status, problem: { status } });
    expect(handle).not.toHaveBeenCalled();
  });

  it("a client that disconnects in the middle of its body has started nothing", async () => {
    const service = await startHttpService();
    const socket = await open(service.port);
    socket.write(`POST ${PATH} HTTP/1.1\r\n${AUTHORIZED}Content-Length: ${BODY.length + 1}\r\n\r\n${BODY}`);
    socket.destroy();
    await expectUnharmed(service);
    expect(await service.engine.list()).toHaveLength(1);
  });
});

it("a client that disconnects while it waits is not logged as our error", async () => {
  const lines: { status?: number }[] = [];
  const log = (line: object): void => void lines.push(line);
  const { port, engine } = await startHttpService({
    surroundings: { worker: false },
    api: { logger: { info: log, warn: log, error: log, debug: log } },
  });
  const socket = await open(port);
  socket.write(
    `POST /tools/process_customer_feedback HTTP/1.1\r\n${AUTHORIZED}Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
  );
  await expect.poll(() => engine.list()).toHaveLength(1);
  socket.destroy();
  await expect.poll(() => lines).toHaveLength(1);
  expect(lines).toMatchObject([{ status: 499, route: "/tools/process_customer_feedback" }]);
});

describe("the host name of a request", () => {
  it.each([
    ["localhost", 200],
    ["localhost:1234", 200],
    ["LOCALHOST", 200],
    ["api.example.org", 200],
    ["evil.example", 421],
    ["localhost.evil.example", 421],
    ["api.example.org.", 421],
  ])("decides on the answer: %s gets %i", async (name, status) => {
    const { raw } = await startHttpService({ api: { allowedHosts: ["localhost", "api.example.org"] } });
    const answer = await raw(`GET /openapi.json HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it("doesn't matter for health checks", async () => {
    const { raw } = await startHttpService({ api: { allowedHosts: ["localhost"] } });
    expect(await raw("GET /readyz HTTP/1.1\r\nHost: 10.1.2.3\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe("pages of other sites", () => {
  it("may call the service if they are listed, and read the headers that they need", async () => {
    const { call } = await startHttpService({ api: { corsOrigins: ["https://app.example.org"] } });
    const headers = { origin: "https://app.example.org" };
    const preflight = await call("OPTIONS", PATH, {
      token: undefined,
      headers: {
        ...headers,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example.org");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    const answer = await call("POST", PATH, { headers, body: BODY });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([
      202,
      "https://app.example.org",
    ]);
    const exposed = answer.headers.get("access-control-expose-headers")?.split(",");
    expect(exposed).toEqual(expect.arrayContaining(["Location", "X-Truncated"]));
    expect(
      await call("POST", PATH, { headers: { origin: "https://app.example.org.evil.example" }, body: BODY }),
    ).toMatchObject({
      status: 403,
    });
  });

  it("get no permission unless it is configured, and our own pages need none", async () => {
    const { call, url } = await startHttpService();
    const answer = await call("POST", PATH, { headers: { origin: url }, body: BODY });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([202, null]);
  });
});

describe("too many requests", () => {
  it("are refused for as long as the answer says, for each caller separately", async () => {
    let now = 0;
    const service = await startHttpService({ api: { rateLimit: new RateLimit(2, () => now) } });
    const { call, engine } = service;
    const first = await call("GET", "/runs");
    expect(first.headers.get("ratelimit-policy")).toBe('"default";q=2;w=60');
    expect(first.headers.get("ratelimit")).toBe('"default";r=1;t=60');
    await call("GET", "/runs");
    now = 20_000;
    const refused = await call("POST", PATH, { body: BODY });
    expect(refused).toMatchObject({ status: 429, body: { error_code: "rate_limited", retriable: true } });
    expect(refused.headers.get("retry-after")).toBe("40");
    expect(await engine.list()).toEqual([]);
    expect(await call("GET", "/runs", { token: "reader" })).toMatchObject({ status: 200 });
    expect(await call("GET", "/livez")).toMatchObject({ status: 200 });
    // Guessing tokens is limited as well.
    const guess = { headers: { authorization: "Bearer guess-0123456789abcdef" } };
    const statuses = [
      await call("GET", "/runs", guess),
      await call("GET", "/runs", guess),
      await call("GET", "/runs", guess),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([401, 401, 429]);
    expect(await call("POST", "/session", { body: { token: "guess" } })).toMatchObject({ status: 429 });
    now = 60_000;
    expect(await call("POST", PATH, { body: BODY })).toMatchObject({ status: 202 });
  });
});
