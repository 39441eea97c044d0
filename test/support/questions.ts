import { ABIGraph } from "../../src/ontology/abi-graph.ts";
import type { OntologyStore } from "../../src/ontology/ontology-store.ts";

interface Piece {
  id: string;
  customer: string;
  at: string;
  sentiment?: string;
  categories: string[];
  action?: string;
  answeredAt?: string;
  /** Priority of its ticket, followed by `closed` if somebody has closed it. */
  ticket?: string;
}

const PIECES: readonly Piece[] = [
  {
    id: "F-1",
    customer: "C-1",
    at: "2026-09-30T23:59:59Z",
    categories: ["billing"],
    action: "escalate",
    ticket: "normal",
  },
  {
    id: "F-2",
    customer: "C-1",
    at: "2026-10-01T00:00:00Z",
    categories: ["billing", "bug"],
    action: "escalate",
    ticket: "high",
  },
  {
    id: "F-3",
    customer: "C-1",
    at: "2026-11-20T10:00:00Z",
    sentiment: "positive",
    categories: ["usability"],
    answeredAt: "2026-11-20T10:00:05Z",
  },
  {
    id: "F-4",
    customer: "C-2",
    at: "2026-10-05T12:00:00Z",
    categories: ["billing"],
    action: "escalate",
    ticket: "high closed",
    answeredAt: "2026-10-05T12:00:05Z",
  },
  {
    id: "F-5",
    customer: "C-2",
    at: "2026-11-05T12:00:00Z",
    categories: ["performance"],
    answeredAt: "2026-11-05T12:00:05Z",
  },
  {
    id: "F-6",
    customer: "C-1",
    at: "2026-11-21T10:00:00Z",
    categories: ["bug", "billing", "service"],
    action: "escalate",
  },
];

/** Two customers with feedback, tickets and emails. Everything that identifies them contains `Ada`, `Bo` or `@`, or is a subject. */
export async function fillWithFeedback(store: OntologyStore): Promise<void> {
  const customers = new ABIGraph();
  customers.createEntity("Customer", { id: "C-1", name: "Ada Lovelace", email: "ada@example.com" });
  customers.createEntity("Customer", { id: "C-2", name: "Bo Lund", email: "bo@example.com" });
  await store.insert("customer_data", customers);
  const graph = new ABIGraph();
  for (const {
    id,
    customer,
    at,
    sentiment = "negative",
    categories,
    action = "auto_respond",
    answeredAt,
    ticket,
  } of PIECES) {
    const answered =
      answeredAt === undefined
        ? {}
        : { responseSent: true, responseId: `<${id}@shop>`, responseTime: new Date(answeredAt) };
    const feedback = graph.createEntity("Feedback", {
      id,
      subject: `Subject of ${id}`,
      text: `Text of ${id}`,
      sentiment,
      action,
      timestamp: new Date(at),
      ...answered,
    });
    for (const category of categories) graph.addProperty(feedback, "hasCategory", category);
    graph.createRelationship(feedback, "providedBy", new ABIGraph().createEntity("Customer", { id: customer }));
    if (ticket === undefined) continue;
    const [priority, status = "open"] = ticket.split(" ");
    const ticketEntity = graph.createEntity("Ticket", { id: `T-${id}`, priority, status });
    graph.createRelationship(ticketEntity, "forFeedback", feedback);
  }
  await store.insert("feedback_data", graph);
}

/** Values that would change a query if they were pasted into it, or that are too long for one. */
export const HOSTILE_VALUES: readonly string[] = [
  `"`,
  `'`,
  `\\`,
  `\\"`,
  `" . ?s ?p ?o } #`,
  `C-1" . } UNION { ?customer abi:id ?customer_id } #`,
  `' OR 1=1 --`,
  `"; DROP ALL ; INSERT DATA { <urn:a> <urn:b> "x" } #`,
  `> . <urn:x`,
  `?customer_id`,
  `$customer_id`,
  `{{customer_id}}`,
  `C-1\\u0022 . ?x ?y ?z`,
  `<http://example.org/abi/Customer/C-1>`,
  `"C-1"@en`,
  `"C-1"^^xsd:string`,
  "日本語👩‍👩‍👧",
  "e\u0301",
  "C-1\u0000",
  "C-1\n} #",
  "\u202EC-1",
  "C-\u200B1",
  "\uD800",
  "__proto__",
  "constructor",
  "C-".padEnd(200, "1"),
  "C-".padEnd(201, "1"),
  "C-".padEnd(2_000_000, "1"),
];
