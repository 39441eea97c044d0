import { ValidationError } from "../errors.ts";
import { createCustomerSource } from "../integrations/customers/create-customer-source.ts";
import { openOntologyStore } from "../parts.ts";
import { CustomerDataPipeline } from "../pipelines/customer-data-pipeline.ts";
import type { GlobalOptions } from "./command.ts";
import { host } from "./host.ts";
import { interruptible } from "./interruption.ts";
import { oneLine, print, printJson } from "./output.ts";
import { loggerFor, settingsFrom } from "./settings.ts";

/** One customer from the source into the graph. */
export const refreshCustomer = (id: string, options: GlobalOptions): Promise<void> =>
  interruptible(async (signal) => {
    const settings = settingsFrom(options);
    const { customerSource: location, customerSourceToken: token } = settings;
    if (location === undefined) {
      throw new ValidationError(
        "There is no source to read the customer from. Set CUSTOMER_SOURCE to a file or an HTTP URL.",
        {
          code: "invalid_configuration",
        },
      );
    }
    const customerSource = createCustomerSource(location, token === undefined ? {} : { token });
    const ontologyStore = await openOntologyStore(settings);
    try {
      const pipeline = new CustomerDataPipeline({ customerSource, ontologyStore, logger: loggerFor(settings) });
      const result = await pipeline.run({ customer_id: id }, { signal });
      if (!result.found) host().exitCode = 1;
      if (options.json) printJson(result);
      else if (result.found) print(`${oneLine(result.customer_id)} is stored as the customer source knows them now.`);
      else print(`The customer source does not know ${oneLine(result.customer_id)}. Nothing was changed.`);
    } finally {
      await ontologyStore.close();
    }
  });
