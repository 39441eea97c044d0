import { ValidationError } from "../../src/errors.ts";
import { createCustomerSource } from "../../src/integrations/customers/create-customer-source.ts";
import { openOntologyStore } from "../../src/application/parts.ts";
import { CustomerDataPipeline, type CustomerDataPipelineResult } from "../../src/pipelines/customer-data-pipeline.ts";
import type { Settings } from "../../src/application/settings.ts";
import type { GlobalOptions } from "../command.ts";
import { host } from "../terminal/host.ts";
import { interruptible } from "../terminal/interruption.ts";
import { oneLine, print, printJson } from "../terminal/output.ts";
import { serviceFor } from "../runs/runs.ts";
import { loggerFor, settingsFrom } from "../settings.ts";

const PATH = "/pipelines/customer-data/refresh_customer";

/** Reads one customer from the source into the graph. */
export const refreshCustomer = (id: string, options: GlobalOptions): Promise<void> =>
  interruptible(async (signal) => {
    const service = await serviceFor(options);
    const result = service
      ? ((await service.call(PATH, { json: { customer_id: id }, signal })) as CustomerDataPipelineResult)
      : await refreshHere(id, settingsFrom(options), signal);
    if (!result.found) host().exitCode = 1;
    if (options.json) printJson(result);
    else if (result.found) print(`${oneLine(result.customer_id)} is stored with the customer source's current data.`);
    else print(`The customer source does not know ${oneLine(result.customer_id)}. Nothing was changed.`);
  });

async function refreshHere(id: string, settings: Settings, signal: AbortSignal): Promise<CustomerDataPipelineResult> {
  const { customerSource: location, customerSourceToken: token } = settings;
  if (location === undefined) {
    throw new ValidationError(
      "There is no source to read the customer from. Set CUSTOMER_SOURCE to a file or an HTTP URL.",
      { code: "invalid_configuration" },
    );
  }
  const customerSource = createCustomerSource(location, token === undefined ? {} : { token });
  const ontologyStore = await openOntologyStore(settings);
  try {
    const pipeline = new CustomerDataPipeline({ customerSource, ontologyStore, logger: loggerFor(settings) });
    return await pipeline.run({ customer_id: id }, { signal });
  } finally {
    await ontologyStore.close();
  }
}
