import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { createTicketSystem } from "../../../src/integrations/tickets/create-ticket-system.ts";
import { GraphTicketSystem } from "../../../src/integrations/tickets/graph-ticket-system.ts";
import { ticketId } from "../../../src/integrations/tickets/ticket-id.ts";
import type { TicketRequest } from "../../../src/integrations/tickets/ticket-system.ts";
import { WebhookTicketSystem } from "../../../src/integrations/tickets/webhook-ticket-system.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { ABI, PREFIXES, RDF } from "../../../src/ontology/vocabulary.ts";

const ticket: TicketRequest = {
  key: "F-1",
  feedbackId: "F-1",
  feedbackUri: "http://example.org/abi/Feedback/F-1",
  customerId: "C-1",
  subject: "Broken",
  text: "It is broken",
  sentiment: "negative",
  categories: ["bug"],
  priority: "high",
  createdAt: new Date("2026-11-22T10:00:00Z"),
};

async function open() {
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  onTestFinished(() => ontologyStore.close());
  const triples = async () =>
    (await ontologyStore.getGraph("feedback_data"))
      .map(({ subject, predicate, object }) => [subject.value, predicate.value, object.value].join(" "))
      .sort();
  return { ontologyStore, system: new GraphTicketSystem({ ontologyStore }), triples };
}

test("writes a ticket and links it to its feedback", async () => {
  const { system, triples } = await open();
  const id = await system.createTicket(ticket);
  expect(id).toMatch(/^TICKET-[0-9A-V]{10}$/);
  const uri = `http://example.org/abi/Ticket/${id}`;
  expect(await triples()).toEqual(
    [
      `${uri} ${RDF}type ${ABI}Ticket`,
      `${uri} ${ABI}id ${id}`,
      `${uri} ${ABI}priority high`,
      `${uri} ${ABI}status open`,
      `${uri} ${ABI}forFeedback ${ticket.feedbackUri}`,
    ].sort(),
  );
});

test("opens one ticket if the same key comes twice, at once or later, whatever has changed", async () => {
  const { system, triples } = await open();
  const ids = await Promise.all([system.createTicket(ticket), system.createTicket(ticket)]);
  const before = await triples();
  ids.push(await system.createTicket({ ...ticket, priority: "normal", createdAt: new Date() }));
  expect(new Set(ids).size).toBe(1);
  expect(await triples()).toEqual(before);
});

test("does not change a closed ticket", async () => {
  const { system, ontologyStore, triples } = await open();
  await system.createTicket(ticket);
  const close = `${PREFIXES} DELETE { ?t abi:status "open" } INSERT { ?t abi:status "closed" } WHERE { ?t a abi:Ticket }`;
  await ontologyStore.update("feedback_data", close);
  await system.createTicket(ticket);
  const states = (await triples()).filter((triple) => triple.includes(`${ABI}status`));
  expect(states).toEqual([expect.stringMatching(/ closed$/)]);
});

test("another key opens another ticket", async () => {
  const { system } = await open();
  expect(await system.createTicket(ticket)).not.toBe(await system.createTicket({ ...ticket, key: "F-2" }));
});

test("ids are the same for the same key and differ for others", () => {
  expect(ticketId("F-1")).toBe(ticketId("F-1"));
  const key = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(key, key, (one, other) => {
      expect(ticketId(one)).toMatch(/^TICKET-[0-9A-V]{10}$/);
      expect(ticketId(one) === ticketId(other)).toBe(one === other);
    }),
  );
});

test("createTicketSystem keeps tickets in the graph unless a URL is given", async () => {
  const { ontologyStore } = await open();
  expect(createTicketSystem(undefined, { ontologyStore })).toBeInstanceOf(GraphTicketSystem);
  expect(createTicketSystem("https://tickets.example.com/", { ontologyStore })).toBeInstanceOf(WebhookTicketSystem);
  expect(() => createTicketSystem("tickets", { ontologyStore })).toThrow(/URL of the ticket system must/);
});
