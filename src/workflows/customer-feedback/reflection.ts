/**
 * What a mail to the customer repeats of what came with the feedback. Where a model has chosen whose feedback it is, that customer may
 * never have seen these words: a hostile text could have made the model send them. Then nothing of it is repeated.
 */
import { carriesLink } from "../../integrations/email/link-detection.ts";
import type { CustomerFeedbackInput } from "./parameters.ts";
import { referenceOf } from "./reference.ts";

type Reflected = Pick<CustomerFeedbackInput, "feedback_id" | "subject" | "customer_from_model">;

/** The id that a template of one's own may show: the feedback's, or where a model chose it its reference. */
export const shownId = ({ feedback_id: id, customer_from_model: isFromModel }: Reflected): string =>
  isFromModel === true ? referenceOf(id) : id;

/** The subject that the mail answers: the feedback's, or one of ours where a model chose it or where it could be a link. */
export const answeredSubject = ({ feedback_id: id, subject, customer_from_model: isFromModel }: Reflected): string =>
  isFromModel === true || carriesLink(subject) ? `your feedback (${referenceOf(id)})` : subject;
