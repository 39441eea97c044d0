export type TicketPriority = "high" | "normal";

/** What support needs to take up a case. Times and addresses stay in the graph. */
export interface TicketRequest {
  /** The same key, the same ticket, however often it is asked for. */
  key: string;
  feedbackId: string;
  /** What the customer was asked to quote; absent where that is not known. */
  reference?: string;
  /** URI of the feedback in the graph. */
  feedbackUri: string;
  customerId: string;
  subject: string;
  text: string;
  sentiment: string;
  categories: string[];
  priority: TicketPriority;
  /** When the feedback came in. */
  createdAt: Date;
}

/** Port: where cases go that a person must look at. */
export interface TicketSystem {
  /** Whether the tickets are in the knowledge graph already, as `abi:Ticket`; default: no, and the workflow notes them there. */
  readonly isInGraph?: boolean;

  /**
   * Opens a ticket and returns its id.
   * @throws IoError where the system can't be reached, times out or answers 5xx/429
   * @throws ValidationError where it refuses the ticket
   */
  createTicket(request: TicketRequest): Promise<string>;
}
