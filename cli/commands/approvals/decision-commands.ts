import { Option, type Command } from "commander";
import { CATEGORIES } from "../../../src/analysis/categories.ts";
import { SENTIMENTS } from "../../../src/analysis/sentiment-analyzer.ts";
import { withoutAbsent } from "../../../src/json.ts";
import type { DecidedResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import { collect, type GlobalOptions } from "../../command.ts";

interface DecisionOptions extends GlobalOptions {
  rendering: string;
  by?: string;
  sentiment?: string;
  category?: string[];
}

/** A decision of one kind, with what it needs beside the run and who decides. */
export interface DecisionInput {
  part: DecidedResponse["decision"];
  fields: Record<string, string | string[]>;
}

interface DecisionCommand<Options extends DecisionOptions> {
  name: DecidedResponse["decision"];
  summary: string;
  /** Reads what the decision needs, before anything is opened: nobody has to wait for somebody who types. */
  prepare: (options: Options) => DecisionInput | Promise<DecisionInput>;
}

/** `approve`, `edit` and `reject`. */
export function addDecisionCommands(parent: Command): void {
  addDecisionCommand(parent, {
    name: "approve",
    summary: "let a mail go out as it stands",
    prepare: ({ rendering }) => ({ part: "approve", fields: { rendering } }),
  });

  addDecisionCommand<DecisionOptions & { textFile: string; subject?: string }>(parent, {
    name: "edit",
    summary: "let a mail go out with other words",
    prepare: async ({ rendering, subject, textFile }) => {
      const { readText } = await import("../../terminal/input.ts");
      const text = await readText(textFile);
      return { part: "edit", fields: { rendering, text, ...withoutAbsent({ subject }) } };
    },
  })
    .requiredOption("--text-file <file>", "the mail's new text (- reads standard input)")
    .option("--subject <line>", "its new subject; without this, it stays");

  addDecisionCommand<DecisionOptions & { reason?: string }>(parent, {
    name: "reject",
    summary: "let no mail go out",
    prepare: ({ rendering, reason }) => ({
      part: "reject",
      fields: { rendering, ...withoutAbsent({ reason }) },
    }),
  }).option("--reason <line>", "why not; stored in the result");
}

function addDecisionCommand<Options extends DecisionOptions = DecisionOptions>(
  parent: Command,
  { name, summary, prepare }: DecisionCommand<Options>,
): Command {
  return parent
    .command(name)
    .summary(summary)
    .description(
      `${summary[0]?.toUpperCase()}${summary.slice(1)}; then go on with the run and print its result. With DATABASE_URL a worker goes on ` +
        "with it: where that takes more than a few seconds, what was decided is printed, and the exit code 0 says that the " +
        "decision is kept, not that the mail has gone out.",
    )
    .argument("<id>", "workflow id (workflow-…), feedback id or reference")
    .requiredOption("--rendering <hash>", "which mail: as `approvals show` says")
    .option("--by <name>", "who decides; it is kept. With --url the service knows it by the token")
    .addOption(new Option("--sentiment <label>", "what the feedback really is").choices(SENTIMENTS))
    .option("--category <name>", `what it is really about; repeatable (${CATEGORIES.join(", ")})`, collect)
    .action(async (id: string, _options, command: Command) => {
      const { decideOn } = await import("./decide.ts");
      const options = command.optsWithGlobals<Options>();
      await decideOn(id, options, async () => {
        const { part, fields } = await prepare(options);
        return { part, fields: { ...fields, ...labelsIn(options) } };
      });
    });
}

const labelsIn = ({ sentiment, category }: DecisionOptions): DecisionInput["fields"] => ({
  ...withoutAbsent({ sentiment, categories: category }),
});
