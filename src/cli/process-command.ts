import { type Command, Option } from "commander";
import { CATEGORIES } from "../analysis/categories.ts";
import { SENTIMENTS } from "../analysis/sentiment-analyzer.ts";
import { addExamples, collect, settingsFrom, usageError, type GlobalOptions } from "./command.ts";
import { host } from "./host.ts";
import type { Settings } from "../settings.ts";
import { readJson, readText, STDIN } from "./input.ts";
import { note, print, printJson } from "./output.ts";
import { resultText } from "./result-view.ts";
import { withApplication } from "./with-application.ts";

interface ProcessOptions extends GlobalOptions {
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
      const options = command.optsWithGlobals<ProcessOptions>();
      const parameters = await parametersFrom(options);
      const settings = settingsFrom(options);
      const result = await withApplication(settings, ({ workflow }, signal) => workflow.run(parameters, { signal }));
      const { outboxFolder } = await import("../application.ts");
      if (options.json) printJson(result);
      else print(resultText(result, outboxFolder(settings)));
      if (result.error_code === "customer_not_found") noteMissingSource(settings);
      host().exitCode = result.success ? 0 : 1;
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

function noteMissingSource({ customerSource }: Settings): void {
  if (customerSource !== undefined) return;
  note(
    "No customer source is configured. Set CUSTOMER_SOURCE to a file or an HTTP URL with {id} in it, or load customers with: " +
      "abi-workflows import-customers <file>",
  );
}

async function parametersFrom(options: ProcessOptions): Promise<unknown> {
  const { feedbackId, customerId, subject, text, textFile, sentiment, category, response, input } = options;
  const parts = [feedbackId, customerId, subject, text, textFile, sentiment, category];
  if (input !== undefined) {
    if (parts.some((part) => part !== undefined) || !response) {
      throw usageError("--input brings the whole feedback: leave the other options out, or leave --input out.");
    }
    return readJson(input);
  }
  if (text !== undefined && textFile !== undefined) throw usageError("Give either --text or --text-file, not both.");
  const source = text === STDIN ? STDIN : textFile;
  const required = {
    "--feedback-id": feedbackId,
    "--customer-id": customerId,
    "--subject": subject,
    "--text": source ?? text,
  };
  const missing = Object.entries(required).filter(([, value]) => value === undefined);
  if (missing.length > 0) {
    throw usageError(
      `${missing.map(([name]) => name).join(", ")} missing. Give them, or one JSON object with --input.`,
    );
  }
  return {
    feedback_id: feedbackId,
    customer_id: customerId,
    subject,
    feedback_text: source === undefined ? text : await readText(source),
    ...(sentiment === undefined ? {} : { sentiment }),
    ...(category === undefined ? {} : { categories: category }),
    send_response: response,
  };
}
