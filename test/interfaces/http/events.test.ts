import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { WebhookSignatures } from "../../../src/interfaces/http/webhook-signatures.ts";
import { startHttpService } from "../../support/http-service.ts";

const secretOf = (letter: string): string => `whsec_${Buffer.from(letter.repeat(32)).toString("base64")}`;
const [OLD, NEW, OTHER] = [secretOf("a"), secretOf("b"), secretOf("c")];

const EVENT = { type: "new_feedback", data: { id: "F-1", customer_id: "C-1", subject: "Hi", text: "I love it!" } };
const BODY = JSON.stringify({ ...EVENT, timestamp: "2026-11-29T09:30:00Z" });

interface Signed {
  secret?: string;
  body?: string;
  id?: string;
  time?: Date;
}

function signed({ secret = NEW, body = BODY, id = "msg_1", time = new Date() }: Signed = {}): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(time.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, time, body),
  };
}

const startEvents = () => startHttpService({ api: { signatures: new WebhookSignatures([OLD, NEW]) } });

const MINUTES = 60_000;

describe("events", () => {
  it("are accepted with a token, and answered when they are durable", async () => {
    const { call, workflow } = await startEvents();
    const answer = await call("POST", "/events", { body: EVENT });
    expect(answer).toMatchObject({ status: 202, body: { status: "processing", feedback_id: "F-1" } });
    await workflow.getWorkflowResult(answer.body["workflow_id"] as string);
    const response = { type: "feedback_response", data: { feedback_id: "F-1", response_text: "We have called her." } };
    expect(await call("POST", "/events", { body: response })).toMatchObject({
      status: 200,
      body: { status: "success", action: "response_recorded" },
    });
    expect(await call("POST", "/events", { body: { ...EVENT, data: { id: "F-2" } } })).toMatchObject({
      status: 422,
      body: { fields: expect.arrayContaining([{ field: "customer_id", message: "is missing" }]) },
    });
  });

  it.each([OLD, NEW])(
    "are accepted without a token if they are signed with any of the secrets (%#)",
    async (secret) => {
      const { call } = await startEvents();
      expect(
        await call("POST", "/events", { token: undefined, body: BODY, headers: signed({ secret }) }),
      ).toMatchObject({
        status: 202,
        body: { feedback_id: "F-1" },
      });
    },
  );

  it.each<[string, Record<string, string>]>([
    ["is by another secret", signed({ secret: OTHER })],
    ["is of another body", signed({ body: `${BODY} ` })],
    ["is of another message", { ...signed(), "webhook-id": "msg_2" }],
    ["is of another time", { ...signed(), "webhook-timestamp": String(Math.floor(Date.now() / 1000) - 1) }],
    ["has no time", { ...signed(), "webhook-timestamp": "" }],
    [
      "has a time that is more than a number",
      ((headers) => ({ ...headers, "webhook-timestamp": `${headers["webhook-timestamp"]}x` }))(signed()),
    ],
    [
      "has a time with zeros before it",
      ((headers) => ({ ...headers, "webhook-timestamp": `0${headers["webhook-timestamp"]}` }))(signed()),
    ],
    [
      "is of another version",
      { ...signed(), "webhook-signature": signed()["webhook-signature"]!.replace("v1,", "v2,") },
    ],
    ["is too old", signed({ time: new Date(Date.now() - 6 * MINUTES) })],
    ["is of the future", signed({ time: new Date(Date.now() + 6 * MINUTES) })],
    ["is empty", { ...signed(), "webhook-signature": "" }],
  ])("are refused if the signature %s", async (_, headers) => {
    const { call, engine } = await startEvents();
    expect(await call("POST", "/events", { token: undefined, body: BODY, headers })).toMatchObject({
      status: 401,
      body: { error_code: expect.stringMatching(/^(?:signature_invalid|token_missing)$/) },
    });
    expect(await engine.list()).toEqual([]);
  });

  it("are refused if they are replayed, and accepted if the sender signs them again", async () => {
    const { call, engine } = await startEvents();
    const headers = signed({ time: new Date(Date.now() - MINUTES) });
    const send = (headers: Record<string, string>) =>
      call("POST", "/events", { token: undefined, body: BODY, headers });
    expect(await send(headers)).toMatchObject({ status: 202 });
    expect(await send(headers)).toMatchObject({ status: 409, body: { error_code: "webhook_replayed" } });
    expect(await send(signed())).toMatchObject({ status: 202 });
    expect(await engine.list()).toHaveLength(1);
  });

  it("may be sent again with the same signature if they were not accepted", async () => {
    const { call, engine } = await startEvents();
    const body = JSON.stringify({ type: "new_feedback", data: {} });
    const headers = signed({ body });
    const send = () => call("POST", "/events", { token: undefined, body, headers });
    expect(await send()).toMatchObject({ status: 422 });
    expect(await send()).toMatchObject({ status: 422 });
    expect(await engine.list()).toEqual([]);
  });

  it("that are signed are refused if no secret is set", async () => {
    const { call } = await startHttpService();
    expect(await call("POST", "/events", { token: undefined, body: BODY, headers: signed() })).toMatchObject({
      status: 401,
      body: { error_code: "signature_invalid", detail: expect.stringContaining("HTTP_WEBHOOK_SECRETS") },
    });
  });

  it("with a signature can't call any other route", async () => {
    const { call } = await startEvents();
    for (const [method, path] of [
      ["POST", "/workflows/customer-feedback"],
      ["GET", "/runs"],
      ["GET", "/approvals"],
    ] as const) {
      const body = method === "POST" ? { body: BODY } : {};
      expect(await call(method, path, { token: undefined, headers: signed(), ...body })).toMatchObject({ status: 401 });
    }
  });

  it.each(["secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!"])("need a valid secret, not %j", (secret) => {
    expect(() => new WebhookSignatures([NEW, secret])).toThrow("HTTP_WEBHOOK_SECRETS: secret 2 is not whsec_");
  });
});
