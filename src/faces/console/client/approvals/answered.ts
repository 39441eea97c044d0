import { Categories, SentimentMark } from "../feedback/badges.ts";
import { evidenceOf, getFeedback } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { href } from "../router.ts";
import { may } from "../session.ts";
import { MarkedText } from "../ui/marked-text.ts";
import { OneLine } from "../ui/one-line.ts";
import { Loading } from "../ui/states.ts";
import { Time } from "../ui/time.ts";

/** What the mail answers; nothing for those who may not read it. */
export function Answered({ feedbackId }: { feedbackId: string }) {
  const { value, isLoading } = useLoad(may("feedback:read") ? feedbackId : undefined, (signal) =>
    getFeedback(feedbackId, signal),
  );
  if (isLoading) return html`<aside class="answered"><${Loading} rows=${5} label="Loading what it answers" /></aside>`;
  if (!value) return null;
  const { subject, sentiment, categories, customer, reasons, text } = value;
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
      <p class="facts"><${SentimentMark} sentiment=${sentiment} /> <${Categories} categories=${categories} /></p>
      <ul class="reasons">
        ${reasons.map((reason) => html`<li key=${reason}>${reason}</li>`)}
      </ul>
    </aside>
  `;
}
