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

/** A decision and its inputs, except the run and the person's name. */
export interface DecisionInput {
  decision: DecidedResponse["decision"];
  fields: Record<string, string | string[]>;
}

interface DecisionCommand<Options extends DecisionOptions> {
  name: DecidedResponse["decision"];
  summary: string;
  /**
   * Reads the inputs. This happens before the data directory is opened, so that waiting for typed
   * input doesn't keep other processes out of it.
   */
  prepare: (options: Options) => DecisionInput | Promise<DecisionInput>;
}

/** `approve`, `edit` and `reject`. */
export function addDecisionCommands(parent: Command): void {
  addDecisionCommand(parent, {
    name: "approve",
    summary: "send an email as it is",
    prepare: ({ rendering }) => ({ decision: "approve", fields: { rendering } }),
  });

  addDecisionCommand<DecisionOptions & { textFile: string; subject?: string }>(parent, {
    name: "edit",
    summary: "send an email with your own text",
    prepare: async ({ rendering, subject, textFile }) => {
      const { readText } = await import("../../terminal/input.ts");
      const text = await readText(textFile);
      return { decision: "edit", fields: { rendering, text, ...withoutAbsent({ subject }) } };
    },
  })
    .requiredOption("--text-file <file>", "the email's new text (- reads standard input)")
    .option("--subject <line>", "the email's new subject (default: unchanged)");

  addDecisionCommand<DecisionOptions & { reason?: string }>(parent, {
    name: "reject",
    summary: "send no email",
    prepare: ({ rendering, reason }) => ({
      decision: "reject",
      fields: { rendering, ...withoutAbsent({ reason }) },
    }),
  }).option("--reason <line>", "why; stored in the result");
}

function addDecisionCommand<Options extends DecisionOptions = DecisionOptions>(
  parent: Command,
  { name, summary, prepare }: DecisionCommand<Options>,
): Command {
  return parent
    .command(name)
    .summary(summary)
    .description(
      `${summary[0]?.toUpperCase()}${summary.slice(1)}; then continue the run and print its result. With ` +
        "DATABASE_URL, a worker continues the run; with --url, the service does. If either takes more than a few " +
        "seconds, the decision is printed instead, and exit code 0 means that the decision is stored, not that the " +
        "email has gone out.",
    )
    .argument("<id>", "workflow id (workflow-…), feedback id or reference")
    .requiredOption("--rendering <hash>", "the email's hash, as shown by `approvals show`")
    .option("--by <name>", "your name, stored with the decision. With --url, the token's name is used")
    .addOption(new Option("--sentiment <label>", "the correct sentiment of the feedback").choices(SENTIMENTS))
    .option("--category <name>", `a correct category of the feedback; repeatable (${CATEGORIES.join(", ")})`, collect)
    .action(async (id: string, _options, command: Command) => {
      const { decideOn } = await import("./decide.ts");
      const options = command.optsWithGlobals<Options>();
      await decideOn(id, options, async () => {
        const { decision, fields } = await prepare(options);
        return { decision, fields: { ...fields, ...labelsIn(options) } };
      });
    });
}

const labelsIn = ({ sentiment, category }: DecisionOptions): DecisionInput["fields"] => ({
  ...withoutAbsent({ sentiment, categories: category }),
});
