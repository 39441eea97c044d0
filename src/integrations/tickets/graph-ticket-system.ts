import { DataFactory } from "n3";
import { entityUri } from "../../ontology/entity-uri.ts";
import type { OntologyStore } from "../../ontology/ontology-store.ts";
import { PREFIXES } from "../../ontology/vocabulary.ts";
import { ticketId } from "./ticket-id.ts";
import type { TicketRequest, TicketSystem } from "./ticket-system.ts";

const STORE = "feedback_data";

/** One update, so that two callers with the same key can't both find nothing. A ticket that exists stays as people have left it. */
const CREATE_TICKET = `${PREFIXES}
  INSERT {
    ?ticket a abi:Ticket ; abi:id ?id ; abi:priority ?priority ; abi:status "open" ;
      abi:createdAt ?createdAt ; abi:forFeedback ?feedback .
    ?feedback abi:hasTicket ?ticket .
  }
  WHERE { FILTER NOT EXISTS { ?ticket abi:id ?existing } }`;

/** Keeps tickets where the feedback is: in the knowledge graph, store `feedback_data`, as `abi:Ticket`. */
export class GraphTicketSystem implements TicketSystem {
  readonly #ontologyStore: OntologyStore;

  constructor({ ontologyStore }: { ontologyStore: OntologyStore }) {
    this.#ontologyStore = ontologyStore;
  }

  async createTicket({ key, feedbackUri, priority, createdAt }: TicketRequest): Promise<string> {
    const id = ticketId(key);
    await this.#ontologyStore.update(STORE, CREATE_TICKET, {
      ticket: DataFactory.namedNode(entityUri("Ticket", id)),
      feedback: DataFactory.namedNode(feedbackUri),
      id,
      priority,
      createdAt,
    });
    return id;
  }
}
