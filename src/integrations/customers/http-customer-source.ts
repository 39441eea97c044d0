import { ValidationError } from "../../errors.ts";
import { HttpClient, refusal } from "../../http-client.ts";
import { withoutAbsent } from "../../json.ts";
import { HTTP_RETRY } from "../../retry-policies.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import { hasEmail } from "./customer-source.ts";
import type { CustomerRecord, CustomerRequest, CustomerSource } from "./customer-source.ts";
import {
  CustomerFields,
  isAmbiguous,
  readCustomer,
  unusableCustomer,
  valueAt,
  type FieldNames,
} from "./read-customer.ts";
import { UrlTemplate } from "./url-template.ts";
import { NumberColumn, type DecimalMark } from "./written-number.ts";

const PLACEHOLDERS = ["id", "include_transactions", "include_interactions"] as const;
const MAX_CUSTOMER_BYTES = 1_000_000;
const MAX_PAGE_BYTES = 32_000_000;

interface Page {
  items: unknown[];
  /** Its number, from 1. */
  page: number;
  /** URL of the next page. */
  next: URL | undefined;
}

export interface HttpCustomerSourceOptions {
  /**
   * URL of one customer: `https://crm.example.com/customers/{id}`. It may also contain
   * `{include_transactions}` and `{include_interactions}`, which become true or false. Without
   * `url`, `get` is refused.
   */
  url?: string;
  /**
   * URL of the customers with a given email address, on the same server:
   * `https://crm.example.com/customers?email={email}`. It answers with one customer, or with one
   * page like those of `listUrl`. Without `emailUrl`, `withEmail` is refused.
   */
  emailUrl?: string;
  /**
   * URL of all customers, on the same server. It answers with a JSON array, or page by page with
   * `{"items": […], "next": "<URL>"}`. `next` is the relative or absolute URL of the next page,
   * absent or null on the last page. Without `listUrl`, `list` is refused.
   */
  listUrl?: string;
  /**
   * Dotted paths to the customers in a page and to the next page's URL; default `items` and `next`.
   */
  itemsPath?: string;
  nextPath?: string;
  /**
   * Dotted paths to the fields in an answer: `{ id: "customerId", email: "contact.emails.0" }`. All
   * other fields are found by their names.
   */
  fields?: FieldNames;
  headers?: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer …`. */
  token?: string;
  /** Time limit for one attempt, in milliseconds; default 5000. */
  timeoutMs?: number;
  /** How often a failed request is retried; default 3. */
  retries?: number;
}

/**
 * Reads customers from any HTTP endpoint that answers in JSON. 404 and 410 mean that a customer is
 * unknown. Transactions and interactions in the answer are not read.
 */
export class HttpCustomerSource implements CustomerSource {
  /** The origin of its URL. */
  readonly name: string;
  readonly #url: UrlTemplate | undefined;
  readonly #emailUrl: UrlTemplate | undefined;
  readonly #listUrl: URL | undefined;
  readonly #itemsPath: string;
  readonly #nextPath: string;
  readonly #fields: FieldNames;
  readonly #client: HttpClient;

  /** @throws ValidationError for an invalid URL, header, token or number, or if there is no URL */
  constructor(options: HttpCustomerSourceOptions) {
    const { url, emailUrl, listUrl, headers, token, timeoutMs = 5000, retries = HTTP_RETRY.retries } = options;
    this.#url = url === undefined ? undefined : new UrlTemplate(url, PLACEHOLDERS);
    this.#emailUrl = emailUrl === undefined ? undefined : new UrlTemplate(emailUrl, ["email"]);
    this.#client = new HttpClient({
      name: "customer source",
      url: url ?? listUrl ?? emailUrl ?? "",
      timeoutMs,
      retries,
      ...withoutAbsent({ headers, token }),
    });
    this.name = new URL(url ?? listUrl ?? emailUrl!).origin;
    if (emailUrl !== undefined) this.#client.resolve(emailUrl);
    this.#listUrl = listUrl === undefined ? undefined : this.#client.resolve(listUrl);
    this.#itemsPath = options.itemsPath ?? "items";
    this.#nextPath = options.nextPath ?? "next";
    this.#fields = options.fields ?? {};
  }

  async get(customerId: string, request: CustomerRequest): Promise<CustomerRecord | undefined> {
    const id = tidyIdentifier(customerId);
    if (this.#url === undefined) throw unconfigured("one customer. Configure one that contains {id}.");
    const url = this.#url.expand({
      id,
      include_transactions: String(request.includeTransactions),
      include_interactions: String(request.includeInteractions),
    });
    if (id === "" || url === undefined) return undefined;
    const answer = await this.#json(url, MAX_CUSTOMER_BYTES, request.signal);
    if (answer === undefined) return undefined;

    const raw = new CustomerFields(this.#fields).pick(answer);
    const { record, issues } = readCustomer({ ...raw, id: raw.id ?? id }, "answer");
    if (record === undefined) throw unusableCustomer(id, issues);
    // A wrong field mapping or a search endpoint must not mix up one customer's address with
    // another's.
    if (record.id !== id) throw invalid(`Asked for customer ${id}, the customer source answered with another one.`);
    for (const issue of issues) request.onIssue?.(issue);
    return record;
  }

  async withEmail(email: string, request: CustomerRequest): Promise<CustomerRecord[]> {
    if (this.#emailUrl === undefined)
      throw unconfigured("finding customers by email address. Configure one that contains {email}.");
    const url = this.#emailUrl.expand({ email });
    const answer = url && (await this.#json(url, MAX_PAGE_BYTES, request.signal));
    if (answer === undefined) return [];
    const listed: unknown = Array.isArray(answer) ? answer : valueAt(answer, this.#itemsPath);
    const fields = new CustomerFields(this.#fields);
    const readings = (Array.isArray(listed) ? listed : [answer]).map((item: unknown, index) =>
      readCustomer(fields.pick(item), `item ${index + 1}`),
    );
    for (const issue of readings.flatMap(({ issues }) => issues)) request.onIssue?.(issue);
    // A search may find more than it should.
    return readings.flatMap(({ record }) => (record && hasEmail(record, email) ? [record] : []));
  }

  /** If there is an ambiguous number (`6.000`), the pages after it are read twice. */
  async *list(request: CustomerRequest): AsyncGenerator<CustomerRecord> {
    if (this.#listUrl === undefined) throw unconfigured("all customers. Configure one for the list, or import a file.");
    const fields = new CustomerFields(this.#fields);
    const numbers = new NumberColumn();
    let mark: Promise<DecimalMark | undefined> | undefined;
    for await (const { items, page, next } of this.#pages(this.#listUrl, 1, request)) {
      const customers = items.map((item) => fields.pick(item));
      for (const { lifetime_value } of customers) numbers.add(lifetime_value);
      for (const [index, customer] of customers.entries()) {
        mark ??= isAmbiguous(customer.lifetime_value) ? this.#decimalMark(numbers, next, page + 1, request) : undefined;
        const { record, issues } = readCustomer(customer, `item ${index + 1} of page ${page}`, await mark);
        for (const issue of issues) request.onIssue?.(issue);
        if (record !== undefined) yield record;
      }
    }
    fields.report(request);
  }

  /** @param numbers the numbers before the page `from`; those in the rest of the list are added */
  async #decimalMark(
    numbers: NumberColumn,
    from: URL | undefined,
    page: number,
    request: CustomerRequest,
  ): Promise<DecimalMark | undefined> {
    const fields = new CustomerFields(this.#fields);
    for await (const { items } of this.#pages(from, page, request)) {
      for (const item of items) numbers.add(fields.pick(item).lifetime_value);
    }
    return numbers.mark;
  }

  async *#pages(from: URL | undefined, firstPage: number, { signal }: CustomerRequest): AsyncGenerator<Page> {
    const seen = new Set<string>();
    let next = from;
    for (let page = firstPage; next !== undefined; page += 1) {
      if (seen.has(next.href)) throw invalid(`Page ${page} of the customer source is the same as an earlier one.`);
      seen.add(next.href);
      const answer = await this.#json(next, MAX_PAGE_BYTES, signal);
      const items: unknown = Array.isArray(answer) ? answer : valueAt(answer, this.#itemsPath);
      if (!Array.isArray(items)) {
        throw invalid(`Page ${page} of the customer source has no array of customers at "${this.#itemsPath}".`);
      }
      next = this.#following(answer, next, page);
      yield { items, page, next };
    }
  }

  #following(answer: unknown, current: URL, page: number): URL | undefined {
    const next = Array.isArray(answer) ? undefined : valueAt(answer, this.#nextPath);
    if (next === undefined || next === null || next === "") return undefined;
    if (typeof next !== "string" || !URL.canParse(next, current.href)) {
      throw invalid(`Page ${page} of the customer source names no URL at "${this.#nextPath}".`);
    }
    return this.#client.resolve(new URL(next, current.href).href);
  }

  /** Undefined for 404 and 410. */
  async #json(url: URL, maxBytes: number, signal: AbortSignal | undefined): Promise<unknown> {
    const { status, text } = await this.#client.send({ url, maxBytes, ...withoutAbsent({ signal }) });
    if (status === 404 || status === 410) return undefined;
    if (status < 200 || status > 299) {
      throw refusal(
        "customer source",
        status,
        `The customer source refused the request (HTTP ${status}). Check its URL and our credentials.`,
        "customer_source_refused",
      );
    }
    try {
      return JSON.parse(text);
    } catch {
      // The error of `JSON.parse` quotes the text, which contains customers' data.
      throw invalid("The customer source did not answer with JSON. Check its URL.");
    }
  }
}

const unconfigured = (what: string): ValidationError =>
  new ValidationError(`The customer source has no URL for ${what}`, { code: "invalid_configuration" });

const invalid = (message: string): ValidationError => new ValidationError(message, { code: "customer_source_invalid" });
