/** One piece of feedback: what was written, what was found in it, what was done and why. */
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { href } from "../router.ts";
import { RunPanel } from "../runs/run-panel.ts";
import { may } from "../session.ts";
import { Fact, Score } from "../ui/facts.ts";
import { Legend, MarkedText } from "../ui/marked-text.ts";
import { OneLine, plain } from "../ui/one-line.ts";
import { Pending } from "../ui/states.ts";
import { duration, Time } from "../ui/time.ts";
import { Categories, Doubt, Outcome, SentimentMark } from "./badges.ts";
import { ACTIONS, evidenceOf, getFeedback, type FeedbackDetails } from "./feedback-api.ts";
import { MailHistory } from "./mail-history.ts";

export function FeedbackPage({ id }: { id: string }) {
  const { value, error, reload } = useLoad(id, (signal) => getFeedback(id, signal), {
    // Compared by key as well, because the run may change before its id has been loaded.
    changesWith: ({ key, workflow_id }, known) => workflow_id === known?.workflow_id || key === id,
  });
  if (!value) return html`<${Pending} error=${error} retry=${reload} rows=${10} label="Loading feedback" />`;
  return html`
    <${Head} feedback=${value} />
    <div class="columns">
      <div class="column-main">
        <section class="card" aria-labelledby="wrote">
          <h2 id="wrote">What the customer wrote</h2>
          <${MarkedText} text=${value.text} evidence=${evidenceOf(value)} />
          <${Legend} text=${value.text} evidence=${evidenceOf(value)} />
        </section>
        <section class="card" aria-labelledby="run">
          <h2 id="run">Run</h2>
          <${RunPanel} id=${value.workflow_id} />
        </section>
        <${MailHistory} feedback=${value} />
        ${value.customer_replies.map(
          ({ text, time, processed_as: other }) => html`
            <section key=${time} class="card">
              <h2>Reply from the customer, <${Time} at=${time} isFull /></h2>
              <p class="customer-text" dir="auto">${plain(text)}</p>
              ${other && html`<p class="notice">A complaint, so it is also <a href=${href(["feedback", other])}>feedback of its own</a>.</p>`}
            </section>
          `,
        )}
        ${value.replies.map(
          ({ text, time }) => html`
            <section key=${time} class="card">
              <h2>Answered elsewhere, <${Time} at=${time} isFull /></h2>
              <p class="customer-text" dir="auto">${plain(text)}</p>
            </section>
          `,
        )}
      </div>
      <${Facts} feedback=${value} />
    </div>
  `;
}

function Head({ feedback }: { feedback: FeedbackDetails }) {
  const { subject, customer, customer_id: id, customer_name: name, timestamp } = feedback;
  return html`
    <header class="page-head">
      <p class="crumbs">
        <a href=${href([])}>Inbox</a> <span class="muted"><${OneLine} text=${feedback.feedback_id} /></span>
      </p>
      <h1><${OneLine} text=${subject} /></h1>
      <p class="facts">
        <${Outcome} item=${feedback} />
        <a href=${href([], { customer_id: id })}><${OneLine} text=${name ?? id} /></a>
        ${customer && html`<span class="chip">${customer.segment}</span> <span class="muted">lifetime value ${customer.lifetime_value.toLocaleString("en")}</span>`}
        ${customer?.do_not_contact && html`<span class="badge quiet">Do not contact</span>`}
        <span class="muted"><${Time} at=${timestamp} isFull /></span>
      </p>
    </header>
  `;
}

/** What is shown if the run ended without a decision, by its status. */
const UNDECIDED: Partial<Record<FeedbackDetails["status"], string>> = {
  failed: "None: the run failed before one was made",
  cancelled: "None: the run was cancelled before one was made",
};

function Facts({ feedback }: { feedback: FeedbackDetails }) {
  const { action, reasons, sentiment, categories, stated, ticket, reference, language } = feedback;
  const { sentiment_analysis: bySentiment, category_analysis: byCategory } = feedback;
  const doubts = feedback.doubtful === true ? (bySentiment?.doubts ?? []) : [];
  return html`
    <aside class="column-side" aria-label="Facts">
      <section class="card">
        <h2>Decision</h2>
        <p class="decision">${action ? ACTIONS[action] : (UNDECIDED[feedback.status] ?? "Not decided yet")}</p>
        <ul class="reasons">
          ${reasons.map((reason) => html`<li key=${reason}>${reason}</li>`)}
        </ul>
        ${feedback.response_withheld && html`<p class="notice">No email went out: ${feedback.response_withheld}.</p>`}
        ${
          ticket &&
          html`<dl>
            <${Fact} name="Ticket"><code>${ticket.ticket_id}</code><//
            ><${Fact} name="Priority">${ticket.priority}, ${ticket.status}<//>
          </dl>`
        }
      </section>
      <section class="card">
        <h2>Analysis</h2>
        <dl>
          <${Fact} name="Sentiment"
            >${sentiment ? html`<${SentimentMark} ...${feedback} /> ${sentiment} <${Doubt} ...${feedback} />` : "—"}<//
          >
          ${bySentiment && html`<${Fact} name="Confidence"><${Score} value=${bySentiment.score} /><//>`}
          ${doubts.length > 0 && html`<${Fact} name="Doubt raised by">${doubts.map((words) => html`<span key=${words} class="chip">${plain(words)}</span>`)}<//>`}
          <${Fact} name="Categories"
            >${categories.length > 0 ? html`<${Categories} categories=${categories} />` : "—"}<//
          >
          ${byCategory && html`<${Fact} name="Confidence"><${Score} value=${byCategory.score} /><//>`}
          ${stated.sentiment && html`<${Fact} name="Submitted as">${stated.sentiment}<//>`}
          ${stated.categories.length > 0 && html`<${Fact} name="Submitted as"><${Categories} categories=${stated.categories} /><//>`}
          ${language && html`<${Fact} name="Language">${language}<//>`}
        </dl>
      </section>
      <section class="card">
        <h2>Details</h2>
        <dl>
          <${Fact} name="Run"
            ><a href=${href(["runs", feedback.workflow_id])}
              ><code class="id">${feedback.workflow_id.slice(0, 17)}…</code></a
            ><//
          >
          <${Fact} name="Reference"><code class="id">${reference}</code><//>
          ${bySentiment?.analyzer && html`<${Fact} name="Sentiment by">${bySentiment.analyzer.name} ${bySentiment.analyzer.version}<//>`}
          ${byCategory?.analyzer && html`<${Fact} name="Categories by">${byCategory.analyzer.name} ${byCategory.analyzer.version}<//>`}
          ${feedback.response_time && html`<${Fact} name="Answered after">${duration(Date.parse(feedback.response_time) - Date.parse(feedback.timestamp))}<//>`}
          ${may("admin") && html`<${Fact} name="In the graph"><a href=${href(["graph"], { query: `DESCRIBE <${feedback.feedback_uri}>` })}>Show its facts</a><//>`}
        </dl>
      </section>
    </aside>
  `;
}
