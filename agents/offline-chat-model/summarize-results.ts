import type { ToolMessage } from "@langchain/core/messages";
import { SIGNATURE } from "./phrases.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The results of the tool calls in plain words, each on lines of its own, then the signature. */
export const summarizeResults = (results: readonly ToolMessage[]): string =>
  [...results.map(summarize), SIGNATURE].join("\n");

function summarize(message: ToolMessage): string {
  const result = fieldsOf(message);
  const name = message.name ?? "The tool";
  if (result === undefined)
    return message.status === "error" ? `${name} did not succeed: ${message.text}` : message.text;
  if (result["success"] === false || typeof result["error"] === "string") return failure(name, result);
  if (typeof result["feedback_id"] === "string") return processed(result);
  if (typeof result["sentiment"] === "string") return `Sentiment: ${result["sentiment"]}${score(result)}.`;
  if (Array.isArray(result["categories"])) return `Categories: ${list(result["categories"])}.`;
  if (name === "look_up_feedback" && Array.isArray(result["rows"])) return oneFeedback(result["rows"]);
  if (name === "get_customer_history" && Array.isArray(result["rows"])) return history(result["rows"]);
  return message.text;
}

/** A customer's feedback, one line for each piece. */
function history(rows: readonly unknown[]): string {
  if (rows.length === 0) return "There is no feedback from this customer.";
  const lines = rows.filter(isFields).map((row) => {
    const { feedback_id: id, received_at: time, answered_at: answered } = row;
    return `- ${String(id)}, ${day(time)}: ${done(row, answered ? "answered by email" : "not answered")}`;
  });
  return [`Feedback from this customer, newest first:`, ...lines].join("\n");
}

const MAILS: Readonly<Record<string, string>> = {
  sent: "answered by email",
  rejected: "a person has rejected the email to the customer",
  pending: "the email to the customer is written, but not sent yet",
};

function oneFeedback([row]: readonly unknown[]): string {
  if (!isFields(row)) return "There is no such feedback, or it has not been stored yet.";
  const { feedback_id: id, customer_id: customer, received_at: time, mail } = row;
  const answer = MAILS[String(mail)] ?? "no email to the customer";
  return `Feedback ${String(id)} from customer ${String(customer)}, ${day(time)}: ${done(row, answer)}`;
}

const day = (time: unknown): string => String(time).slice(0, 10);

/** What the feedback was about, and what was done. */
function done({ sentiment, categories, ticket_id: ticket }: Fields, answer: string): string {
  const followed = [...(typeof ticket === "string" ? [`ticket ${ticket}`] : []), answer];
  return `${String(sentiment)}${sortedInto(categories)}; ${followed.join(", ")}.`;
}

function sortedInto(categories: unknown): string {
  if (!Array.isArray(categories) || categories.length === 0) return "";
  return `, ${categories.length === 1 ? "category" : "categories"}: ${list(categories)}`;
}

/** The tool's whole result; without an artifact, its content if that is JSON. */
function fieldsOf({ artifact, text }: ToolMessage): Fields | undefined {
  if (isFields(artifact)) return artifact;
  try {
    const parsed: unknown = JSON.parse(text);
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function failure(name: string, { feedback_id: id, error, retriable }: Fields): string {
  const what = typeof id === "string" ? `Feedback ${id} could not be processed` : `${name} did not succeed`;
  return `${what}: ${typeof error === "string" ? error : "no reason was given"}${retriable === true ? " (It may succeed later.)" : ""}`;
}

function processed(result: Fields): string {
  const { feedback_id: id, customer_id: customer, categories, duplicate } = result;
  const from = typeof customer === "string" ? ` from customer ${customer}` : "";
  const again = duplicate === true ? " It had been processed before; nothing was done twice." : "";
  return `Feedback ${String(id)}${from}: ${judged(result)}${sortedInto(categories)}. ${outcome(result)}${again}`;
}

function judged({ sentiment, doubtful, unreadable }: Fields): string {
  if (typeof sentiment !== "string") return "stored";
  return `${sentiment}${doubtful === true ? " (doubtful)" : ""}${unreadable === true ? " (the text could not be read)" : ""}`;
}

function outcome({
  action,
  doubtful,
  response_id: response,
  response_withheld: withheld,
  ticket_id: ticket,
  status,
}: Fields): string {
  const mail = typeof response === "string";
  const waiting = status === "waiting_for_approval";
  const awaits = waiting ? " The email to the customer waits for a person's approval; it has not been sent." : "";
  const noMail = typeof withheld === "string" ? ` No email was sent: ${withheld}.` : "";
  if (action === "escalate") {
    const handedOver = `It went to a person${typeof ticket === "string" ? `, ticket ${ticket}` : ""}`;
    return `${handedOver}${mail ? "; the customer was told by email" : ""}.${noMail}${awaits}`;
  }
  if (action === "auto_respond" && mail)
    return `The customer was answered by email${doubtful === true ? ", without thanks for kind words, because the praise is doubtful" : ""}.`;
  if (action === "auto_respond") return (noMail + awaits).trim() || "No email was sent.";
  return "It was stored; no answer was sent.";
}

const score = ({ score: value }: Fields): string => (typeof value === "number" ? ` (score ${value.toFixed(2)})` : "");
const list = (values: readonly unknown[]): string => values.map(String).join(", ");
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
