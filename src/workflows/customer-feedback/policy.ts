import { inStableOrder, type Category } from "../../analysis/categories.ts";
import type { Sentiment } from "../../analysis/sentiment-analyzer.ts";
import type { Action } from "./result.ts";

/**
 * When feedback is escalated to a person. It is plain data, so it can be part of a settings file.
 */
export interface EscalationPolicy {
  /**
   * Feedback from customers in these segments is always escalated. Upper or lower case doesn't
   * matter.
   */
  segments: readonly string[];
  /** Negative feedback is escalated if the customer's lifetime value is above this (not equal). */
  negativeLifetimeValueOver: number;
  /** Feedback in any of these categories is escalated. */
  criticalCategories: readonly Category[];
  /** Whether feedback in a language that the analyser can't read goes to a person; default: no. */
  escalateUnreadable?: boolean;
  /**
   * Whether praise that is not certain enough for thanks goes to a person. Default: no, so it is
   * answered like neutral feedback.
   */
  escalateDoubtful?: boolean;
}

/**
 * Premium and enterprise customers, unhappy customers of high value, and everything about bugs,
 * security, billing and legal matters.
 */
export const DEFAULT_ESCALATION_POLICY: EscalationPolicy = {
  segments: ["premium", "enterprise"],
  negativeLifetimeValueOver: 5000,
  criticalCategories: ["bug", "security", "billing", "legal"],
};

export interface Situation {
  segment: string;
  lifetimeValue: number;
  sentiment: Sentiment;
  categories: readonly Category[];
  sendResponse: boolean;
  /** The analyser does not read the text's language. */
  unreadable: boolean;
  /** Praise that is not certain enough for thanks. */
  doubtful: boolean;
}

/**
 * Decides what to do with a piece of feedback: it is escalated if any rule of the policy applies,
 * and otherwise answered, unless no response is wanted. A customer whose feedback is escalated gets
 * an acknowledgment instead of a reply.
 * @param policy `false` escalates nothing
 */
export function decideAction(policy: EscalationPolicy | false, situation: Situation): Action {
  if (policy && mustEscalate(policy, situation)) return "escalate";
  return situation.sendResponse ? "auto_respond" : "no_action";
}

const mustEscalate = (policy: EscalationPolicy, situation: Situation): boolean =>
  escalationReasons(policy, situation).length > 0;

/** Every rule that sends the feedback to a person, in plain words. */
function escalationReasons(policy: EscalationPolicy, situation: Situation): string[] {
  const { segment, lifetimeValue, sentiment, categories, unreadable, doubtful } = situation;
  const { negativeLifetimeValueOver: limit, criticalCategories, escalateUnreadable, escalateDoubtful } = policy;
  const critical = categories.filter((category) => criticalCategories.includes(category));
  return [
    ...(isPriority(policy, segment) ? [`The customer's segment is ${segment}.`] : []),
    ...(sentiment === "negative" && lifetimeValue > limit
      ? [`Negative, and the customer's lifetime value ${lifetimeValue} is over ${limit}.`]
      : []),
    ...(critical.length > 0
      ? [`Critical ${critical.length === 1 ? "category" : "categories"}: ${critical.join(", ")}.`]
      : []),
    ...(unreadable && escalateUnreadable === true ? ["The text is in a language that the analyser doesn't read."] : []),
    ...(doubtful && escalateDoubtful === true ? ["It is not certain that this is praise."] : []),
  ];
}

/** Why this was done with a piece of feedback, in plain words. */
export function actionReasons(policy: EscalationPolicy | false, action: Action, situation: Situation): string[] {
  if (decideAction(policy, situation) !== action) return ["The customer's data or the rules have changed since."];
  if (action === "no_action") return ["No rule sends it to a person, and no email to the customer was requested."];
  if (action === "auto_respond") return ["No rule sends it to a person, and the customer may get an email."];
  return policy ? escalationReasons(policy, situation) : [];
}

/**
 * How certain praise must be for an answer with thanks, 0 to 1. On texts that the analyser was
 * not trained with, 2.7 % of unhappy customers would have been thanked, and 61.6 % of the pleased
 * ones: see the table in `docs/text-analysis.md`.
 */
export const DEFAULT_THANK_ABOVE = 0.75;

/** The labels of a piece of feedback, stated by a caller or found by an analyser. */
export interface Labels {
  sentiment?: Sentiment | undefined;
  categories: readonly Category[];
}

/**
 * From the mildest to the strictest: praise is answered with thanks, a complaint may go to a
 * person.
 */
const BY_STRICTNESS: readonly Sentiment[] = ["positive", "neutral", "negative"];

const stricter = (one: Sentiment, other: Sentiment): Sentiment =>
  BY_STRICTNESS.indexOf(one) > BY_STRICTNESS.indexOf(other) ? one : other;

/**
 * The labels that the workflow uses. The stricter sentiment counts, whether stated or found. The
 * stated categories count, and critical ones that were found are added; if none are stated, those
 * that were found count. So a stated label can lead to an escalation, but never makes the reaction
 * milder than the text would.
 * @param found without a sentiment if the text was not read
 */
export function stricterLabels(
  policy: EscalationPolicy | false,
  stated: Labels,
  found: Labels,
): { sentiment: Sentiment; categories: Category[] } {
  const known = stated.sentiment ?? found.sentiment ?? "neutral";
  const sentiment = stricter(known, found.sentiment ?? known);
  if (stated.categories.length === 0) return { sentiment, categories: [...found.categories] };
  const critical = found.categories.filter((category) => policy && policy.criticalCategories.includes(category));
  return { sentiment, categories: inStableOrder([...stated.categories, ...critical]) };
}

/** Whether customers in a segment have priority. Case doesn't matter. */
export const isPriority = (policy: EscalationPolicy | false, segment: string): boolean =>
  policy !== false && policy.segments.some((one) => one.toLowerCase() === segment.toLowerCase());
