import { type Command, Option } from "commander";
import { CATEGORIES } from "../../src/analysis/categories.ts";
import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";
import { addExamples, collect, type GlobalOptions } from "../command.ts";

export interface ProcessOptions extends GlobalOptions {
  feedbackId?: string;
  customerId?: string;
  subject?: string;
  text?: string;
  textFile?: string;
  sentiment?: string;
  category?: string[];
  response: boolean;
  input?: string;
}

/** `process`: one piece of feedback, from options, a JSON file or standard input. */
export function addProcessCommand(program: Command): void {
  const command = program
    .command("process")
    .summary("process one piece of feedback")
    .description(
      "Process one piece of feedback: look up the customer, detect sentiment and categories, store everything, " +
        "then answer by email or escalate. The same feedback id is processed once, however often you submit it.",
    )
    .option("--feedback-id <id>", "unique id of the feedback")
    .option("--customer-id <id>", "id of the customer who gave it")
    .option("--subject <line>", "its subject, one line")
    .option("--text <text>", "what the customer wrote (- reads standard input)")
    .option("--text-file <file>", "read the text from a file (- reads standard input)")
    .addOption(new Option("--sentiment <label>", "its sentiment, if someone has already judged it").choices(SENTIMENTS))
    .option(
      "--category <name>",
      `its category, if someone has already sorted it; repeatable (${CATEGORIES.join(", ")})`,
      collect,
    )
    .option("--no-response", "send no email of any kind to the customer")
    .option("--input <file>", "read all fields from one JSON object, in snake_case (- reads standard input)")
    .action(async (_options, command: Command) => {
      const { processOne } = await import("./process-one.ts");
      await processOne(command.optsWithGlobals<ProcessOptions>());
    });
  addExamples(
    command,
    [
      `process --feedback-id F-1 --customer-id C-1001 \\\n      --subject "Login" --text "I cannot log in since yesterday."`,
      "one piece of feedback",
    ],
    [
      `process --feedback-id F-2 --customer-id C-1001 \\\n      --subject "Mail" --text-file - < mail.txt`,
      "read the text from standard input",
    ],
    ["process --input feedback.json --json", "read everything from a file, and print the result as JSON"],
  );
}
