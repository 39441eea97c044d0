/**
 * What a mail to the customer repeats of what came with the feedback. Where a model has chosen whose feedback it is, that customer may
 * never have seen these words: a hostile text could have made the model send them. Then nothing of it is repeated.
 */
import { createHash } from "node:crypto";
import { carriesLink } from "../../integrations/email/link-detection.ts";
import type { CustomerFeedbackInput } from "./parameters.ts";

type Reflected = Pick<CustomerFeedbackInput, "feedback_id" | "subject" | "customer_from_model">;

/** No more than a number or a code: not a sentence, not a link. */
const PLAIN_ID = /^[\p{L}\p{N}][\p{L}\p{N}._:#/-]{0,63}$/u;

/** The reference that customers see: the feedback's id, or where a model chose one that could say something, a code made of it. */
export function shownReference({ feedback_id: id, customer_from_model: isFromModel }: Reflected): string {
  if (isFromModel !== true || (PLAIN_ID.test(id) && !carriesLink(id))) return id;
  return createHash("sha256").update(id).digest("hex").slice(0, 12).toUpperCase();
}

/** The subject that the mail answers: the feedback's, or one of ours where a model chose it or where it could be a link. */
export function answeredSubject(feedback: Reflected): string {
  if (feedback.customer_from_model !== true && !carriesLink(feedback.subject)) return feedback.subject;
  const reference = shownReference(feedback);
  return carriesLink(reference) ? "your feedback" : `your feedback (${reference})`;
}
