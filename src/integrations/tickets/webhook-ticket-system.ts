import { IoError } from "../../errors.ts";
import { HttpClient, isWebPage, refusal } from "../../http-client.ts";
import { identifier } from "../../identifier.ts";
import { withoutAbsent } from "../../json.ts";
import { HTTP_RETRY } from "../../retry-policies.ts";
import { ticketId } from "./ticket-id.ts";
import type { TicketRequest, TicketSystem } from "./ticket-system.ts";

const MAX_ANSWER_BYTES = 1_000_000;

export interface WebhookTicketSystemOptions {
  /** URL to which tickets are posted. */
  url: string;
  /** Sent as `Authorization: Bearer …`. */
  token?: string;
  /** Time limit for one attempt, in milliseconds; default 10000. */
  timeoutMs?: number;
  /** Further attempts after a failed one; default 3. */
  retries?: number;
}

/**
 * Posts tickets as JSON to a URL: `feedback_id, reference, feedback_uri, customer_id, subject,
 * text, sentiment, categories, priority, created_at`. The header `Idempotency-Key` is the same for
 * every attempt at one ticket, so the other side can recognise a repetition. The answer's `id` or
 * `ticket_id` is the ticket's id; without one, it is derived from the key. If the answer is a web
 * page, `createTicket` throws an `IoError`, because the page comes from a proxy or a wrong URL.
 */
export class WebhookTicketSystem implements TicketSystem {
  readonly #url: URL;
  readonly #client: HttpClient;

  /** @throws ValidationError for an invalid URL, token or number */
  constructor({ url, token, timeoutMs = 10_000, retries = HTTP_RETRY.retries }: WebhookTicketSystemOptions) {
    this.#client = new HttpClient({
      name: "ticket system",
      url,
      timeoutMs,
      retries,
      ...withoutAbsent({ token }),
    });
    this.#url = this.#client.resolve(url);
  }

  async createTicket(request: TicketRequest): Promise<string> {
    const { status, text } = await this.#client.send({
      url: this.#url,
      json: JSON.stringify(toWire(request)),
      headers: { "idempotency-key": headerValue(request.key) },
      maxBytes: MAX_ANSWER_BYTES,
    });
    if (status < 200 || status > 299) {
      throw refusal(
        "ticket system",
        status,
        `The ticket system refused the ticket (HTTP ${status}). Check its URL, our credentials and the fields it needs.`,
        "ticket_rejected",
      );
    }
    if (isWebPage(text)) {
      throw new IoError(
        "The ticket system's URL answered with a web page, so we don't know whether the ticket was created. Check the URL, and that no proxy answers instead of the ticket system.",
        { code: "unreadable_answer" },
      );
    }
    return idIn(text) ?? ticketId(request.key);
  }
}

const toWire = (request: TicketRequest) => ({
  feedback_id: request.feedbackId,
  ...withoutAbsent({ reference: request.reference }),
  feedback_uri: request.feedbackUri,
  customer_id: request.customerId,
  subject: request.subject,
  text: request.text,
  sentiment: request.sentiment,
  categories: request.categories,
  priority: request.priority,
  created_at: request.createdAt.toISOString(),
});

/**
 * The key unchanged if a header can hold it. Otherwise, or if it contains a `%`, it is
 * percent-encoded, so different keys stay different.
 */
const headerValue = (key: string): string =>
  /^[\x21-\x24\x26-\x7E]+$/.test(key) ? key : encodeURIComponent(key.toWellFormed());

/** Undefined if the answer is not JSON or has no id. */
function idIn(text: string): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof answer !== "object" || answer === null) return undefined;
  const { id, ticket_id: ticketId } = answer as { id?: unknown; ticket_id?: unknown };
  return [id, ticketId].map((value) => TICKET_ID.safeParse(value)).find(({ success }) => success)?.data;
}

const TICKET_ID = identifier("Id of a ticket.");
