/**
 * What an email to the customer repeats from the feedback. If a model has chosen the customer,
 * nothing is repeated: a hostile text could have made the model submit words that this customer
 * never wrote.
 */
import { containsLink } from "../../integrations/email/link-detection.ts";
import { replySubject } from "../../integrations/email/reply-subject.ts";
import { isVisible } from "../../visible-text.ts";
import { derivedReference, referenceOf } from "./reference.ts";

interface Identified {
  feedback_id: string;
  customer_from_model?: boolean | undefined;
}

/**
 * What the customer is asked to quote. A model that chose the customer also chose the id, and could
 * put a message into it.
 */
export const shownReference = ({ feedback_id: id, customer_from_model: isFromModel }: Identified): string =>
  isFromModel === true ? derivedReference(id) : referenceOf(id);

/**
 * The id that your own templates may show: the feedback's, or a derived reference if a model chose
 * the customer.
 */
export const shownId = (feedback: Identified): string =>
  feedback.customer_from_model === true ? derivedReference(feedback.feedback_id) : feedback.feedback_id;

/**
 * The subject that the email answers: the feedback's, or one of ours if a model chose the customer,
 * or if the subject could be taken for a link or says nothing.
 */
export const answeredSubject = (feedback: Identified & { subject: string }): string =>
  feedback.customer_from_model === true || containsLink(feedback.subject) || !hasTopic(feedback.subject)
    ? `your feedback (${shownReference(feedback)})`
    : feedback.subject;

/** Whether a person sees anything in a subject besides reply prefixes. */
const hasTopic = (subject: string): boolean => isVisible(replySubject(subject).slice("RE:".length));
