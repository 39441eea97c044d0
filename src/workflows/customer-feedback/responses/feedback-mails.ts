import { inStableOrder, type Category } from "../../../analysis/categories.ts";
import type { Sentiment } from "../../../analysis/sentiment-analyzer.ts";
import { withoutAbsent } from "../../../json.ts";
import { factsAbout, type Facts } from "../../../ontology/facts.ts";
import { entityUri } from "../../../ontology/entity-uri.ts";
import { iri } from "../../../ontology/iri.ts";
import type { OntologyStore } from "../../../ontology/ontology-store.ts";
import { abi, prov } from "../../../ontology/vocabulary.ts";
import { FEEDBACK_STORE } from "../feedback-graph.ts";
import type { FeedbackMail } from "../feedback-schemas.ts";
import type { DecidedResponse } from "./approval.ts";

/** An email as stored in the graph, before its state is known. */
type Draft = Omit<FeedbackMail, "state">;

/** What the run does with its emails. */
interface Progress {
  /** Rendering of the email that a person has to decide on. */
  waiting: string | undefined;
  /** Whether the run has completed or was cancelled, so it sends nothing any more. */
  isOver: boolean;
  /** Whether an email has gone out. */
  isSent: boolean;
}

/**
 * The emails that were drafted for a piece of feedback, in the order in which they were decided on;
 * one that waits comes last.
 * @param feedback what the graph says about the feedback
 */
export async function mailsOf(
  ontologyStore: OntologyStore,
  feedback: Facts,
  progress: Progress,
): Promise<FeedbackMail[]> {
  const describe = (uri: string): Promise<Facts> => factsAbout(ontologyStore, FEEDBACK_STORE, iri(uri));
  const drafts = await Promise.all(feedback.values(abi.hasDraft).map((uri) => readDraft(uri, describe)));
  const ordered = drafts.toSorted((one, other) => decidedAt(one, drafts).localeCompare(decidedAt(other, drafts)));
  // An email that waits replaces those that people have agreed to.
  const agreed = progress.waiting === undefined ? ordered.findLast((draft) => isAgreed(draft, drafts)) : undefined;
  return ordered.map((draft) => Object.assign(draft, { state: stateOf(draft, agreed, progress) }));
}

/** A decision on an email, with the email's subject. */
export interface MailDecided extends Pick<DecidedResponse, "decision" | "by" | "decided_at"> {
  reason?: string;
  /** Subject of the email that was approved or rejected, or of the edited version. */
  subject: string;
}

/** The last decision on the emails of a piece of feedback; undefined if nobody has decided. */
export function lastDecision(mails: readonly FeedbackMail[]): MailDecided | undefined {
  const mail = mails.findLast(({ decision }) => decision !== undefined);
  if (!mail?.decision) return undefined;
  const { decision, by, time, reason } = mail.decision;
  const { subject } = mails.find(({ revision_of }) => revision_of === mail.rendering) ?? mail;
  return { decision, by, decided_at: time, ...withoutAbsent({ reason }), subject };
}

async function readDraft(uri: string, describe: (uri: string) => Promise<Facts>): Promise<Draft> {
  const facts = await describe(uri);
  const text = (property: typeof abi.text): string => facts.value(property) ?? "";
  const rendering = text(abi.id);
  const original = facts.value(prov.wasRevisionOf);
  const refusal = facts.value(abi.refusal);
  const decision = await readDecision(rendering, describe);
  return {
    rendering,
    sender: text(abi.sender),
    recipient: text(abi.recipient),
    subject: text(abi.subject),
    text: text(abi.text),
    html: text(abi.html),
    ...withoutAbsent({ decision }),
    ...(original !== undefined && { revision_of: (await describe(original)).value(abi.id) ?? "" }),
    ...withoutAbsent({ refusal }),
  };
}

async function readDecision(
  rendering: string,
  describe: (uri: string) => Promise<Facts>,
): Promise<Draft["decision"] | undefined> {
  if (rendering === "") return undefined;
  const facts = await describe(entityUri("ResponseDecision", rendering));
  const [decision, time] = [facts.value(abi.decision), facts.value(prov.endedAtTime)];
  const person = facts.value(prov.wasAssociatedWith);
  if (decision === undefined || time === undefined || person === undefined) return undefined;
  const reason = facts.value(abi.reason);
  const sentiment = facts.value(abi.reviewedSentiment) as Sentiment | undefined;
  const categories = inStableOrder(facts.values(abi.reviewedCategory) as Category[]);
  return {
    decision: decision as NonNullable<Draft["decision"]>["decision"],
    by: (await describe(person)).value(abi.name) ?? "",
    time: new Date(time).toISOString(),
    ...withoutAbsent({ reason, sentiment }),
    ...(categories.length > 0 && { categories }),
  };
}

/** The decision on a draft, or on the email that it revises. */
const decisionOn = (draft: Draft, drafts: readonly Draft[]): Draft["decision"] =>
  draft.decision ?? drafts.find(({ rendering }) => rendering === draft.revision_of)?.decision;

const decidedAt = (draft: Draft, drafts: readonly Draft[]): string => decisionOn(draft, drafts)?.time ?? "9";

/** Whether someone has agreed to exactly this email, by approving it or by writing it. */
function isAgreed(draft: Draft, drafts: readonly Draft[]): boolean {
  const { decision } = draft;
  if (decision) return decision.decision === "approve" || (decision.decision === "edit" && !isRevised(draft, drafts));
  return draft.revision_of !== undefined && decisionOn(draft, drafts)?.decision === "edit";
}

const isRevised = ({ rendering }: Draft, drafts: readonly Draft[]): boolean =>
  drafts.some(({ revision_of }) => revision_of === rendering);

function stateOf(
  { rendering, refusal, decision }: Draft,
  agreed: Draft | undefined,
  { waiting, isSent, isOver }: Progress,
): FeedbackMail["state"] {
  if (rendering === waiting) return "waiting";
  if (refusal !== undefined) return "refused";
  const isWithheld = isOver && !isSent;
  if (rendering === agreed?.rendering) return isSent ? "sent" : isWithheld ? "withheld" : "approved";
  if (decision?.decision === "reject") return "rejected";
  if (decision?.decision === "edit") return "edited";
  return isWithheld && decision === undefined ? "withheld" : "replaced";
}
