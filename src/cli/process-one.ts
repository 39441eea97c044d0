import { outboxFolder } from "../parts.ts";
import type { Settings } from "../settings.ts";
import { usageError } from "./command.ts";
import { host } from "./host.ts";
import { readJson, readText, STDIN } from "./input.ts";
import { note, print, printJson } from "./output.ts";
import type { ProcessOptions } from "./process-command.ts";
import { resultText } from "./result-view.ts";
import { settingsFrom } from "./settings.ts";
import { withApplication } from "./with-application.ts";

export async function processOne(options: ProcessOptions): Promise<void> {
  const parameters = await parametersFrom(options);
  const settings = settingsFrom(options);
  const result = await withApplication(settings, ({ workflow }, signal) => workflow.run(parameters, { signal }));
  if (options.json) printJson(result);
  else print(resultText(result, outboxFolder(settings)));
  if (result.error_code === "customer_not_found") noteMissingSource(settings);
  host().exitCode = result.success ? 0 : 1;
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
