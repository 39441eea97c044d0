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
      "Process every row of a .csv, .tsv, .jsonl or .json file. Columns have the names of the fields, or are mapped to them: " +
        "customer_id, feedback_text, and if you like subject, feedback_id, sentiment, categories, send_response. " +
        "Without a feedback_id the content gives the id. Stop it whenever you like and run it again: what is done is not repeated.",
    )
    .argument("<file>", "the feedback, in UTF-8 or UTF-16")
    .option("--map <field=column>", "take a field from a column of another name; repeatable", collect, [])
    .option(
      "--set <field=value>",
      "the same value for every row; subject: for rows that have none; repeatable",
      collect,
      [],
    )
    .option(
      "--output <file>",
      "write the results here, a JSON object a line (with --json and without this: to standard output)",
    )
    .action(async (file: string, _options, command: Command) => {
      const { batch } = await import("./batch.ts");
      await batch(file, command.optsWithGlobals<BatchOptions>());
    });
  addExamples(
    command,
    ["batch feedback.csv", "a file whose columns have the names of the fields"],
    [
      `batch reviews.jsonl --map feedback_text=text \\\n      --set customer_id=C-1001 --set subject="Product review" --output results.jsonl`,
      "texts without more, the results in a file",
    ],
    ["batch feedback.csv --json | jq 'select(.success | not)'", "what failed, as JSON"],
  );
}
