import { inStableOrder, type Category } from "../../analysis/categories.ts";
import type { Sentiment } from "../../analysis/sentiment-analyzer.ts";
import type { Action } from "./result.ts";

/** When a person takes over. Plain data, so that it can stand in a settings file. */
export interface EscalationPolicy {
  /** Customers of these segments always get personal attention. */
  segments: readonly string[];
  /** Negative feedback is escalated where the customer's lifetime value is over this (not at it). */
  negativeLifetimeValueOver: number;
  /** Feedback in any of these categories is escalated. */
  criticalCategories: readonly Category[];
  /** Whether feedback in a language that the analyser does not read goes to a person; default: no. */
  escalateUnreadable?: boolean;
  /** Whether praise that is not sure enough for thanks goes to a person; default: no, then it is answered like neutral feedback. */
  escalateDoubtful?: boolean;
}

/** Premium and enterprise customers, valuable unhappy ones, and everything about bugs, security, billing and law. */
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
  /** Praise that is not sure enough for thanks. */
  doubtful: boolean;
}

/**
 * What is done with a piece of feedback; the first rule that fits decides. Never both a reply and an escalation.
 * @param policy `false` escalates nothing
 */
export function decideAction(policy: EscalationPolicy | false, situation: Situation): Action {
  if (policy && mustEscalate(policy, situation)) return "escalate";
  return situation.sendResponse ? "auto_respond" : "no_action";
}

const mustEscalate = (policy: EscalationPolicy, situation: Situation): boolean =>
  escalationReasons(policy, situation).length > 0;

/** Every rule that sends this to a person, in the words of people. */
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
    ...(doubtful && escalateDoubtful === true ? ["Whether this is praise is in doubt."] : []),
  ];
}

/** Why this was done with a piece of feedback, in the words of people. */
export function actionReasons(policy: EscalationPolicy | false, action: Action, situation: Situation): string[] {
  if (action === "no_action") return ["No rule sends it to a person, and no mail was wanted."];
  if (action === "auto_respond") return ["No rule sends it to a person, and a mail was wanted."];
  const reasons = policy ? escalationReasons(policy, situation) : [];
  return reasons.length > 0 ? reasons : ["The customer's data or the rules have changed since."];
}

/**
 * How sure praise must be to be answered with thanks, 0 to 1. On sets that the analyser had not seen 4 % of unhappy customers
 * would have been thanked, and two thirds of the pleased ones: see the table in `docs/text-analysis.md`.
 */
export const DEFAULT_THANK_ABOVE = 0.75;

/** What somebody, or an analyser, makes of a piece of feedback. */
export interface Labels {
  sentiment?: Sentiment | undefined;
  categories: readonly Category[];
}

/** From the mildest to the strictest: praise is answered with thanks, a complaint may go to a person. */
const BY_STRICTNESS: readonly Sentiment[] = ["positive", "neutral", "negative"];

const stricter = (one: Sentiment, other: Sentiment): Sentiment =>
  BY_STRICTNESS.indexOf(one) > BY_STRICTNESS.indexOf(other) ? one : other;

/**
 * The labels that the process uses where a caller states some: the stricter sentiment counts whoever finds it, and critical categories
 * that were found are added. So a stated label may add to an escalation, and never makes the answer milder than the text would.
 * @param found of a text that was not read, no sentiment
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

/** Whether customers of a segment come first. Case does not count. */
export const isPriority = (policy: EscalationPolicy | false, segment: string): boolean =>
  policy !== false && policy.segments.includes(segment.toLowerCase());
