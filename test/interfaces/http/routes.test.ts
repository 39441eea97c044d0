import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { describe, expect, it } from "vitest";
import { feedback, startFeedback } from "../../support/feedback.ts";

type Body = string | Blob | Uint8Array<ArrayBuffer>;

const PATH = "/workflows/customer-feedback";
const BODY = JSON.stringify(feedback());

async function startApi(prepare: (app: Hono) => void = () => {}) {
  const parts = await startFeedback();
  const app = new Hono();
  prepare(app);
  parts.workflow.as_api(app);
  const send = async (method: string, path: string, headers: Record<string, string> = {}, body: Body | null = null) => {
    const response = await app.request(path, { method, headers, ...(body !== null && { body }) });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : (JSON.parse(text) as unknown),
    };
  };
  const post = (headers: Record<string, string>, body: Body | null = BODY) => send("POST", PATH, headers, body);
  return { ...parts, app, send, post };
}

/** The body of every refusal. */
const refusal = (error_code: string, error: string) => ({
  status: "error",
  error: expect.stringContaining(error),
  error_code,
  error_type: "validation_error",
  retriable: false,
  fields: [],
});

describe("the type of a body", () => {
  it.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "application/json; odata=verbose",
    "application/json; charset=utf-8; v=1",
    'application/json ; charset="utf-8"',
    "application/json;",
  ])("is accepted as %s", async (type) => {
    const { post } = await startApi();
    expect(await post({ "content-type": type })).toMatchObject({ status: 202, body: { status: "processing" } });
  });

  it.each([
    "text/plain",
    "text/plain; charset=application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain; application/json",
    "text/json",
    "application/jsonp",
    "application/json-seq",
    "application/merge-patch+json",
    "application/json, text/plain",
    "application/json; charset=utf-8; charset=latin1",
    "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16",
    "",
  ])("is not accepted as %j, which starts nothing", async (type) => {
    const { post, engine } = await startApi();
    expect(await post({ "content-type": type })).toMatchObject({
      status: 415,
      body: refusal("unsupported_media_type", "Content-Type: application/json"),
    });
    expect(await engine.list()).toEqual([]);
  });

  it("is required, because any site's page can send a body without it", async () => {
    const { post, engine } = await startApi();
    for (const body of [new Blob([BODY]), Buffer.from(BODY), null]) {
      expect(await post({}, body)).toMatchObject({ status: 415 });
    }
    // The default type of a text body.
    expect(await post({}, BODY)).toMatchObject({ status: 415 });
    expect(await engine.list()).toEqual([]);
  });

  it("must not be compressed", async () => {
    const { post, engine } = await startApi();
    for (const encoding of ["gzip", "br", "identity, gzip", "x-gzip"]) {
      expect(
        await post({ "content-type": "application/json", "content-encoding": encoding }, gzipSync(BODY)),
      ).toMatchObject({
        status: 415,
        body: refusal("unsupported_media_type", "Content-Encoding"),
      });
    }
    expect(await engine.list()).toEqual([]);
    expect(await post({ "content-type": "application/json", "content-encoding": "identity" })).toMatchObject({
      status: 202,
    });
  });

  it("is accepted, but an empty body is refused", async () => {
    const { post } = await startApi();
    expect(await post({ "content-type": "application/json" }, "")).toMatchObject({
      status: 400,
      body: refusal("malformed_json", "The body is empty"),
    });
  });
});

describe("a method that a path does not have", () => {
  it.each([
    [PATH, ["GET", "HEAD", "PUT", "PATCH", "DELETE", "PROPFIND"], "POST, OPTIONS"],
    [`${PATH}/F-1`, ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"], "GET, HEAD, OPTIONS"],
  ])("is answered with 405 and the allowed methods: on %s, %j", async (path, methods, allow) => {
    const { send, engine } = await startApi();
    for (const method of methods) {
      const { status, headers, body } = await send(
        method,
        path,
        { "content-type": "application/json" },
        method === "GET" || method === "HEAD" ? null : BODY,
      );
      expect([method, status, headers.get("allow")]).toEqual([method, 405, allow]);
      expect(body).toEqual(method === "HEAD" ? undefined : refusal("method_not_allowed", "requests only"));
    }
    const options = await send("OPTIONS", path);
    expect([options.status, options.headers.get("allow"), options.body]).toEqual([204, allow, undefined]);
    expect([...options.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(await engine.list()).toEqual([]);
  });

  it("may be HEAD, which is answered like GET, without a body", async () => {
    const { send, workflow } = await startApi();
    expect(await send("HEAD", `${PATH}/F-1`)).toMatchObject({ status: 404, body: undefined });
    await workflow.run(feedback());
    expect(await send("HEAD", `${PATH}/F-1`)).toMatchObject({ status: 200, body: undefined });
  });

  it("is left to the app on other paths, as preflight requests are to its middleware", async () => {
    const { send, post } = await startApi((app) => app.use(cors({ origin: "https://shop.example" })));
    const headers = { origin: "https://shop.example", "access-control-request-method": "POST" };
    const preflight = await send("OPTIONS", PATH, headers);
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
      204,
      "https://shop.example",
    ]);
    const posted = await post({ ...headers, "content-type": "application/json" });
    expect([posted.status, posted.headers.get("access-control-allow-origin")]).toEqual([202, "https://shop.example"]);
    const refused = await send("PUT", PATH, headers, BODY);
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([405, "https://shop.example"]);
  });

  it("is handled by the app if the app added it first", async () => {
    const { send, app } = await startApi((own) => own.delete(`${PATH}/:id`, (context) => context.json({ own: true })));
    app.get("/health", (context) => context.json({ ok: true }));
    expect(await send("DELETE", `${PATH}/F-1`)).toMatchObject({ status: 200, body: { own: true } });
    expect(await send("GET", "/health")).toMatchObject({ status: 200 });
    expect((await app.request("/workflows/other", { method: "DELETE" })).status).toBe(404);
  });
});
