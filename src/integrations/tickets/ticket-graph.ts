import type { NamedNode } from "@rdfjs/types";
import { ABIGraph } from "../../ontology/abi-graph.ts";
import { iri } from "../../ontology/iri.ts";
import type { TicketRequest } from "./ticket-system.ts";

/** What the graph says about a ticket, wherever the ticket itself is stored. */
export function ticketGraph({
  id,
  feedbackUri,
  priority,
}: { id: string } & Pick<TicketRequest, "feedbackUri" | "priority">): {
  ticket: NamedNode;
  graph: ABIGraph;
} {
  const graph = new ABIGraph();
  const ticket = graph.createEntity("Ticket", { id, priority });
  graph.createRelationship(ticket, "forFeedback", iri(feedbackUri));
  return { ticket, graph };
}
