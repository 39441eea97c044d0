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

function mustEscalate(policy: EscalationPolicy, situation: Situation): boolean {
  const { segment, lifetimeValue, sentiment, categories, unreadable, doubtful } = situation;
  return (
    isPriority(policy, segment) ||
    (sentiment === "negative" && lifetimeValue > policy.negativeLifetimeValueOver) ||
    categories.some((category) => policy.criticalCategories.includes(category)) ||
    (unreadable && policy.escalateUnreadable === true) ||
    (doubtful && policy.escalateDoubtful === true)
  );
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
export function stricterOf(
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
