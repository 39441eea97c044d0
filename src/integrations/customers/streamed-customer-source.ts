import type { CustomerRecord, CustomerRequest, CustomerSource } from "./customer-source.ts";
import { CustomerFields, readCustomer } from "./read-customer.ts";

/**
 * Reads customers from a stream of objects, whose fields may be spelled as in files. The stream can
 * be listed only once.
 */
export class StreamedCustomerSource implements Pick<CustomerSource, "list"> {
  readonly #items: AsyncIterable<unknown>;

  constructor(items: AsyncIterable<unknown>) {
    this.#items = items;
  }

  async *list(request: CustomerRequest): AsyncGenerator<CustomerRecord> {
    const fields = new CustomerFields();
    let item = 0;
    for await (const value of this.#items) {
      item += 1;
      const { record, issues } = readCustomer(fields.pick(value), `item ${item}`);
      for (const issue of issues) request.onIssue?.(issue);
      if (record) yield record;
    }
    fields.report(request);
  }
}
