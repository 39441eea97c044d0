// Every hostile text through every route over HTTP, and a model that obeys them and has a token.
import { createAgent, tool } from "langchain";
import { expect, it } from "vitest";
import { z } from "zod";
import { askAgent, runHostileTexts, type HostileOutcome, type HostileText } from "../../testing/index.ts";
import {
  chatModelOf,
  CUSTOMER,
  hostileConfiguration,
  startObedientModel,
  TEXTS,
  VICTIM,
  watch,
  harmOf,
} from "../support/hostile.ts";
import { startHttpService, type Answer, type HttpService } from "../support/http-service.ts";
import { rawMail, utf8 } from "../support/raw-mail.ts";

async function startHostileHttp(approval = false) {
  const made = await hostileConfiguration({ approval });
  const parts = await startHttpService({ feedback: made.configuration });
  return { ...parts, ...(await watch(parts, made)) };
}

const outcomeOf = ({ status, body, text, headers }: Answer): HostileOutcome => ({
  answers: [text, JSON.stringify([...headers])],
  refusal: status >= 400 ? (body["detail"] as string) : undefined,
});

const parametersOf = ({ feedback }: HostileText) => ({ ...feedback, customer_id: CUSTOMER.id });

/** Waits until the accepted run has ended. */
async function settled({ workflow }: HttpService, { body }: Answer): Promise<void> {
  const id = body["workflow_id"];
  if (typeof id === "string") await workflow.getWorkflowResult(id);
}

type Way = (service: HttpService, text: HostileText) => Promise<HostileOutcome>;

/** Emails have their own ids and line breaks. */
const kept = new Map<string, string>();

const WAYS: Record<string, Way> = {
  "as JSON": async ({ call }, text) =>
    outcomeOf(
      await call("POST", "/workflows/customer-feedback", { headers: { prefer: "wait=60" }, body: parametersOf(text) }),
    ),
  "as an event": async (service, text) => {
    const { feedback_id: id, feedback_text, ...data } = parametersOf(text);
    const body = { type: "new_feedback", data: { id, text: feedback_text, ...data } };
    const answer = await service.call("POST", "/events", { body });
    await settled(service, answer);
    return outcomeOf(answer);
  },
  "as an email": async (service, { name, feedback: { subject, feedback_text }, customerName }) => {
    // A header can't contain line breaks, but a sender can encode them.
    const encoded = (text: string): string => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
    const mail = rawMail(
      {
        From: `${encoded(customerName)} <${CUSTOMER.email}>`,
        "Reply-To": "mallory@evil.example",
        Cc: "mallory@evil.example",
        Subject: encoded(subject),
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
      },
      utf8(feedback_text),
    );
    const response = await fetch(`${service.url}/mail`, {
      method: "POST",
      headers: { authorization: "Bearer writer-0123456789abcdef", "content-type": "message/rfc822" },
      body: new Uint8Array(mail),
    });
    const text = await response.text();
    const receipt = JSON.parse(text) as {
      workflow_id?: string;
      feedback_id?: string;
      detail?: string;
      message?: string;
    };
    if (receipt.workflow_id !== undefined) await service.workflow.getWorkflowResult(receipt.workflow_id);
    if (receipt.feedback_id !== undefined) kept.set(name, receipt.feedback_id);
    return { answers: [text], refusal: receipt.detail ?? receipt.message };
  },
};

it.each(Object.entries(WAYS))("harms nobody %s", async (name, way) => {
  const service = await startHostileHttp();
  const call = (text: HostileText): Promise<HostileOutcome> => {
    service.prepare(text);
    return way(service, text);
  };
  const isStored = async (text: HostileText): Promise<boolean> => {
    const id = kept.get(text.name);
    return id === undefined ? service.watched.isStored(text) : (await service.workflow.view(id)).status === "processed";
  };
  kept.clear();
  const report = await runHostileTexts({ ...service.watched, name, call, isStored });
  expect(harmOf(report)).toBe("");
  expect(report.stored).toBeGreaterThan(0.9 * TEXTS.length);
  expect(report.mails).toBe(report.stored);
});

it("harms nobody in a batch", async () => {
  const service = await startHostileHttp();
  let results: { error?: string }[] | undefined;
  // All in one request, which is sent when the first of them is due.
  const sendAll = async (): Promise<{ error?: string }[]> => {
    const body = TEXTS.map((text) => `${JSON.stringify(parametersOf(text))}\n`).join("");
    const headers = { "content-type": "application/jsonl" };
    const { text } = await service.call("POST", "/workflows/customer-feedback/batch", { headers, body });
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { error?: string });
  };
  const report = await runHostileTexts({
    ...service.watched,
    name: "batch",
    call: async (text) => {
      results ??= await sendAll();
      const result = results[TEXTS.indexOf(text)];
      return { answers: [JSON.stringify(result)], refusal: result?.error };
    },
  });
  expect(harmOf(report)).toBe("");
  expect(results).toHaveLength(TEXTS.length);
  expect(report.stored).toBeGreaterThan(0.9 * TEXTS.length);
  expect(report.mails).toBe(report.stored);
});

it("lets an agent that may submit neither decide nor query, whatever requests it makes", async () => {
  const service = await startHostileHttp(true);
  const request = tool(
    async ({ method, path, body }) => {
      const { status, text } = await service.call(method, path, method === "GET" ? {} : { body });
      return `${status} ${text}`;
    },
    {
      name: "http_request",
      description: "Makes a request to the feedback service.",
      schema: z.object({ method: z.enum(["POST", "GET", "PUT"]), path: z.string(), body: z.string() }),
    },
  );
  const obedient = await startObedientModel({
    moreCalls: (text, { messages }) => {
      const seen = JSON.stringify(messages);
      const run = [...seen.matchAll(/workflow-[0-9a-f-]{36}/g)].at(-1)?.[0] ?? waiting;
      const post = (path: string, body: object) => ({
        name: "http_request",
        args: { method: "POST", path, body: JSON.stringify(body) },
      });
      const { decision = "approve", query = "SELECT * { ?s ?p ?o }", customer = VICTIM.id, recipient } = text.wishes;
      const submission = { ...text.feedback, customer_id: CUSTOMER.id };
      return [
        post("/workflows/customer-feedback", submission),
        { name: "http_request", args: { method: "GET", path: `/approvals/${run}`, body: "" } },
        post(`/approvals/${run}/${decision}`, { rendering, by: "Ann", text: "Pay here", reason: "none" }),
        post("/tools/approve_response", { workflow_id: run, rendering }),
        post("/sparql", { query }),
        post("/events", { type: "approve", data: { workflow_id: run, rendering } }),
        post("/workflows/customer-feedback/operations/list_feedback", { customer_id: customer }),
        post("/tools/process_customer_feedback", { ...submission, customer_id: customer, recipient, approval: false }),
      ];
    },
  });
  const [waiting] = (await service.workflow.listWorkflows({ status: "waiting_for_approval" })).map(
    ({ workflow_id }) => workflow_id,
  );
  const { rendering } = (await service.workflow.getPendingResponse(waiting!))!;
  const model = chatModelOf(obedient);
  const agent = createAgent({ model, tools: [request] });
  const report = await runHostileTexts({
    ...service.watched,
    model: obedient,
    // With this token, it may read all feedback, but neither decide nor write to others.
    secrets: ["viola@private"],
    call: async (text) => {
      service.prepare(text);
      const outcome = await askAgent(agent, text, { customer: CUSTOMER.id });
      const refusal = outcome.answers.find((answer) => /^4\d\d \{/.test(answer));
      return { ...outcome, refusal };
    },
  });
  expect(harmOf(report)).toBe("");
  expect(report.stored).toBeGreaterThan(0.9 * TEXTS.length);
  expect(report.mails).toBe(0);
  const refusals = obedient.calls.filter(({ args }) => String(args["path"]).startsWith("/approvals/"));
  expect(refusals.length).toBeGreaterThan(TEXTS.length);
  expect(new Set(refusals.map(({ result }) => result.slice(0, 3)))).toEqual(new Set(["403"]));
});
