import type { Command } from "commander";
import { addExamples, collect, type GlobalOptions } from "../command.ts";

export interface BatchOptions extends GlobalOptions {
  map: string[];
  set: string[];
  output?: string;
}

/** `batch`: a file of feedback. */
export function addBatchCommand(program: Command): void {
  const command = program
    .command("batch")
    .summary("process a file of feedback")
    .description(
      "Process every row of a .csv, .tsv, .jsonl or .json file. Columns have the names of the fields, or are " +
        "mapped to them: customer_id and feedback_text; optionally subject, feedback_id, sentiment, categories and " +
        "send_response. Without a feedback_id, the id is made from the content. Stop it whenever you like and run " +
        "it again: nothing is done twice.",
    )
    .argument("<file>", "the feedback, in UTF-8 or UTF-16")
    .option("--map <field=column>", "read a field from a column with a different name; repeatable", collect, [])
    .option(
      "--set <field=value>",
      "use this value for every row (for subject: only for rows without one); repeatable",
      collect,
      [],
    )
    .option(
      "--output <file>",
      "write the results to this file, one JSON object a line (with --json but no file: to standard output)",
    )
    .action(async (file: string, _options, command: Command) => {
      const { batch } = await import("./batch.ts");
      await batch(file, command.optsWithGlobals<BatchOptions>());
    });
  addExamples(
    command,
    ["batch feedback.csv", "a file whose columns are named like the fields"],
    [
      `batch reviews.jsonl --map feedback_text=text \\\n      --set customer_id=C-1001 --set subject="Product review" --output results.jsonl`,
      "a file of texts only; write the results to a file",
    ],
    ["batch feedback.csv --json | jq 'select(.success | not)'", "what failed, as JSON"],
  );
}
