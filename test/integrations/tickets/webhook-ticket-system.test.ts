import { expect, test } from "vitest";
import { IoError } from "../../../src/errors.ts";
import { ticketId } from "../../../src/integrations/tickets/ticket-id.ts";
import type { TicketRequest } from "../../../src/integrations/tickets/ticket-system.ts";
import {
  WebhookTicketSystem,
  type WebhookTicketSystemOptions,
} from "../../../src/integrations/tickets/webhook-ticket-system.ts";
import { serve, type ScriptedServer } from "../../support/http.ts";

const ticket: TicketRequest = {
  key: "F-1:ticket",
  feedbackId: "F-1",
  feedbackUri: "http://example.org/abi/Feedback/F-1",
  customerId: "C-1",
  subject: "Broken",
  text: 'It\'s "broken"\n{}',
  sentiment: "negative",
  categories: ["bug"],
  priority: "high",
  createdAt: new Date("2026-11-22T10:00:00Z"),
};

const systemOf = (server: ScriptedServer, options: Partial<WebhookTicketSystemOptions> = {}) =>
  new WebhookTicketSystem({ url: `${server.origin}/tickets`, ...options });

test("posts the ticket in snake_case and takes the id from the answer", async () => {
  const server = await serve({ status: 201, json: { id: "T-77" } });
  expect(await systemOf(server, { token: "abc" }).createTicket(ticket)).toBe("T-77");
  const [seen] = server.requests;
  expect(seen).toMatchObject({
    method: "POST",
    path: "/tickets",
    headers: { "content-type": "application/json", "idempotency-key": "F-1:ticket", authorization: "Bearer abc" },
  });
  expect(JSON.parse(seen?.body ?? "")).toEqual({
    feedback_id: "F-1",
    feedback_uri: "http://example.org/abi/Feedback/F-1",
    customer_id: "C-1",
    subject: "Broken",
    text: 'It\'s "broken"\n{}',
    sentiment: "negative",
    categories: ["bug"],
    priority: "high",
    created_at: "2026-11-22T10:00:00.000Z",
  });
});

test.each([
  [{ id: 4711 }, "4711"],
  [{ ticket_id: "A-1" }, "A-1"],
  [{ id: null, ticket_id: 5 }, "5"],
])("reads the id of %j", async (json, id) => {
  expect(await systemOf(await serve({ json })).createTicket(ticket)).toBe(id);
});

test.each([
  { json: {} },
  { json: [] },
  { json: null },
  { status: 204 },
  { body: "OK" },
  { json: { id: "" } },
  { json: { id: "two\nlines" } },
  { json: { id: "x".repeat(201) } },
  { json: { id: { $ne: 1 } } },
])("derives the id from the key if the answer is %j", async (reply) => {
  expect(await systemOf(await serve(reply)).createTicket(ticket)).toBe(ticketId(ticket.key));
});

test("does not take a proxy's page for a ticket", async () => {
  const server = await serve({ body: " <!DOCTYPE html><html><body>Sign in</body></html>" });
  await expect(systemOf(server).createTicket(ticket)).rejects.toMatchObject({
    code: "unreadable_answer",
    retriable: true,
  });
});

test("sends the same idempotency key and body with every attempt", async () => {
  const server = await serve(
    { status: 500 },
    { status: 429, headers: { "retry-after": "0" } },
    { json: { id: "T-1" } },
  );
  expect(await systemOf(server).createTicket(ticket)).toBe("T-1");
  expect(server.requests).toHaveLength(3);
  expect(new Set(server.requests.map(({ headers }) => headers["idempotency-key"]))).toEqual(new Set(["F-1:ticket"]));
  expect(new Set(server.requests.map(({ body }) => body)).size).toBe(1);
});

test("any key can be sent as a header, and no two keys give the same one", async () => {
  const server = await serve({ json: { id: 1 } });
  const keys = ["F 1", "F%201", "F\r\nX-Evil: 1", "Ünï", "\ud800", "", "%"];
  for (const key of keys) await systemOf(server).createTicket({ ...ticket, key });
  const sent = server.requests.map(({ headers }) => headers["idempotency-key"]);
  expect(new Set(sent).size).toBe(keys.length);
  expect(server.requests.some(({ headers }) => "x-evil" in headers)).toBe(false);
});

test.each<[number, string]>([
  [400, "validation_error"],
  [409, "validation_error"],
  [413, "validation_error"],
  [422, "validation_error"],
  [401, "unexpected_error"],
  [403, "unexpected_error"],
  [404, "unexpected_error"],
  [501, "unexpected_error"],
])("HTTP %i means a permanently refused ticket: %s", async (status, type) => {
  const server = await serve({ status, body: "customer C-1 is a secret" });
  await expect(systemOf(server).createTicket(ticket)).rejects.toMatchObject({
    type,
    code: "ticket_rejected",
    message: expect.not.stringContaining("secret"),
  });
  expect(server.requests).toHaveLength(1);
});

test("a system that stays down causes an IoError after the retries", async () => {
  const server = await serve({ status: 502 });
  await expect(systemOf(server, { retries: 1 }).createTicket(ticket)).rejects.toBeInstanceOf(IoError);
  expect(server.requests).toHaveLength(2);
});

test("a system that does not answer causes an IoError after its time-out", async () => {
  const server = await serve(() => {});
  const system = systemOf(server, { timeoutMs: 50, retries: 0 });
  await expect(system.createTicket(ticket)).rejects.toMatchObject({ code: "timeout", retriable: true });
});

test("never posts a ticket to another server", async () => {
  const elsewhere = await serve({ json: { id: 1 } });
  const server = await serve({ status: 307, headers: { location: `${elsewhere.origin}/tickets` } });
  await expect(systemOf(server).createTicket(ticket)).rejects.toMatchObject({ code: "redirect_refused" });
  expect(elsewhere.requests).toHaveLength(0);
});
