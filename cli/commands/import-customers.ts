import {
  CustomerRecord,
  type CustomerField,
  type CustomerIssue,
  type CustomerSource,
} from "../../src/integrations/customers/customer-source.ts";
import { createCustomerSource } from "../../src/integrations/customers/create-customer-source.ts";
import { openOntologyStore } from "../../src/application/parts.ts";
import { withoutAbsent } from "../../src/json.ts";
import { CustomerDataPipeline, type LoadCounts, type LoadOptions } from "../../src/pipelines/customer-data-pipeline.ts";
import { normalizedName } from "../../src/row-file/column-name.ts";
import { readAssignments } from "../assignments.ts";
import type { GlobalOptions } from "../command.ts";
import { host, resolvedPath } from "../terminal/host.ts";
import type { ImportOptions } from "./import-customers-command.ts";
import { interruptible } from "../terminal/interruption.ts";
import { count, dim, oneLine, plural, print, printJson, styled } from "../terminal/output.ts";
import { createProgress } from "../terminal/progress.ts";
import { serviceFor } from "../runs/runs.ts";
import { isUrl, settingsFrom } from "../settings.ts";

const SHOWN_ISSUES = 20;
const SHOWN_COLUMNS = 20;

interface UnreadColumn {
  column: string;
  /** The field that was probably meant. */
  similar?: CustomerField;
}

interface Import {
  counts: LoadCounts;
  /** The first `SHOWN_ISSUES`. */
  issues: CustomerIssue[];
  /** How many faults didn't keep a customer from being stored. */
  storedAnyway: number;
  unread: UnreadColumn[];
}

/** Loads all customers of a file or an HTTP source into the graph. */
export async function importCustomers(location: string, options: ImportOptions): Promise<void> {
  const result = await load(location, options);
  show(result, options);
  host().exitCode = result.counts.invalid === 0 ? 0 : 1;
}

const load = (location: string, options: ImportOptions): Promise<Import> =>
  interruptible(async (signal) => {
    const { customerSourceToken: token } = settingsFrom(options);
    const fields = Object.fromEntries(readAssignments("--map", "column", options.map, CustomerRecord.keyof().options));
    const customerSource = createCustomerSource(isUrl(location) ? location : resolvedPath(location), {
      fields,
      ...withoutAbsent({ token }),
    });
    const progress = await createProgress("Loading customers");
    const result: Import = { counts: { loaded: 0, invalid: 0 }, issues: [], storedAnyway: 0, unread: [] };
    try {
      result.counts = await loadAll(customerSource, options, {
        signal,
        onProgress: ({ loaded, invalid }) => progress.update(`${count(loaded)} loaded, ${count(invalid)} invalid`),
        onInvalid: (issue) => {
          if (!issue.skipped) result.storedAnyway += 1;
          if (result.issues.length < SHOWN_ISSUES) result.issues.push(issue);
        },
        onUnreadColumn: (column, similar) => result.unread.push({ column, ...(similar && { similar }) }),
      });
    } finally {
      progress.stop();
    }
    return result;
  });

/** Loads the customers into the graph that the settings name, or into that of a service. */
async function loadAll(
  customerSource: CustomerSource,
  options: GlobalOptions,
  loadOptions: LoadOptions,
): Promise<LoadCounts> {
  const service = await serviceFor(options);
  if (service) {
    const { importInto } = await import("./service-import.ts");
    return importInto(service, customerSource, loadOptions);
  }
  const ontologyStore = await openOntologyStore(settingsFrom(options));
  try {
    return await new CustomerDataPipeline({ customerSource, ontologyStore }).loadAll(loadOptions);
  } finally {
    await ontologyStore.close();
  }
}

function show({ counts, issues, storedAnyway, unread }: Import, { json }: GlobalOptions): void {
  if (json) {
    return printJson({
      ...counts,
      issues: issues.map(({ place, id, message, skipped }) => ({
        place,
        ...withoutAbsent({ customer_id: id }),
        message,
        skipped,
      })),
      ...(unread.length > 0 && { unread_columns: unread }),
    });
  }
  const invalid = `${count(counts.invalid)} invalid`;
  print(`${plural(counts.loaded, "customer")} loaded, ${counts.invalid > 0 ? styled("red", invalid) : invalid}`);
  for (const { place, id, message, skipped } of issues) {
    const who = id === undefined ? "" : ` (${id})`;
    print(
      `  ${oneLine(`${place}${who}: ${message}`)}${skipped || id === undefined ? "" : dim(" · customer stored anyway")}`,
    );
  }
  const more = counts.invalid + storedAnyway - issues.length;
  if (more > 0) print(dim(`  … and ${plural(more, "fault")} more`));
  showUnread(unread);
}

function showUnread(unread: readonly UnreadColumn[]): void {
  const others = unread.filter(({ similar }) => similar === undefined).map(({ column }) => column);
  if (others.length > 0) {
    const more = others.length > SHOWN_COLUMNS ? ` and ${count(others.length - SHOWN_COLUMNS)} more` : "";
    print(dim(oneLine(`  columns that are not read: ${others.slice(0, SHOWN_COLUMNS).join(", ")}${more}`)));
  }
  for (const { column, similar } of unread) {
    if (similar === undefined) continue;
    print(styled("yellow", oneLine(`  the column ${JSON.stringify(column)} is not read${advice(column, similar)}`)));
  }
}

function advice(column: string, similar: CustomerField): string {
  const again = `import again with --map ${similar}=<column>`;
  if (similar === "do_not_contact") return `. If it says who must not be contacted, ${again} (yes means no email).`;
  if (normalizedName(column) !== normalizedName(similar)) return `. Did you mean ${similar}? Then ${again}.`;
  return `: another column is read as ${similar}. Rename one of them, or ${again}.`;
}
