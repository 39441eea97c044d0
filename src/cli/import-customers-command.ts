import type { Command } from "commander";
import { CustomerRecord, type CustomerField, type CustomerIssue } from "../integrations/customers/customer-source.ts";
import type { LoadCounts } from "../pipelines/customer-data-pipeline.ts";
import { plainName } from "../row-file/column-name.ts";
import { readAssignments } from "./assignments.ts";
import { addExamples, collect, isUrl, settingsFrom, type GlobalOptions } from "./command.ts";
import { host, located } from "./host.ts";
import { interruptible } from "./interruption.ts";
import { count, dim, oneLine, plural, print, printJson, styled } from "./output.ts";
import { createProgress } from "./progress.ts";

const SHOWN_ISSUES = 20;
const SHOWN_COLUMNS = 20;

interface ImportOptions extends GlobalOptions {
  map: string[];
}

interface UnreadColumn {
  column: string;
  /** The field that its name may have meant. */
  similar?: CustomerField;
}

interface Import {
  counts: LoadCounts;
  /** The first of them. */
  issues: CustomerIssue[];
  /** Rows with faults that were taken all the same. */
  mended: number;
  unread: UnreadColumn[];
}

/** `import-customers`: all customers of a file or service into the knowledge graph. */
export function addImportCustomersCommand(program: Command): void {
  const command = program
    .command("import-customers")
    .summary("load customers into the knowledge graph")
    .description(
      "Load all customers of a file (.csv, .tsv, .json, .jsonl) or an HTTP source into the knowledge graph. Doing it again " +
        "replaces what the source says and adds nothing twice. Columns: id, name, email, segment, lifetime_value, do_not_contact.",
    )
    .argument("<file|url>", "where the customers are; an HTTP URL is that of the list of all")
    .option("--map <field=column>", "take a field from a column or property of another name; repeatable", collect, [])
    .action(async (location: string, _options, command: Command) => {
      const options = command.optsWithGlobals<ImportOptions>();
      const result = await load(location, options);
      show(result, options);
      host().exitCode = result.counts.invalid === 0 ? 0 : 1;
    });
  addExamples(
    command,
    ["import-customers customers.csv", "a file"],
    ["import-customers crm.csv --map id=Number --map do_not_contact=opt_out", "columns of other names"],
    ["import-customers https://crm.example.com/customers", "a service (CUSTOMER_SOURCE_TOKEN holds its token)"],
  );
}

const load = (location: string, options: ImportOptions): Promise<Import> =>
  interruptible(async (signal) => {
    const settings = settingsFrom(options);
    const { openOntologyStore } = await import("../application.ts");
    const { createCustomerSource } = await import("../integrations/customers/create-customer-source.ts");
    const { CustomerDataPipeline } = await import("../pipelines/customer-data-pipeline.ts");

    const fields = Object.fromEntries(readAssignments("--map", "column", options.map, CustomerRecord.keyof().options));
    const token = settings.customerSourceToken;
    const customerSource = createCustomerSource(isUrl(location) ? location : located(location), {
      fields,
      ...(token !== undefined && { token }),
    });
    const ontologyStore = await openOntologyStore(settings);
    const progress = createProgress("Loading customers");
    const result: Import = { counts: { loaded: 0, invalid: 0 }, issues: [], mended: 0, unread: [] };
    try {
      result.counts = await new CustomerDataPipeline({ customerSource, ontologyStore }).loadAll({
        signal,
        onProgress: ({ loaded, invalid }) => progress.update(`${count(loaded)} loaded, ${count(invalid)} invalid`),
        onInvalid: (issue) => {
          if (!issue.skipped) result.mended += 1;
          if (result.issues.length < SHOWN_ISSUES) result.issues.push(issue);
        },
        onUnreadColumn: (column, similar) => result.unread.push({ column, ...(similar && { similar }) }),
      });
    } finally {
      progress.stop();
      await ontologyStore.close();
    }
    return result;
  });

function show({ counts, issues, mended, unread }: Import, { json }: GlobalOptions): void {
  if (json) {
    return printJson({
      ...counts,
      issues: issues.map(({ place, id, message, skipped }) => ({
        place,
        ...(id !== undefined && { customer_id: id }),
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
    print(`  ${oneLine(`${place}${who}: ${message}`)}${skipped ? "" : dim(" · customer taken all the same")}`);
  }
  const more = counts.invalid + mended - issues.length;
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
  if (similar === "do_not_contact") return `. If it says who must not be contacted, ${again} (yes: no mail).`;
  if (plainName(column) !== plainName(similar)) return `. Did you mean ${similar}? Then ${again}.`;
  return `: another column is read as ${similar}. Rename one of them, or ${again}.`;
}
