import type { OntologyStore } from "../../ontology/ontology-store.ts";
import { abi } from "../../ontology/vocabulary.ts";
import { ticketId } from "./ticket-id.ts";
import { ticketGraph } from "./ticket-graph.ts";
import type { TicketRequest, TicketSystem } from "./ticket-system.ts";

const STORE = "feedback_data";

/**
 * Stores tickets with the feedback: in the knowledge graph, store `feedback_data`, as `abi:Ticket`.
 * Call `createTicket` only in a step of a run, because the ticket may not reach the disk before the
 * step's result does.
 */
export class GraphTicketSystem implements TicketSystem {
  readonly isInGraph = true;
  readonly #ontologyStore: OntologyStore;

  constructor({ ontologyStore }: { ontologyStore: OntologyStore }) {
    this.#ontologyStore = ontologyStore;
  }

  /**
   * An existing ticket is not changed. If two callers use the same key, only one creates the
   * ticket.
   */
  async createTicket({ key, feedbackUri, priority }: TicketRequest): Promise<string> {
    const id = ticketId(key);
    const { ticket, graph } = ticketGraph({ id, feedbackUri, priority });
    graph.addProperty(ticket, abi.status, "open");
    const unless = { subject: ticket, predicate: abi.id };
    await this.#ontologyStore.change(STORE, { unless, insert: graph, inStep: true });
    return id;
  }
}
