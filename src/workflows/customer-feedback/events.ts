import { z } from "zod";
import { automaticMailHeader } from "../../integrations/email/mail-hygiene.ts";
import { isAbiError, toWireError, type WireError } from "../../errors.ts";
import { withoutAbsent, type Json } from "../../json.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { RunResult } from "../../framework/result.ts";
import { parse } from "../../framework/validation.ts";
import { CustomerFeedbackWorkflowParameters, text as wellFormed } from "./parameters.ts";

const { feedback_id, customer_id, subject, feedback_text, sentiment, categories, send_response } =
  CustomerFeedbackWorkflowParameters.shape;

/** Events may contain more than we read, because they come from other systems. */
const NewFeedback = z.object({
  id: feedback_id,
  customer_id,
  subject,
  text: feedback_text,
  sentiment,
  categories,
  send_response,
  headers: z
    .record(z.string(), z.unknown(), {
      error: "must be an object with the name of each header and its value, a string or a list of strings",
    })
    .nullish()
    .describe(
      "Headers of the email that the feedback came in; mailparser's format works too. An automatic email is " +
        "processed but not answered.",
    ),
  message_id: wellFormed().max(1000).nullish().describe("Message-ID of the email that the feedback came in."),
});

const FeedbackResponse = z.object({
  feedback_id,
  response_text: feedback_text.describe("What a person answered the customer."),
});

export interface EventAnswer extends Partial<WireError> {
  status: "success" | "error";
  feedback_id?: string;
  action?: "response_recorded";
  message?: string;
}

export type EventResult = EventAnswer | RunResult;

export interface EventHandlers {
  process(parameters: unknown, extras: Record<string, Json>): Promise<RunResult>;
  /** False if the feedback is unknown. */
  recordResponse(feedbackId: string, text: string): Promise<boolean>;
  logger: Logger;
}

/**
 * The workflow's parameters from the data of a `new_feedback` event, and what else is stored with
 * the run.
 * @throws ValidationError
 */
export function readNewFeedback(data: unknown): { parameters: object; extras: Record<string, Json> } {
  const { id, text, message_id, headers, ...rest } = parse(NewFeedback, data);
  const automatic_mail = automaticMailHeader(headers ?? {});
  return {
    parameters: { ...rest, feedback_id: id, feedback_text: text },
    extras: { ...(message_id ? { message_id } : {}), ...withoutAbsent({ automatic_mail }) },
  };
}

/** @throws ValidationError */
export const readFeedbackResponse = (data: unknown): z.output<typeof FeedbackResponse> => parse(FeedbackResponse, data);

export async function handleFeedbackEvent(type: string, data: unknown, handlers: EventHandlers): Promise<EventResult> {
  try {
    switch (type) {
      case "new_feedback": {
        const { parameters, extras } = readNewFeedback(data);
        return await handlers.process(parameters, extras);
      }
      case "feedback_response": {
        const { feedback_id: id, response_text } = readFeedbackResponse(data);
        const known = await handlers.recordResponse(id, response_text);
        if (!known) return { status: "error", message: `Feedback ${id} not found` };
        return { status: "success", feedback_id: id, action: "response_recorded" };
      }
      default:
        return { status: "error", message: `Unknown event type: ${type}` };
    }
  } catch (error) {
    if (!isAbiError(error))
      handlers.logger.error({ event: type, cause: describeCause(error) }, "an event failed unexpectedly");
    const wire = toWireError(error);
    return { status: "error", message: wire.error, ...wire };
  }
}
