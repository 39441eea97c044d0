import { ownOutbox } from "../../src/application/parts.ts";
import type { Settings } from "../../src/application/settings.ts";
import { usageError } from "../command.ts";
import { furtherCommand, host } from "../terminal/host.ts";
import { readJson, readText, STDIN } from "../terminal/input.ts";
import { note, print, printJson } from "../terminal/output.ts";
import type { ProcessOptions } from "./process-command.ts";
import { resultText } from "../result-view.ts";
import { settingsFrom } from "../settings.ts";
import { FEEDBACK_WORKFLOW, serviceFor } from "../runs/runs.ts";
import { concernsEveryRequest, type ServiceClient } from "../service-client.ts";
import { withApplication } from "../with-application.ts";
import { isAbiError, toWireError } from "../../src/errors.ts";
import { withoutAbsent, isObject } from "../../src/json.ts";
import type { CustomerFeedbackResult } from "../../src/workflows/customer-feedback/result.ts";
import { interruptible } from "../terminal/interruption.ts";

export async function processOne(options: ProcessOptions): Promise<void> {
  const parameters = await parametersFrom(options);
  const service = await serviceFor(options);
  if (service) return processAt(service, parameters, options.json === true);
  const settings = settingsFrom(options);
  const result = await withApplication(settings, ({ workflow }, signal) => workflow.run(parameters, { signal }));
  if (options.json) printJson(result);
  else print(resultText(result, ownOutbox(settings)));
  if (result.error_code === "customer_not_found") noteMissingSource(settings);
  host().exitCode = result.success ? 0 : 1;
}

/** Prints the service's result; a refusal as a failed result, as it is without a service. */
const processAt = (service: ServiceClient, parameters: unknown, json: boolean): Promise<void> =>
  interruptible(async (signal) => {
    const result = await processOrRefuse(service, parameters, signal);
    if (json) printJson(result);
    else print(resultText(result, undefined));
    host().exitCode = result.success ? 0 : 1;
  });

/** Returns the service's result for one piece of feedback. A refusal becomes a failed result. */
export async function processOrRefuse(
  service: ServiceClient,
  parameters: unknown,
  signal: AbortSignal,
): Promise<CustomerFeedbackResult> {
  try {
    return (await service.process(FEEDBACK_WORKFLOW, parameters ?? {}, signal)) as CustomerFeedbackResult;
  } catch (error) {
    if (!isAbiError(error) || !["validation_error", "conflict"].includes(error.type) || concernsEveryRequest(error))
      throw error;
    const { feedback_id, customer_id } = isObject(parameters) ? (parameters as Partial<CustomerFeedbackResult>) : {};
    return {
      feedback_id: feedback_id ?? "",
      customer_id: customer_id ?? "",
      success: false,
      steps_completed: [],
      ...toWireError(error),
    };
  }
}

function noteMissingSource({ customerSource }: Settings): void {
  if (customerSource !== undefined) return;
  note(
    "No customer source is configured. Set CUSTOMER_SOURCE to a file or an HTTP URL with {id} in it, or load customers with: " +
      furtherCommand("import-customers <file>"),
  );
}

async function parametersFrom(options: ProcessOptions): Promise<unknown> {
  const { feedbackId, customerId, subject, text, textFile, sentiment, category, response, input } = options;
  const parts = [feedbackId, customerId, subject, text, textFile, sentiment, category];
  if (input !== undefined) {
    if (parts.some((part) => part !== undefined) || !response) {
      throw usageError("--input contains the whole feedback: leave out the other options, or --input.");
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
    const names = missing.map(([name]) => name).join(", ");
    throw usageError(`${names} missing. Complete the options, or give one JSON object with --input.`);
  }
  return {
    feedback_id: feedbackId,
    customer_id: customerId,
    subject,
    feedback_text: source === undefined ? text : await readText(source),
    ...withoutAbsent({ sentiment, categories: category }),
    send_response: response,
  };
}
