import { useState } from "preact/hooks";
import { html } from "../html.ts";
import { href } from "../router.ts";
import { may } from "../session.ts";
import { MailView } from "../ui/mail-view.ts";
import { OneLine } from "../ui/one-line.ts";
import { Time } from "../ui/time.ts";
import { Categories, SentimentMark } from "./badges.ts";
import type { FeedbackDetails, Mail } from "./feedback-api.ts";

const STATES: Readonly<Record<Mail["state"], { text: string; tone: string }>> = {
  waiting: { text: "Needs approval", tone: "warn" },
  approved: { text: "Approved, on its way", tone: "busy" },
  sent: { text: "Sent", tone: "good" },
  edited: { text: "Edited", tone: "quiet" },
  rejected: { text: "Rejected", tone: "bad" },
  refused: { text: "Refused by the mail server", tone: "bad" },
  replaced: { text: "Replaced", tone: "quiet" },
  withheld: { text: "Not sent", tone: "quiet" },
};

const DECIDED = { approve: "Approved", edit: "Edited", reject: "Rejected" } as const;

/** The labels given by the person who decided. */
function RightLabels({ decision: { sentiment, categories = [] } }: { decision: NonNullable<Mail["decision"]> }) {
  if (sentiment === undefined && categories.length === 0) return null;
  return html`
    <p class="facts">
      <span class="muted">Correct labels</span>
      ${sentiment && html`<span><${SentimentMark} sentiment=${sentiment} /> ${sentiment}</span>`}
      <${Categories} categories=${categories} />
    </p>
  `;
}

/** The emails to the customer. The last one is shown at first; buttons show the others. */
export function MailHistory({ feedback }: { feedback: FeedbackDetails }) {
  const { mails, response_id: id } = feedback;
  const last = mails.at(-1);
  const [shown, setShown] = useState<string>();
  if (!last && id === undefined) return null;
  if (!last) {
    return html`
      <section class="card">
        <h2>Email</h2>
        <p>
          An email went out${feedback.response_time && html` <${Time} at=${feedback.response_time} isFull />`}. Its text
          is stored only if emails need approval. Message-ID: <code class="id">${id}</code>
        </p>
      </section>
    `;
  }
  const mail = mails.find(({ rendering }) => rendering === shown) ?? last;
  return html`
    <section class="card" aria-labelledby="mail">
      <h2 id="mail">Email</h2>
      ${
        mails.length > 1 &&
        html`
          <div class="segmented" role="group" aria-label="Versions of the email">
            ${mails.map(
              (one, index) => html`
                <button
                  key=${one.rendering}
                  type="button"
                  aria-pressed=${one === mail}
                  onClick=${() => setShown(one.rendering)}
                >
                  ${index + 1}. ${STATES[one.state].text}
                </button>
              `,
            )}
          </div>
        `
      }
      <p class="facts">
        <span class=${`badge ${STATES[mail.state].tone}`}>${STATES[mail.state].text}</span>
        ${
          mail.decision &&
          html`<span
            >${DECIDED[mail.decision.decision]} by <b><${OneLine} text=${mail.decision.by} /></b>,${" "}<${Time}
              at=${mail.decision.time}
              isFull
          /></span>`
        }
        ${mail.state === "waiting" && may("approve") && html`<a class="button" href=${href(["approvals", feedback.workflow_id])}>Decide</a>`}
      </p>
      ${mail.decision?.reason && html`<p class="notice">Reason: <${OneLine} text=${mail.decision.reason} /></p>`}
      ${mail.decision && html`<${RightLabels} decision=${mail.decision} />`}
      ${mail.refusal && html`<p class="notice bad">The mail server said: <${OneLine} text=${mail.refusal} /></p>`}
      <${MailView} mail=${mail} />
    </section>
  `;
}
