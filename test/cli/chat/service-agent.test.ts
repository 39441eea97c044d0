import { expect, test } from "vitest";
import { ServiceAgent } from "../../../cli/commands/chat/service-agent.ts";
import { ServiceClient } from "../../../cli/service-client.ts";
import { serve } from "../../support/http.ts";

const events = (...parts: ({ type: string } & Record<string, unknown>)[]) => ({
  headers: { "content-type": "text/event-stream" },
  body: parts.map(({ type, ...data }) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`).join(""),
});

const call = { id: "call-1", name: "process_customer_feedback", args: {} };
const waiting = { type: "waiting", mails: [{ workflow_id: "workflow-1", key: "F-1" }] };
const mail = {
  workflow_id: "workflow-1",
  feedback_id: "F-1",
  customer_id: "C-1",
  feedback_text: "I love it!",
  sentiment: "positive",
  categories: ["general"],
  rendering: "0".repeat(64),
  sender: "support@example.com",
  recipient: "ann@example.com",
  subject: "Thank you",
  text: "Thank you!",
  html: "<p>Thank you!</p>",
};
const TEXT = "Waiting for a person's decision: the email for feedback F-1 to customer C-1.";

test("answers as an agent in this process does: it says what waits, and names the tool that makes progress", async () => {
  const progress = { step: "sentiment", phase: "completed" };
  const server = await serve(
    events({ type: "call_started", ...call }, { type: "call_progress", id: call.id, progress }, waiting),
    { json: mail },
    { status: 422, json: { detail: "No.", error_code: "invalid_parameters", error_type: "validation_error" } },
  );
  const agent = new ServiceAgent(new ServiceClient(server.origin, undefined));
  const heard: unknown[] = [];
  const options = { threadId: "t", onToolProgress: (...values: unknown[]) => void heard.push(values) };

  const asked = await agent.ask("Process it", options);
  expect(heard).toEqual([[{ id: call.id, name: call.name }, progress]]);
  expect(asked).toMatchObject({ text: TEXT, review: { actionRequests: [{ mail: { feedback_id: "F-1" } }] } });

  const refused = await agent.decide([{ type: "approve" }], options);
  expect(refused).toMatchObject({ text: TEXT, review: { actionRequests: [{ note: "No." }] } });
});

test("has an answer even if someone has decided on the email before it could be shown", async () => {
  const gone = { detail: "Nothing waits.", error_code: "nothing_waits", error_type: "conflict" };
  const server = await serve(events(waiting), { status: 409, json: gone });
  const agent = new ServiceAgent(new ServiceClient(server.origin, undefined));
  const { text, review } = await agent.ask("Process it");
  expect(text).toBe("A person has decided on every email in the meantime.");
  expect(review?.actionRequests).toEqual([]);
});
