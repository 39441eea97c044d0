import type { Visible } from "../../ontology/visible.ts";
import { abi, prov } from "../../ontology/vocabulary.ts";
import { FEEDBACK_STORE } from "./feedback-graph.ts";

/**
 * The part of the graph without names, addresses or anything that a customer or a colleague has
 * written. Customers are identified by the ids in their URIs; the whole store `customer_data` is
 * left out.
 */
export const IMPERSONAL_DATA: Visible = {
  [FEEDBACK_STORE]: {
    properties: [
      abi.id,
      abi.reference,
      abi.sentiment,
      abi.statedSentiment,
      abi.foundSentiment,
      abi.sentimentScore,
      abi.doubtful,
      abi.hasCategory,
      abi.statedCategory,
      abi.foundCategory,
      abi.categoryScore,
      abi.timestamp,
      abi.providedBy,
      abi.action,
      abi.responsePermitted,
      abi.permittedResponseTo,
      abi.responseSent,
      abi.responseWithheld,
      abi.responseId,
      abi.responseTime,
      abi.hasResponse,
      abi.hasReply,
      abi.processedAs,
      abi.attachmentCount,
      abi.hasDraft,
      abi.messageId,
      abi.insteadOf,
      abi.decision,
      abi.reviewedSentiment,
      abi.reviewedCategory,
      abi.priority,
      abi.status,
      abi.forFeedback,
      abi.version,
      abi.analyzedBy,
      abi.sentimentAnalyzer,
      abi.categoryAnalyzer,
      abi.fallbackReason,
      prov.wasGeneratedBy,
      prov.wasRevisionOf,
      prov.used,
      prov.endedAtTime,
    ],
    classes: [
      abi.Feedback,
      abi.Ticket,
      abi.Response,
      abi.Reply,
      abi.ResponseDraft,
      abi.ResponseDecision,
      abi.Analyzer,
      abi.AnalyzerPair,
      prov.Activity,
    ],
  },
};
