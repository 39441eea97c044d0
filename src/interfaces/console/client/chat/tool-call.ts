/** A tool call by the agent: its arguments, progress and result. */
import { Categories, Outcome, SentimentMark } from "../feedback/badges.ts";
import { getFeedback, type Action, type FeedbackDetails, type Sentiment } from "../feedback/feedback-api.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { href } from "../router.ts";
import { stepName } from "../runs/waterfall.ts";
import { OneLine, plain } from "../ui/one-line.ts";
import { Time } from "../ui/time.ts";
import type { Item } from "./conversation.ts";

type Call = Extract<Item, { type: "call" }>;

interface Result {
  feedback_id?: string;
  success?: boolean;
  error?: string;
  status?: string;
  sentiment?: Sentiment;
  categories?: readonly string[];
  action?: Action;
  response_id?: string;
  response_withheld?: string;
  duplicate?: boolean;
  decided?: Decision;
  /** The rows that a query of the graph has found. */
  rows?: readonly { feedback_id?: string }[];
}

/** What a person has decided on the email. */
interface Decision {
  decision: "approve" | "edit" | "reject";
  by: string;
  decided_at: string;
  subject?: string;
  reason?: string;
}

const DECIDED = { approve: "Approved", edit: "Edited", reject: "Rejected" } as const;

const TITLES: Readonly<Record<string, string>> = {
  process_customer_feedback: "Process feedback",
  analyze_feedback_sentiment: "Analyse sentiment",
  categorize_feedback_text: "Sort into categories",
};

const titleOf = (name: string): string => TITLES[name] ?? stepName(name);

export function ToolCallView({ call: stored, isBusy }: { call: Call; isBusy: boolean }) {
  const call = useCurrent(stored);
  const { name, args, result, failed } = call;
  const isOver = result !== undefined;
  const state = isOver ? (hasFailed(call) ? "bad" : "good") : isBusy ? "busy" : "quiet";
  const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined);
  const { feedback_id: resultId, rows = [], decided } = resultOf(call);
  const feedbackId = resultId ?? (rows.length === 1 ? rows[0]?.feedback_id : undefined);
  return html`
    <div class="call">
      <details>
        <summary>
          <span class=${`dot ${state}`} aria-hidden="true"></span>
          <span class="call-name">${titleOf(name)}</span>
          <span class="call-outcome"
            >${isOver ? html`<${ResultLine} call=${call} />` : html`<span class="muted">${progressOf(call, isBusy)}</span>`}</span
          >
        </summary>
        <div class="call-detail">
          <dl>
            ${given.map(
              ([key, value]) =>
                html`<div class="fact" key=${key}>
                  <dt><code>${key}</code></dt>
                  <dd dir="auto">${plain(typeof value === "string" ? value : JSON.stringify(value))}</dd>
                </div>`,
            )}
          </dl>
          ${
            isOver &&
            html`<p class="label">${failed ? "Why it failed" : "Result"}</p>
              <pre class="rich-code" tabindex="0" dir="auto">
${plain(typeof result === "string" ? result : JSON.stringify(result, null, 2))}</pre>`
          }
        </div>
      </details>
      ${feedbackId !== undefined && html`<a class="call-link" href=${href(["feedback", feedbackId])}>Open</a>`}
    </div>
    ${decided && html`<${DecisionLine} decision=${decided} />`}
  `;
}

const DecisionLine = ({ decision: { decision, by, decided_at: at, subject, reason } }: { decision: Decision }) => html`
  <p class="call-decision muted">
    ${DECIDED[decision]} by <b><${OneLine} text=${by} /></b>, <${Time} at=${at} isFull />
    ${subject !== undefined && html`: <${OneLine} text=${subject} />`}
    ${reason !== undefined && html`<br />Reason: <${OneLine} text=${reason} />`}
  </p>
`;

/**
 * The call with the current state of its feedback, if its email was waiting when the call ended:
 * someone may have decided on it since.
 */
function useCurrent(call: Call): Call {
  const { feedback_id: id, status } = resultOf(call);
  const { value } = useLoad(status === "waiting_for_approval" ? id : undefined, (signal) => getFeedback(id!, signal), {
    changesWith: ({ key }) => key === id,
  });
  if (!value || value.status === "waiting_for_approval") return call;
  const { status: current, response_id, response_withheld, error } = value;
  const decided = lastDecision(value);
  const known = { status: current, response_id, response_withheld, error, success: current !== "failed", decided };
  return { ...call, result: { ...resultOf(call), ...known } };
}

function lastDecision({ mails }: FeedbackDetails): Decision | undefined {
  const mail = mails.findLast(({ decision }) => decision !== undefined);
  if (!mail?.decision) return undefined;
  const { subject } = mails.find(({ revision_of }) => revision_of === mail.rendering) ?? mail;
  return { ...mail.decision, decided_at: mail.decision.time, subject };
}

const progressOf = ({ step }: Call, isBusy: boolean): string => {
  if (!isBusy) return "interrupted before its result arrived";
  return step === undefined ? "working…" : `${stepName(step)}…`;
};

const resultOf = ({ result }: Call): Result =>
  typeof result === "object" && result !== null && !Array.isArray(result) ? result : {};

const hasFailed = (call: Call): boolean => call.failed === true || resultOf(call).success === false;

function ResultLine({ call }: { call: Call }) {
  const result = resultOf(call);
  const { feedback_id: id, sentiment, categories = [], rows } = result;
  if (hasFailed(call)) {
    return html`<span class="call-error" dir="auto"
      >${result.error ?? (typeof call.result === "string" ? call.result : "It did not succeed.")}</span
    >`;
  }
  return html`
    ${sentiment !== undefined && html`<${SentimentMark} sentiment=${sentiment} /><span class="muted">${sentiment}</span>`}
    <${Categories} categories=${categories} />
    ${id !== undefined && html`<${Outcome} item=${{ ...result, status: result.status ?? "completed" }} />`}
    ${Array.isArray(rows) && html`<span class="muted">${rows.length === 0 ? "nothing found" : `${rows.length} found`}</span>`}
    ${result.duplicate === true && html`<span class="muted">already known</span>`}
  `;
}
