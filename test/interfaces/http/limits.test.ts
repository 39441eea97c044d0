// The limits of the service, and what happens beyond them.
import { once } from "node:events";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Webhook } from "standardwebhooks";
import { callerAt, RateLimit } from "../../../src/interfaces/http/rate-limit.ts";
import { startHttpServer } from "../../../src/interfaces/http/server.ts";
import { WebhookSignatures } from "../../../src/interfaces/http/webhook-signatures.ts";
import { serveConsole } from "../../support/console.ts";
import { feedback } from "../../support/feedback.ts";
import { open, SECRETS, startHttpService, type HttpService } from "../../support/http-service.ts";

describe("streams of events", () => {
  const HEADERS = { authorization: `Bearer ${SECRETS.reader}`, accept: "text/event-stream" };

  async function startWaiting(): Promise<{ service: HttpService; path: string }> {
    const service = await startHttpService({ feedback: { approval: true } });
    const { workflow_id: id } = await service.workflow.run(feedback());
    return { service, path: `/runs/${id}/events` };
  }

  /** An open stream: its first bytes have arrived. */
  async function openStream(url: string): Promise<{ first: string; next: () => Promise<string>; close: () => void }> {
    const controller = new AbortController();
    const response = await fetch(url, { headers: HEADERS, signal: controller.signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    onTestFinished(() => controller.abort());
    const next = async (): Promise<string> => (await reader.read()).value ?? "";
    const first = await next();
    expect(first).toContain(": connected");
    return { first, next, close: () => controller.abort() };
  }

  it("are limited to 200 at a time, and one that ends frees its place", async () => {
    const { service, path } = await startWaiting();
    const streams = await Promise.all(Array.from({ length: 200 }, () => openStream(service.url + path)));
    const refused = await service.call("GET", path, { token: "reader", headers: HEADERS });
    expect(refused).toMatchObject({ status: 503, body: { error_code: "too_many_streams", retriable: true } });
    expect(refused.headers.get("retry-after")).toBe("10");
    streams[0]!.close();
    await expect
      .poll(async () => {
        const controller = new AbortController();
        const { status } = await fetch(service.url + path, { headers: HEADERS, signal: controller.signal });
        controller.abort();
        return status;
      })
      .toBe(200);
  });

  it("send a heartbeat if nothing has happened for 15 seconds", async () => {
    const { service, path } = await startWaiting();
    const { first, next } = await openStream(service.url + path);
    let said = first;
    while (!said.includes("waiting_for_approval")) said += await next();
    const now = performance.now.bind(performance);
    let looks = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + 16_000 * ++looks);
    expect(await next()).toBe(": still there\n\n");
  });
});

describe("the rate limit", () => {
  it("keeps at most 10,000 callers in memory, and drops those whose minute is over first", () => {
    let now = 0;
    const limit = new RateLimit(1, () => now);
    const others = (name: string, count: number): void => {
      for (let index = 0; index < count; index += 1) limit.take(`address ${name} ${index}`);
    };
    others("early", 9999);
    now = 30_000;
    limit.take("address guesser");
    expect(limit.take("address guesser").isAllowed).toBe(false);
    now = 60_000;
    others("later", 1);
    // The table was cleaned up for it, and this minute is not over.
    expect(limit.take("address guesser").isAllowed).toBe(false);
    limit.take("token bot");
    others("many", 10_000);
    expect(limit.take("address guesser").isAllowed).toBe(true);
    expect(limit.take("token bot").isAllowed).toBe(false);
  });

  it.each([
    ["2001:db8:1:2::5", "2001:db8:1:2:ffff:0:0:9", true],
    ["2001:db8::1", "2001:db8:0:0:1::", true],
    ["fe80::1%eth0", "fe80::2", true],
    ["2001:db8:1:2::5", "2001:db8:1:3::5", false],
    ["192.0.2.1", "::ffff:192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
  ])("count %s and %s as one: %s", (one, other, isOne) => {
    expect(callerAt(one) === callerAt(other)).toBe(isOne);
  });
});

describe("signed events", () => {
  const SECRET = `whsec_${Buffer.from("a".repeat(32)).toString("base64")}`;
  const eventOf = (id: string): string =>
    JSON.stringify({ type: "new_feedback", data: { id, customer_id: "C-1", subject: "Hi", text: "I love it!" } });

  function signed(body: string, id: string, time = new Date()): Record<string, string> {
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
      "webhook-signature": new Webhook(SECRET).sign(id, time, body),
    };
  }

  it("have their own limit, which nobody without the secret can use up", async () => {
    const { call } = await startHttpService({
      api: { signatures: new WebhookSignatures([SECRET]), rateLimit: new RateLimit(2, () => 0) },
    });
    const send = async (id: string, headers = signed(eventOf(id), id)): Promise<number> =>
      (await call("POST", "/events", { token: undefined, body: eventOf(id), headers })).status;
    const forged = { ...signed(eventOf("F-0"), "F-0"), "webhook-signature": "v1,Zm9yZ2Vk" };
    expect([await send("F-0", forged), await send("F-0", forged), await send("F-0", forged)]).toEqual([401, 401, 429]);
    expect((await call("GET", "/runs", { token: undefined })).status).toBe(429);
    const first = signed(eventOf("F-1"), "F-1");
    expect([await send("F-1", first), await send("F-1", first), await send("F-2")]).toEqual([202, 429, 202]);
    const third = signed(eventOf("F-3"), "F-3");
    expect(await send("F-3", third)).toBe(429);
  });

  /** As long as it takes to check a signature; over HTTP these would be minutes. */
  const accept = (signatures: WebhookSignatures, id: string, time: Date): void => {
    const headers = new Headers(signed("{}", id, time));
    signatures.accept({ headers } as unknown as Request, Buffer.from("{}"));
  };

  it("are accepted once while their timestamp is valid", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    const signatures = new WebhookSignatures([SECRET]);
    const ahead = new Date(Date.now() + 4.9 * 60_000);
    accept(signatures, "msg_1", ahead);
    vi.setSystemTime(Date.now() + 9.7 * 60_000);
    accept(signatures, "msg_2", new Date());
    expect(() => accept(signatures, "msg_1", ahead)).toThrow("already received");
  });

  it("are remembered 100,000 at a time, so that they don't fill the memory", () => {
    // The signatures' validity doesn't matter here, and checking it takes a while.
    vi.spyOn(Webhook.prototype, "verify").mockReturnValue({});
    const signatures = new WebhookSignatures([SECRET]);
    const headers = new Headers({ "webhook-timestamp": "1800000000", "webhook-signature": "v1,x" });
    const take = (id: string): void => {
      headers.set("webhook-id", id);
      signatures.accept({ headers } as unknown as Request, Buffer.from("{}"));
    };
    for (let index = 0; index < 100_000; index += 1) take(`msg_${index}`);
    expect(() => take("msg_99999")).toThrow("already received");
    expect(() => take("msg_1000")).toThrow("already received");
    for (let index = 0; index < 10; index += 1) take(`more_${index}`);
    take("msg_0");
  });
});

describe("the queue's health", () => {
  it("is late if a run has been due for more than a minute, and the service is ready nevertheless", async () => {
    const service = await serveConsole();
    const counts = vi.spyOn(service.application.engine, "counts");
    counts.mockResolvedValue([{ workflow: "customer-feedback", byStatus: { started: 1 }, oldestDueMs: 61_000 }]);
    const response = await fetch(`${service.url}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: "ok",
      parts: { queue: { status: "late", oldest_due_seconds: 61 } },
    });
  });

  it("is not late before that", async () => {
    const service = await serveConsole();
    const counts = vi.spyOn(service.application.engine, "counts");
    counts.mockResolvedValue([{ workflow: "customer-feedback", byStatus: { started: 1 }, oldestDueMs: 59_000 }]);
    const { parts } = (await (await fetch(`${service.url}/readyz`)).json()) as { parts: object };
    expect(parts).toMatchObject({ queue: { status: "ok", oldest_due_seconds: 59 } });
  });
});

it("a request that does not end is aborted when the drain time is over", async () => {
  const started = Promise.withResolvers<void>();
  const never = (): Promise<Response> => {
    started.resolve();
    return new Promise(() => {});
  };
  const server = await startHttpServer(never, { host: "127.0.0.1", port: 0, drainMs: 50 });
  const socket = await open(Number(new URL(server.url).port));
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await started.promise;
  const closed = once(socket, "close");
  await server.close();
  await expect(closed).resolves.toBeDefined();
});
