/** Feedback, as the operations of its workflow return it. */
import { call } from "../api.ts";

export { CATEGORIES } from "../page-facts.ts";

/** Name of that workflow. */
export const FEEDBACK = "customer-feedback";

const OPERATIONS = `/workflows/${FEEDBACK}/operations`;

export const SENTIMENTS = ["positive", "neutral", "negative"] as const;
export const ACTIONS = {
  auto_respond: "Answer by email",
  escalate: "Escalate to a person",
  no_action: "Record only",
} as const;
export const STATUSES = {
  waiting_for_approval: "Needs approval",
  processing: "Processing",
  started: "Queued",
  failed: "Failed",
  cancelled: "Cancelled",
  completed: "Completed",
} as const;

export type Sentiment = (typeof SENTIMENTS)[number];
export type Action = keyof typeof ACTIONS;
export type Status = keyof typeof STATUSES;

/** How certain the sentiment of a piece of feedback is. */
export interface Certainty {
  /** How sure the analyser is of the sentiment, 0 to 1. */
  sentiment_score?: number;
  /** Praise that is not certain enough for thanks. */
  doubtful?: boolean;
  /** The analyser couldn't read the text. */
  unreadable?: boolean;
}

export interface FeedbackItem extends Certainty {
  feedback_id: string;
  customer_id: string;
  customer_name?: string;
  workflow_id: string;
  status: Status;
  timestamp: string;
  subject: string;
  excerpt: string;
  action?: Action;
  sentiment?: Sentiment;
  categories: readonly string[];
  ticket_id?: string;
  response_id?: string;
  response_withheld?: string;
  error?: string;
}

export interface FeedbackPage {
  feedback: readonly FeedbackItem[];
  next?: string;
  searched_back_to?: string;
}

interface Analysis {
  score: number;
  evidence: readonly string[];
  doubts?: readonly string[];
  analyzer?: { name: string; version: string };
}

export interface Mail {
  rendering: string;
  state: "waiting" | "approved" | "sent" | "edited" | "rejected" | "refused" | "replaced" | "withheld";
  sender: string;
  recipient: string;
  subject: string;
  text: string;
  html: string;
  decision?: {
    decision: "approve" | "edit" | "reject";
    by: string;
    time: string;
    reason?: string;
    sentiment?: Sentiment;
    categories?: readonly string[];
  };
  /** If this is an edited version: the rendering of the email that was edited. */
  revision_of?: string;
  refusal?: string;
}

export interface FeedbackDetails extends Omit<FeedbackItem, "excerpt"> {
  text: string;
  reference: string;
  feedback_uri: string;
  language?: string;
  customer?: { name: string; segment: string; lifetime_value: number; do_not_contact: boolean };
  reasons: readonly string[];
  stated: { sentiment?: Sentiment; categories: readonly string[] };
  sentiment_analysis?: Analysis;
  category_analysis?: Analysis;
  ticket?: { ticket_id: string; priority: string; status: string };
  response_time?: string;
  mails: readonly Mail[];
  replies: readonly { text: string; time: string }[];
  customer_replies: readonly { text: string; time: string; processed_as?: string }[];
}

/** What to know about a label before you trust it; undefined if there is nothing. */
export function doubtOf({ doubtful, unreadable }: Certainty): "doubtful" | "not read" | undefined {
  if (unreadable === true) return "not read";
  return doubtful === true ? "doubtful" : undefined;
}

/** The words that led to the sentiment and the categories. */
export const evidenceOf = ({ sentiment_analysis: bySentiment, category_analysis: byCategory }: FeedbackDetails) => ({
  sentiment: bySentiment?.evidence ?? [],
  category: byCategory?.evidence ?? [],
});

/** Names of the filters, which are also the parameters in the address of the inbox. */
export const FILTERS = [
  "search",
  "status",
  "sentiment",
  "category",
  "action",
  "customer_id",
  "since",
  "before",
] as const;
export type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

export const listFeedback = (
  filters: Filters & { order?: "newest" | "oldest"; after?: string | undefined; limit?: number },
  signal?: AbortSignal,
): Promise<FeedbackPage> => call<FeedbackPage>(`${OPERATIONS}/list_feedback`, { body: filters, signal });

export const getFeedback = (id: string, signal?: AbortSignal): Promise<FeedbackDetails> =>
  call<FeedbackDetails>(`${OPERATIONS}/get_feedback`, { body: { feedback_id: id }, signal });
