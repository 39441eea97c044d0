import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { IoError } from "../src/errors.ts";
import { HttpClient } from "../src/http-client.ts";
import { serve, serveAt, type Reply, type ScriptedServer } from "./support/http.ts";

const client = (server: ScriptedServer, options: { retries?: number; timeoutMs?: number; token?: string } = {}) =>
  new HttpClient({ name: "test service", url: server.origin, timeoutMs: 60_000, retries: 2, ...options });

const at = (server: ScriptedServer, path = "/") => ({ url: new URL(path, server.origin), maxBytes: 1000 });

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail("it went well"),
    (error: Error) => error,
  );

describe("the HTTP client", () => {
  test.each([408, 429, 500, 502, 503])("retries after HTTP %i", async (status) => {
    const server = await serve({ status }, { body: "ok" });
    expect(await client(server).send(at(server))).toMatchObject({ status: 200, text: "ok" });
    expect(server.requests).toHaveLength(2);
  });

  test("retries after a broken connection", async () => {
    const server = await serve((_, response) => void response.destroy(), { body: "ok" });
    expect(await client(server).send(at(server))).toMatchObject({ text: "ok" });
  });

  test("retries after an answer that breaks off in the middle", async () => {
    const server = await serve(
      (_, response) => {
        response.writeHead(200, { "content-length": "10" }).write("half", () => response.destroy());
      },
      { body: "whole" },
    );
    expect(await client(server).send(at(server))).toMatchObject({ text: "whole" });
  });

  test("gives up after the configured retries, with the status and nothing else in the message", async () => {
    const server = await serve({ status: 503, body: "secret stack trace" });
    const error = await failure(client(server, { token: "t0ps3cret" }).send(at(server)));
    expect(error).toBeInstanceOf(IoError);
    expect(error.message).toBe("The test service is not available at the moment (HTTP 503).");
    expect(server.requests).toHaveLength(3);
  });

  test.each([400, 401, 403, 404, 409, 422, 501])("returns HTTP %i at once", async (status) => {
    const server = await serve({ status, body: "no" });
    expect(await client(server).send(at(server))).toMatchObject({ status, text: "no" });
    expect(server.requests).toHaveLength(1);
  });

  test.each<[string, Reply]>([
    ["HTTP 500", { status: 500 }],
    ["HTTP 503", { status: 503 }],
    ["a connection that breaks off", (_, response) => void response.destroy()],
  ])("does not retry a request that must not happen twice after %s", async (_, reply) => {
    const server = await serve(reply, { body: "ok" });
    expect(await failure(client(server).send({ ...at(server), repeatable: false }))).toBeInstanceOf(IoError);
    expect(server.requests).toHaveLength(1);
  });

  test("retries even a request that must not happen twice after HTTP 429", async () => {
    const server = await serve({ status: 429 }, { body: "ok" });
    expect(await client(server).send({ ...at(server), repeatable: false })).toMatchObject({ text: "ok" });
  });

  test("retries even a request that must not happen twice if there was no connection", async () => {
    const server = await serve({ body: "never" });
    const port = Number(new URL(server.origin).port);
    await server.close();
    const sending = client(server, { retries: 5 }).send({ ...at(server), repeatable: false });
    const late = await serveAt(port, { body: "ok" });
    expect(await sending).toMatchObject({ text: "ok" });
    expect(late.requests).toHaveLength(1);
  });

  test("retries even a request that must not happen twice if the connection was not made in time", async () => {
    // The first look-up behaves as if the name server were silent. The error comes from Node.js's own client.
    const dispatcher = Symbol.for("undici.globalDispatcher.1");
    const context = globalThis as unknown as Record<symbol, { constructor: new (options: object) => object }>;
    const agent = context[dispatcher]!;
    onTestFinished(() => void (context[dispatcher] = agent));
    let lookups = 0;
    const lookup = (_: string, __: object, found: (error: null, addresses: object[]) => void): void => {
      lookups += 1;
      if (lookups > 1) found(null, [{ address: "127.0.0.1", family: 4 }]);
    };
    context[dispatcher] = new agent.constructor({ connect: { timeout: 100, lookup } }) as never;
    const server = await serve({ body: "ok" });
    const url = new URL(server.origin.replace("127.0.0.1", "localhost"));
    const there = new HttpClient({ name: "test service", url: url.href, timeoutMs: 60_000, retries: 1 });
    expect(await there.send({ url, maxBytes: 10, repeatable: false })).toMatchObject({ text: "ok" });
    expect(lookups).toBe(2);
  });

  test("does not retry before Retry-After", async () => {
    const times: number[] = [];
    const server = await serve(
      (_, response) => {
        times.push(performance.now());
        response.writeHead(429, { "retry-after": "1" }).end();
      },
      (_, response) => {
        times.push(performance.now());
        response.end("ok");
      },
    );
    await client(server).send(at(server));
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(1000);
  });

  test.each([
    ["a date", new Date(Date.now() + 3.6e6).toUTCString(), 3_500_000],
    ["seconds", "60", 60_000],
  ])("leaves a long Retry-After, in %s, to the caller instead of waiting", async (_, retryAfter, atLeast) => {
    const server = await serve({ status: 503, headers: { "retry-after": retryAfter } });
    const error = await failure(client(server).send(at(server)));
    expect(error).toBeInstanceOf(IoError);
    expect((error as IoError).retryAfterMs).toBeGreaterThanOrEqual(atLeast);
    expect(server.requests).toHaveLength(1);
  });

  test("passes Retry-After on, without waiting for it, if it does not retry", async () => {
    const server = await serve({ status: 503, headers: { "retry-after": "30" } });
    const began = performance.now();
    for (const [options, repeatable] of [
      [{ retries: 0 }, true],
      [{ retries: 2 }, false],
    ] as const) {
      const error = await failure(client(server, options).send({ ...at(server), repeatable }));
      expect(error).toMatchObject({ type: "io_error", retryAfterMs: 30_000 });
    }
    // With waiting, it would be a minute.
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(server.requests).toHaveLength(2);
  });

  test("spreads its retries, so that not all clients retry at the same moment", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    onTestFinished(() => void vi.restoreAllMocks());
    const server = await serve({ status: 503 }, { body: "ok" });
    const began = performance.now();
    await client(server).send(at(server));
    expect(performance.now() - began).toBeGreaterThanOrEqual(390);
  });

  test("ignores a Retry-After that makes no sense", async () => {
    const server = await serve({ status: 503, headers: { "retry-after": "soon" } }, { body: "ok" });
    expect(await client(server).send(at(server))).toMatchObject({ text: "ok" });
  });
});

describe("in the HTTP client,", () => {
  test("an endpoint that never answers causes an IoError that says how long we waited", async () => {
    const server = await serve(() => {});
    const error = await failure(client(server, { retries: 1, timeoutMs: 1000 }).send(at(server)));
    expect(error).toMatchObject({ type: "io_error", code: "timeout" });
    expect(error.message).toBe("The test service did not answer within 1 s.");
    expect(server.requests).toHaveLength(2);
  });

  test("an endpoint that stalls in the middle of its answer times out as well", async () => {
    const server = await serve((_, response) => void response.writeHead(200).write("half"));
    const error = await failure(client(server, { retries: 0, timeoutMs: 200 }).send(at(server)));
    expect(error).toMatchObject({ code: "timeout" });
  });

  test("an endpoint that breaks off in the middle of its answer is reported as such", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("half", () => response.destroy());
    });
    const error = await failure(client(server, { retries: 0 }).send(at(server)));
    expect(error).toMatchObject({ type: "io_error", code: "broken_off" });
    expect(error.message).toBe("The test service broke off its answer.");
  });

  test("an abort ends a running request with the signal's reason", async () => {
    const server = await serve(() => {});
    const controller = new AbortController();
    const sending = failure(client(server).send({ ...at(server), signal: controller.signal }));
    await server.received(1);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await sending).toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  test("an abort ends the wait between two attempts", async () => {
    const controller = new AbortController();
    const server = await serve((_, response) => {
      response.on("close", () => controller.abort("stop"));
      response.writeHead(429, { "retry-after": "20" }).end();
    });
    await expect(client(server).send({ ...at(server), signal: controller.signal })).rejects.toBe("stop");
    expect(server.requests).toHaveLength(1);
  });

  test("nothing is sent once the signal has been aborted", async () => {
    const server = await serve({ body: "ok" });
    await expect(client(server).send({ ...at(server), signal: AbortSignal.abort("stop") })).rejects.toBe("stop");
    expect(server.requests).toHaveLength(0);
  });

  test("an unreachable server causes an IoError", async () => {
    const server = await serve({});
    await server.close();
    const error = await failure(client(server, { retries: 0 }).send(at(server)));
    expect(error).toMatchObject({ type: "io_error", code: "unavailable", retriable: true });
    expect(error.message).not.toContain("127.0.0.1");
  });
});

describe("the size limit", () => {
  test("stops an endless answer and closes the connection", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const server = await serve((_, response) => {
      response.on("close", resolve);
      const pour = (): void => void (response.writable && response.write("x".repeat(10_000), () => setImmediate(pour)));
      pour();
    });
    const error = await failure(client(server).send(at(server)));
    expect(error).toMatchObject({ type: "validation_error", code: "answer_too_long" });
    await closed;
  });

  test("applies to the decompressed answer", async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(100_000)));
    });
    expect(await failure(client(server).send(at(server)))).toMatchObject({ code: "answer_too_long" });
  });

  test("allows an answer of exactly its size", async () => {
    const server = await serve({ body: "é".repeat(500) });
    expect(await client(server).send(at(server))).toMatchObject({ status: 200, text: "é".repeat(500) });
  });
});

describe("the HTTP client and redirects", () => {
  test("follows redirects within the server", async () => {
    const server = await serve({ status: 302, headers: { location: "/there?x=1" } }, { body: "ok" });
    expect(await client(server, { token: "t" }).send(at(server, "/here"))).toMatchObject({ text: "ok" });
    expect(server.requests.map(({ path }) => path)).toEqual(["/here", "/there?x=1"]);
  });

  test("never follows a redirect to another server", async () => {
    const thief = await serve({ body: "thanks" });
    const server = await serve({ status: 307, headers: { location: thief.origin } });
    const error = await failure(client(server, { token: "t0ps3cret" }).send(at(server)));
    expect(error).toMatchObject({ type: "unexpected_error", code: "redirect_refused" });
    expect(error.message).not.toContain("URL");
    expect(thief.requests).toHaveLength(0);
  });

  test("stops in a loop", async () => {
    const server = await serve({ status: 302, headers: { location: "/" } });
    expect(await failure(client(server).send(at(server)))).toMatchObject({ code: "redirect_refused" });
    expect(server.requests).toHaveLength(6);
  });

  test("repeats a POST after 307 with its body, and never turns one into a GET", async () => {
    const kept = await serve({ status: 307, headers: { location: "/new" } }, { body: "ok" });
    await client(kept).send({ ...at(kept), json: '{"a":1}' });
    expect(kept.requests[1]).toMatchObject({ method: "POST", path: "/new", body: '{"a":1}' });

    const changed = await serve({ status: 302, headers: { location: "/new" } });
    expect(await failure(client(changed).send({ ...at(changed), json: "{}" }))).toMatchObject({
      code: "redirect_refused",
    });
    expect(changed.requests).toHaveLength(1);
  });

  test("refuses a location that is not a URL", async () => {
    const server = await serve({ status: 302, headers: { location: "http://[" } });
    expect(await failure(client(server).send(at(server)))).toMatchObject({ code: "redirect_refused" });
  });
});

describe("the HTTP client and credentials", () => {
  test("sends the token as a bearer token", async () => {
    const server = await serve({});
    await client(server, { token: "abc" }).send(at(server));
    expect(server.requests[0]?.headers).toMatchObject({ authorization: "Bearer abc", accept: "application/json" });
  });

  test("uses Basic authentication if the URL has a user and a password", async () => {
    const server = await serve({});
    const url = server.origin.replace("//", "//us%40er:p%C3%A4ss@");
    await new HttpClient({ name: "test service", url, timeoutMs: 60_000, retries: 0 }).send({
      url: new URL(url),
      maxBytes: 10,
    });
    const authorization = server.requests[0]?.headers.authorization ?? "";
    expect(Buffer.from(authorization.replace("Basic ", ""), "base64").toString()).toBe("us@er:päss");
  });

  test("refuses a URL of another server before anything is sent", async () => {
    const other = await serve({});
    const server = await serve({});
    await expect(client(server).send(at(other))).rejects.toMatchObject({ code: "redirect_refused" });
    expect(() => client(server).resolve(other.origin)).toThrow("All URLs of the test service must be on one server.");
    expect(other.requests).toHaveLength(0);
  });

  test.each(["ftp://x/", "crm", "", "file:///etc/passwd", "http://user:hunter2@"])("refuses the URL %j", (url) => {
    const open = () => new HttpClient({ name: "test service", url, timeoutMs: 1, retries: 0 });
    expect(open).toThrow("The URL of the test service must be an absolute http:// or https:// URL.");
  });

  test("refuses a token that could not be sent, without revealing it", () => {
    const open = () => new HttpClient({ name: "x", url: "http://x", token: "geheim\nX: y", timeoutMs: 1, retries: 0 });
    expect(open).toThrow(/^A header or the token for the x holds characters that HTTP does not allow\.$/);
  });
});

describe("options that can't work", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ timeoutMs: -1 }, /^timeoutMs of the x must be a whole number from 1 to 2147483647\.$/],
    [{ timeoutMs: 0 }, /timeoutMs/],
    [{ timeoutMs: Number.NaN }, /timeoutMs/],
    [{ timeoutMs: "30" }, /timeoutMs/],
    [{ timeoutMs: 2 ** 31 }, /timeoutMs/],
    [{ timeoutMs: Infinity }, /timeoutMs/],
    [{ retries: -1 }, /^retries of the x must be a whole number from 0\.$/],
    [{ retries: 1.5 }, /retries/],
    [{ token: "" }, /^token of the x is empty/],
  ])("are refused: %o", (options, message) => {
    const open = () => new HttpClient({ name: "x", url: "http://x", timeoutMs: 1, retries: 0, ...options });
    expect(open).toThrow(expect.objectContaining({ name: "ValidationError", message: expect.stringMatching(message) }));
  });
});
