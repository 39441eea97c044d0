import { describe, expect, it } from "vitest";
import { feedback, startFeedback } from "../../support/feedback.ts";
import { z } from "zod";
import { createHttpApi } from "../../../src/interfaces/http/http-api.ts";
import { Tokens } from "../../../src/interfaces/http/tokens.ts";
import { direct, durable } from "../../../src/framework/operation.ts";
import { Service } from "../../../src/framework/service.ts";
import { Workflow } from "../../../src/framework/workflow.ts";
import { SECRETS, startHttpService, TOKENS, type CallOptions, type HttpService } from "../../support/http-service.ts";

interface Waiting extends HttpService {
  id: string;
  rendering: string;
}

/** One piece of feedback whose email waits. */
async function startWaiting(api: Parameters<typeof startHttpService>[0] = {}): Promise<Waiting> {
  const parts = await startHttpService({ feedback: { approval: true }, ...api });
  const { workflow_id: id = "" } = await parts.workflow.run(feedback());
  const pending = await parts.workflow.getPendingResponse(id);
  return { ...parts, id, rendering: pending!.rendering };
}

/** Runs that wait for a person with the workflow's own scope. */
class Guarded extends Workflow {
  override readonly name = "guarded";
  override readonly operations = [
    durable("begin", {
      description: "Begin.",
      scope: "admin",
      input: z.strictObject({ id: z.string() }),
      output: z.object({}),
      key: "id",
      run: async (_, { decision }) => {
        await decision("draft");
        return {};
      },
    }),
    ...(["show", "approve"] as const).map((approval) =>
      direct(`${approval}_it`, {
        description: "Decide.",
        audience: "person",
        scope: "admin",
        approval,
        input: z.strictObject({ workflow_id: z.string(), by: z.string().optional() }),
        output: z.object({}),
        run: () => ({}),
      }),
    ),
  ];
}

const asAnn = (body?: unknown): CallOptions => ({ token: "ann", ...(body !== undefined && { body }) });

describe("the approval queue", () => {
  it("requires the scope of the run's workflow", async () => {
    const { engine, workflow } = await startFeedback({ approval: true });
    const guarded = new Guarded({ engine });
    const service = new Service({ engine, workflows: [workflow, guarded] });
    const { app } = createHttpApi(service, { tokens: Tokens.fromSetting(TOKENS), version: "1" });
    const { workflow_id: id } = await guarded.run({ id: "G-1" });
    const status = async (method: string, path: string, secret: string) => {
      const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
      const body = method === "POST" ? { body: "{}" } : {};
      return (await app.request(`http://localhost${path}`, { method, headers, ...body })).status;
    };
    expect(await status("GET", `/approvals/${id}`, SECRETS.ann)).toBe(403);
    expect(await status("POST", `/approvals/${id}/approve`, SECRETS.ann)).toBe(403);
    expect(await status("GET", "/workflows/guarded/G-1", SECRETS.reader)).toBe(403);
    expect(await status("GET", `/approvals/${id}`, SECRETS.admin)).toBe(200);
    // It doesn't reveal whether there is such a run.
    expect(await status("GET", "/approvals/workflow-none", SECRETS.reader)).toBe(403);
  });

  it("leads from the list to a decision and the email", async () => {
    const { call, id, mails, workflow } = await startWaiting();
    const list = await call("GET", "/approvals", asAnn());
    expect(list).toMatchObject({ status: 200, body: { runs: [{ workflow_id: id, status: "waiting_for_approval" }] } });
    const shown = await call("GET", `/approvals/${id}`, asAnn());
    expect(shown).toMatchObject({
      status: 200,
      body: { recipient: "ada@example.org", text: expect.stringContaining("Ada") },
    });
    const { rendering } = shown.body;
    expect(mails.mails).toEqual([]);
    expect(await call("POST", `/approvals/${id}/approve`, asAnn({ rendering }))).toMatchObject({
      status: 200,
      body: { workflow_id: id, decision: "approve", by: "ann" },
    });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: true, response_id: expect.any(String) });
    expect(mails.mails).toHaveLength(1);
    expect(await call("GET", `/approvals/${id}`, asAnn())).toMatchObject({
      status: 404,
      body: { error_code: "nothing_waits" },
    });
  });

  it("sends a person's text instead of ours, or nothing", async () => {
    const { call, id, rendering, workflow, mails } = await startWaiting();
    const text = "Dear Ada, thank you. Ann";
    expect(await call("POST", `/approvals/${id}/edit`, asAnn({ rendering, text }))).toMatchObject({
      status: 200,
      body: { decision: "edit", edited_rendering: expect.any(String) },
    });
    await workflow.getWorkflowResult(id);
    expect(mails.mails.map(({ parsed }) => parsed.text)).toEqual([expect.stringContaining("Dear Ada, thank you. Ann")]);

    const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id: "F-2" }));
    const { body } = await call("GET", `/approvals/${other}`, asAnn());
    const rejection = asAnn({ rendering: body["rendering"], reason: "Called her." });
    expect(await call("POST", `/approvals/${other}/reject`, rejection)).toMatchObject({
      status: 200,
      body: { by: "ann" },
    });
    expect(await workflow.getWorkflowResult(other)).toMatchObject({
      success: true,
      response_withheld: expect.stringContaining("Called her."),
    });
    expect(mails.mails).toHaveLength(1);
  });

  it("stores corrected labels with a decision, and who corrected them", async () => {
    const { call, id, rendering, workflow } = await startWaiting();
    const shown = await call("GET", `/approvals/${id}`, asAnn());
    expect(shown.body).toMatchObject({ sentiment: "positive", categories: ["product"] });
    const wrong = await call("POST", `/approvals/${id}/approve`, asAnn({ rendering, categories: ["refunds"] }));
    expect(wrong).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining("categories[0]: must be one of product, service") },
    });
    const labels = { sentiment: "neutral", categories: ["pricing"] };
    expect(await call("POST", `/approvals/${id}/approve`, asAnn({ rendering, ...labels }))).toMatchObject({
      status: 200,
      body: { by: "ann", ...labels },
    });
    await workflow.getWorkflowResult(id);
    const path = "/workflows/customer-feedback/operations/get_feedback";
    const { body } = await call("POST", path, { token: "reader", body: { feedback_id: "F-1" } });
    expect(body).toMatchObject({ sentiment: "positive", mails: [{ decision: { by: "ann", ...labels } }] });
  });

  it("returns the earlier decision if someone was first, and accepts the same decision again", async () => {
    const { call, id, rendering } = await startWaiting();
    expect(await call("POST", `/approvals/${id}/reject`, asAnn({ rendering }))).toMatchObject({ status: 200 });
    expect(await call("POST", `/approvals/${id}/reject`, asAnn({ rendering }))).toMatchObject({ status: 200 });
    expect(await call("POST", `/approvals/${id}/approve`, asAnn({ rendering }))).toMatchObject({
      status: 409,
      body: {
        error_code: "already_decided",
        standing: { decision: "reject", by: "ann", decided_at: expect.stringMatching(/Z$/) },
      },
    });
  });

  it("returns what waits now to a person who has seen something else", async () => {
    const { call, id, rendering } = await startWaiting();
    const body = { rendering: "0".repeat(64) };
    expect(await call("POST", `/approvals/${id}/approve`, asAnn(body))).toMatchObject({
      status: 409,
      body: { error_code: "decision_outdated", standing: { rendering, recipient: "ada@example.org" } },
    });
  });

  it("requires the rendering, and accepts no name from the body", async () => {
    const { call, id, rendering, workflow } = await startWaiting();
    for (const [field, body] of [
      ["rendering", {}],
      ["rendering", { rendering: "latest" }],
      ["by", { rendering, by: "Bob" }],
      ["workflow_id", { rendering, workflow_id: id }],
    ] as const) {
      const refused = { status: 422, body: { fields: [{ field }] } };
      expect(await call("POST", `/approvals/${id}/approve`, asAnn(body))).toMatchObject(refused);
    }
    expect(await workflow.getPendingResponse(id)).toMatchObject({ rendering });
  });

  it("is missing for a workflow without approvals", async () => {
    const { call, refunds } = await startHttpService();
    await refunds.run({ refund_id: "R-1", order_id: "O-1", amount: 30 });
    const [run] = await refunds.listWorkflows();
    expect(await call("GET", `/approvals/${run!.workflow_id}`, asAnn())).toMatchObject({
      status: 404,
      body: { error_code: "no_approvals" },
    });
  });
});

describe("nobody without the scope approves", () => {
  it.each<[string, (waiting: Waiting) => Promise<unknown>]>([
    [
      "without a token",
      ({ call, id, rendering }) => call("POST", `/approvals/${id}/approve`, { token: undefined, body: { rendering } }),
    ],
    [
      "with a token that reads",
      ({ call, id, rendering }) => call("POST", `/approvals/${id}/approve`, { token: "reader", body: { rendering } }),
    ],
    [
      "with a token that writes",
      ({ call, id, rendering }) =>
        call("POST", `/approvals/${id}/edit`, { token: "writer", body: { rendering, text: "x" } }),
    ],
    [
      "as an administrator",
      ({ call, id, rendering }) => call("POST", `/approvals/${id}/approve`, { token: "admin", body: { rendering } }),
    ],
    [
      "by another spelling of the path",
      ({ call, id, rendering }) => call("POST", `/%61pprovals/${id}/approve`, { body: { rendering } }),
    ],
    [
      "by a path within a path",
      ({ call, id, rendering }) => call("POST", `/runs/x/../../approvals/${id}/approve`, { body: { rendering } }),
    ],
    [
      "by another method",
      ({ call, id, rendering }) =>
        call("POST", `/approvals/${id}/approve`, { body: { rendering }, headers: { "x-http-method-override": "PUT" } }),
    ],
    [
      "as a tool",
      ({ call, id, rendering }) =>
        call("POST", "/tools/approve_response", { body: { workflow_id: id, rendering, by: "Ann" } }),
    ],
    [
      "as an operation",
      ({ call, id, rendering }) =>
        call("POST", "/operations/approve_response", { body: { workflow_id: id, rendering, by: "Ann" } }),
    ],
    [
      "as an operation of the workflow",
      ({ call, id, rendering }) =>
        call("POST", "/workflows/customer-feedback/operations/approve_response", {
          body: { workflow_id: id, rendering, by: "Ann" },
        }),
    ],
    [
      "as an event",
      ({ call, id, rendering }) =>
        call("POST", "/events", {
          body: { type: "approve_response", data: { workflow_id: id, rendering, by: "Ann" } },
        }),
    ],
    [
      "as a field of a submission",
      ({ call }) =>
        call("POST", "/workflows/customer-feedback", { body: feedback({ feedback_id: "F-2", approval: false }) }),
    ],
    [
      "in an event with fields of ours",
      ({ call }) =>
        call("POST", "/events", {
          body: {
            type: "new_feedback",
            data: { id: "F-3", customer_id: "C-1", subject: "Hi", text: "I love it!", approval: false },
          },
        }),
    ],
    [
      "as a line of a batch",
      ({ call, id, rendering }) =>
        call("POST", "/workflows/customer-feedback/batch", {
          body: [
            JSON.stringify({ workflow_id: id, rendering, by: "Ann" }),
            JSON.stringify(feedback({ feedback_id: "F-4", approval: false })),
          ].join("\n"),
          headers: { "content-type": "application/jsonl" },
        }),
    ],
    ["by retrying", ({ call, id }) => call("POST", `/runs/${id}/retry`)],
    ["by submitting it again", ({ call }) => call("POST", "/workflows/customer-feedback", { body: feedback() })],
  ])("%s", async (_, attack) => {
    const waiting = await startWaiting();
    await attack(waiting);
    const { workflow, id, rendering, mails } = waiting;
    expect(await workflow.getPendingResponse(id)).toMatchObject({ rendering });
    const others = (await workflow.listWorkflows()).filter(({ workflow_id }) => workflow_id !== id);
    for (const { workflow_id } of others) await workflow.getWorkflowResult(workflow_id);
    expect(mails.mails).toEqual([]);
  });

  it("on a service that needs no token from this machine", async () => {
    const anonymous = { name: "local", scopes: new Set(["feedback:read", "feedback:write", "admin"] as const) };
    const { call, id, rendering } = await startWaiting({ feedback: { approval: true }, api: { anonymous } });
    expect(await call("GET", `/runs/${id}`, { token: undefined })).toMatchObject({ status: 200 });
    const refused = await call("POST", `/approvals/${id}/approve`, { token: undefined, body: { rendering } });
    expect(refused).toMatchObject({ status: 401, body: { error_code: "token_missing" } });
    expect(refused.headers.get("www-authenticate")).toMatch(/^Bearer /);
    expect(await call("POST", `/approvals/${id}/approve`, asAnn({ rendering }))).toMatchObject({
      status: 200,
      body: { by: "ann" },
    });
  });
});
