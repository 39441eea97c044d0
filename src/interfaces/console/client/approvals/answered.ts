import { Categories, Doubt, SentimentMark } from "../feedback/badges.ts";
import { evidenceOf, getFeedback, type Certainty, type FeedbackDetails } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { href } from "../router.ts";
import { may } from "../session.ts";
import { MarkedText } from "../ui/marked-text.ts";
import { OneLine } from "../ui/one-line.ts";
import { Loading } from "../ui/states.ts";
import { Time } from "../ui/time.ts";
import type { PendingMail } from "./approvals-api.ts";

/**
 * The feedback that the email answers; only its text and labels if the person may not read feedback
 * or it can't be loaded.
 */
export function Answered({ mail }: { mail: PendingMail }) {
  const { feedback_id: feedbackId } = mail;
  const { value, isLoading } = useLoad(may("feedback:read") ? feedbackId : undefined, (signal) =>
    getFeedback(feedbackId, signal),
  );
  if (isLoading) return html`<aside class="answered"><${Loading} rows=${5} label="Loading what it answers" /></aside>`;
  if (!value)
    return html`
      <aside class="answered" aria-label="What it answers">
        <p class="label">What it answers</p>
        <${MarkedText} text=${mail.feedback_text} evidence=${{}} />
        <${Judged} item=${mail} />
      </aside>
    `;
  const { subject, customer, reasons, text } = value;
  return html`
    <aside class="answered" aria-label="What it answers">
      <p class="label">What it answers</p>
      <h2>
        <a href=${href(["feedback", feedbackId])}><${OneLine} text=${subject} /></a>
      </h2>
      <p class="facts">
        <${OneLine} text=${value.customer_name ?? value.customer_id} />
        ${customer && html`<span class="chip">${customer.segment}</span>`}
        <span class="muted"><${Time} at=${value.timestamp} isFull /></span>
      </p>
      <${MarkedText} text=${text} evidence=${evidenceOf(value)} />
      <${Judged} item=${value} />
      <ul class="reasons">
        ${reasons.map((reason) => html`<li key=${reason}>${reason}</li>`)}
      </ul>
    </aside>
  `;
}

function Judged({ item }: { item: Pick<FeedbackDetails, "sentiment" | "categories" | keyof Certainty> }) {
  const { sentiment_score: score, categories } = item;
  return html`
    <p class="facts">
      <${SentimentMark} ...${item} />
      ${score !== undefined && html`<span class="muted" title="How sure the analyser is">${score.toFixed(2)}</span>`}
      <${Doubt} ...${item} /> <${Categories} categories=${categories} />
    </p>
  `;
}
