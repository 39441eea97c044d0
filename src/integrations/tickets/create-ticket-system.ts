import type { OntologyStore } from "../../ontology/ontology-store.ts";
import { GraphTicketSystem } from "./graph-ticket-system.ts";
import type { TicketSystem } from "./ticket-system.ts";
import { WebhookTicketSystem, type WebhookTicketSystemOptions } from "./webhook-ticket-system.ts";

/**
 * Creates a ticket system: in the graph, or at the URL `location`. `options` are only for the URL.
 */
export const createTicketSystem = (
  location: string | undefined,
  { ontologyStore, ...options }: { ontologyStore: OntologyStore } & Omit<WebhookTicketSystemOptions, "url">,
): TicketSystem =>
  location === undefined
    ? new GraphTicketSystem({ ontologyStore })
    : new WebhookTicketSystem({ ...options, url: location });
