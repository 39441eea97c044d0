import { html } from "../html.ts";
import { doubtOf, STATUSES, type Certainty, type FeedbackItem, type Sentiment } from "./feedback-api.ts";

/** Shows a sentiment by shape as well as by colour. */
export function SentimentMark({ sentiment, ...certainty }: { sentiment?: Sentiment | undefined } & Certainty) {
  const doubt = doubtOf(certainty);
  const label = [sentiment ?? "not analysed", ...(doubt === undefined ? [] : [doubt])].join(", ");
  return html`
    <svg
      class=${`sentiment ${sentiment ?? "unknown"} ${doubt === undefined ? "" : "uncertain"}`}
      viewBox="0 0 16 16"
      role="img"
      aria-label=${label}
    >
      <title>${label}</title>
      <circle cx="8" cy="8" r="6.25" />
      ${sentiment !== undefined && html`<path d=${MOUTHS[sentiment]} />`}
    </svg>
  `;
}

const MOUTHS: Readonly<Record<Sentiment, string>> = {
  positive: "M5.2 9.3c1.2 2 4.4 2 5.6 0M6 6.2v.3M10 6.2v.3",
  neutral: "M5.4 10h5.2M6 6.2v.3M10 6.2v.3",
  negative: "M5.2 11c1.2-2 4.4-2 5.6 0M6 6.2v.3M10 6.2v.3",
};

const DOUBTS = { doubtful: "Doubtful", "not read": "Text not read" };

/** A warning if the sentiment is doubtful or the text was not read. */
export function Doubt(certainty: Certainty) {
  const doubt = doubtOf(certainty);
  return doubt === undefined ? null : html`<span class="badge warn">${DOUBTS[doubt]}</span>`;
}

export const Categories = ({ categories }: { categories: readonly string[] }) =>
  html`${categories.map((category) => html`<span key=${category} class="chip">${category}</span>`)}`;

/** The outcome of the feedback, in a word or two. */
function outcomeOf(item: Pick<FeedbackItem, "status" | "action" | "response_id" | "response_withheld" | "error">): {
  text: string;
  tone: string;
} {
  const { status, action, response_id: response, response_withheld: withheld, error } = item;
  if (status === "failed") return { text: "Failed", tone: "bad" };
  if (status === "waiting_for_approval") return { text: "Needs approval", tone: "warn" };
  if (status === "cancelled") return { text: "Cancelled", tone: "quiet" };
  if (status !== "completed" && error !== undefined) return { text: "Retrying", tone: "warn" };
  if (status === "started") return { text: STATUSES[status], tone: "quiet" };
  if (status === "processing") return { text: STATUSES[status], tone: "busy" };
  if (action === "escalate") return { text: "Escalated", tone: "accent" };
  if (response !== undefined) return { text: "Replied", tone: "good" };
  return withheld === undefined ? { text: "Recorded", tone: "quiet" } : { text: "Not sent", tone: "quiet" };
}

export function Outcome({ item }: { item: Parameters<typeof outcomeOf>[0] }) {
  const { text, tone } = outcomeOf(item);
  return html`<span class=${`badge ${tone}`}>${text}</span>`;
}
