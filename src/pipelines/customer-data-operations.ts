import { z } from "zod";
import { CustomerRecord, type CustomerIssue } from "../integrations/customers/customer-source.ts";
import { withoutAbsent } from "../json.ts";
import type { CallOptions, DirectOperation, StreamOperation } from "../framework/operation.ts";
import { direct } from "../framework/operation.ts";
import type { CustomerDataPipeline, LoadCounts } from "./customer-data-pipeline.ts";

/** How many faults are reported at a time. Further ones are left out, but all skipped items are counted. */
const SHOWN_ISSUES = 100;

const forOperators = { audience: "operator", scope: "admin" } as const;

const ImportCounts = z.object({
  loaded: z.int().describe("Customers stored so far."),
  invalid: z.int().describe("Items skipped so far."),
  issues: z
    .array(
      z.object({
        place: z.string(),
        customer_id: z.string().optional(),
        message: z.string(),
        skipped: z.boolean().describe("False if the customer was stored anyway."),
      }),
    )
    .describe(`Faults since the last counts, at most ${SHOWN_ISSUES}.`),
});

type Importer = Pick<CustomerDataPipeline, "run" | "importCustomers">;

/** The operations on customers, for operators. */
export const customerDataOperations = (pipeline: Importer): (DirectOperation | StreamOperation)[] => [
  direct("refresh_customer", {
    description: "Read one customer again from the customer source, and store the current values.",
    ...forOperators,
    writes: true,
    input: z.strictObject({
      customer_id: CustomerRecord.shape.id.describe("Id of the customer, as the source knows it."),
    }),
    output: z.object({
      customer_id: z.string(),
      found: z.boolean().describe("False if the source doesn't know the customer; then nothing is changed."),
      customer_uri: z.string().optional(),
    }),
    example: { input: { customer_id: "C-1001" } },
    run: ({ customer_id }, options) => pipeline.run({ customer_id }, options),
  }),
  {
    kind: "stream",
    name: "import_customers",
    description:
      "Store customers, one object each: id, name, email, segment, lifetime_value, do_not_contact. Returns counts " +
      "from time to time, and at the end.",
    ...forOperators,
    input: z.looseObject({
      id: z.union([z.string(), z.number()]).describe("Id of the customer."),
      name: z.string().nullish(),
      email: z.string().nullish(),
      segment: z.string().nullish(),
      lifetime_value: z.union([z.number(), z.string()]).nullish(),
      do_not_contact: z.union([z.boolean(), z.string(), z.number()]).nullish(),
    }),
    output: ImportCounts,
    example: { input: { id: "C-2001", name: "Ann Ford", email: "ann@example.org", segment: "standard" } },
    run: (items, options) => importCounts(pipeline, items, options),
  },
];

/** Counts after every batch that is stored, and at the end. */
async function* importCounts(
  pipeline: Importer,
  items: AsyncIterable<unknown>,
  { signal }: CallOptions,
): AsyncGenerator<z.output<typeof ImportCounts>> {
  let issues: CustomerIssue[] = [];
  const report = (counts: LoadCounts) => {
    const shown = issues.map(({ place, id, message, skipped }) => ({
      place,
      ...withoutAbsent({ customer_id: id }),
      message,
      skipped,
    }));
    issues = [];
    return { ...counts, issues: shown };
  };
  const importing = pipeline.importCustomers(items, {
    ...withoutAbsent({ signal }),
    onInvalid: (issue) => {
      if (issues.length < SHOWN_ISSUES) issues.push(issue);
    },
  });
  try {
    for (;;) {
      const { done, value } = await importing.next();
      yield report(value);
      if (done) return;
    }
  } finally {
    // If the caller stops reading the counts, the import stops too.
    await importing.return({ loaded: 0, invalid: 0 });
  }
}
