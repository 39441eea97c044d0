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
      "Process one piece of feedback: look the customer up, judge sentiment and categories, store it, then answer by mail or escalate. " +
        "The same feedback id is processed once, however often it is submitted.",
    )
    .option("--feedback-id <id>", "identity of the feedback")
    .option("--customer-id <id>", "who gave it")
    .option("--subject <line>", "its subject, one line")
    .option("--text <text>", "what the customer wrote (- reads standard input)")
    .option("--text-file <file>", "the same from a file (- reads standard input)")
    .addOption(new Option("--sentiment <label>", "where somebody has judged it already").choices(SENTIMENTS))
    .option("--category <name>", `where somebody has sorted it already; repeatable (${CATEGORIES.join(", ")})`, collect)
    .option("--no-response", "send no mail of any kind to the customer")
    .option("--input <file>", "all of it as one JSON object with snake_case fields (- reads standard input)")
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
      "the text from a pipe",
    ],
    ["process --input feedback.json --json", "everything from a file, the result as JSON"],
  );
}
