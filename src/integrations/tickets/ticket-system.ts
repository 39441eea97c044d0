export type TicketPriority = "high" | "normal";

/** What support needs to handle a case. The customer's name and address stay in the graph. */
export interface TicketRequest {
  /** The same key gives the same ticket, however often it is requested. */
  key: string;
  feedbackId: string;
  /** What the customer was asked to quote; absent if unknown. */
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

/** The port for ticket systems, which take cases that a person must look at. */
export interface TicketSystem {
  /**
   * Whether the tickets are already in the knowledge graph, as `abi:Ticket`. Default: no, so the
   * workflow stores them there.
   */
  readonly isInGraph?: boolean;

  /**
   * Opens a ticket and returns its id.
   * @throws IoError if the system can't be reached, times out or answers 5xx/429
   * @throws ValidationError if it refuses the content of the ticket
   * @throws UnexpectedError if it refuses us: credentials, rights or URL
   */
  createTicket(request: TicketRequest): Promise<string>;
}
