/**
 * What an email to the customer repeats from the feedback. If a model has chosen the customer, they
 * may never have seen these words, because a hostile text could have made the model submit them.
 * Then nothing is repeated.
 */
import { containsLink } from "../../integrations/email/link-detection.ts";
import { replySubject } from "../../integrations/email/reply-subject.ts";
import { isVisible } from "../../visible-text.ts";
import { derivedReference, referenceOf } from "./reference.ts";

interface Identified {
  feedback_id: string;
  customer_from_model?: boolean | undefined;
}

/** What the customer is asked to quote. A model that chose whose feedback it is chose the id as well, and could say something by it. */
export const shownReference = ({ feedback_id: id, customer_from_model: isFromModel }: Identified): string =>
  isFromModel === true ? derivedReference(id) : referenceOf(id);

/** The id that a template of your own may show: the feedback's, or its reference where a model chose it. */
export const shownId = (feedback: Identified): string =>
  feedback.customer_from_model === true ? derivedReference(feedback.feedback_id) : feedback.feedback_id;

/** The subject that the email answers: the feedback's, or one of ours where a model chose it, or where it could be a link or says nothing. */
export const answeredSubject = (feedback: Identified & { subject: string }): string =>
  feedback.customer_from_model === true || containsLink(feedback.subject) || !hasTopic(feedback.subject)
    ? `your feedback (${shownReference(feedback)})`
    : feedback.subject;

/** Whether a person sees more of it than reply prefixes. */
const hasTopic = (subject: string): boolean => isVisible(replySubject(subject).slice("RE:".length));
