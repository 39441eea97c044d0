/**
 * The terms that this package writes and queries. `vocabulary.ttl` says what they mean, and
 * `shapes.ttl` which rules the data must follow.
 */
import type { NamedNode } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";

export const ABI = "http://example.org/abi#";
export const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
export const XSD = "http://www.w3.org/2001/XMLSchema#";
export const PROV = "http://www.w3.org/ns/prov#";

/** Prefix declarations for the beginning of a query. */
export const PREFIXES = `PREFIX abi: <${ABI}> PREFIX rdf: <${RDF}> PREFIX xsd: <${XSD}> PREFIX prov: <${PROV}>`;

/**
 * Puts the usual prefixes before a query. The query's own declarations come later and take
 * precedence.
 */
export const withPrefixes = (sparql: string): string => `${PREFIXES} ${sparql}`;

function terms<const Name extends string>(
  namespace: string,
  names: readonly Name[],
): Readonly<Record<Name, NamedNode>> {
  const entries = names.map((name) => [name, DataFactory.namedNode(namespace + name)]);
  return Object.fromEntries(entries) as Record<Name, NamedNode>;
}

export const rdf = terms(RDF, ["type"]);

export const xsd = terms(XSD, ["string", "boolean", "integer", "decimal", "double", "dateTime"]);

/** Terms of PROV-O (https://www.w3.org/TR/prov-o/). */
export const prov = terms(PROV, [
  "Activity",
  "SoftwareAgent",
  "Person",
  "wasGeneratedBy",
  "wasAssociatedWith",
  "wasRevisionOf",
  "used",
  "endedAtTime",
]);

/** Terms of our own vocabulary. */
export const abi = terms(ABI, [
  "Customer",
  "Feedback",
  "Ticket",
  "Response",
  "ResponseDraft",
  "ResponseDecision",
  "Reply",
  "HeldMail",
  "Person",
  "Analyzer",
  "AnalyzerPair",
  "Store",
  "id",
  "name",
  "email",
  "normalizedEmail",
  "segment",
  "lifetimeValue",
  "doNotContact",
  "retrievedAt",
  "retrievedFrom",
  "subject",
  "text",
  "reference",
  "sentiment",
  "statedSentiment",
  "foundSentiment",
  "timestamp",
  "hasCategory",
  "statedCategory",
  "foundCategory",
  "providedBy",
  "action",
  "responsePermitted",
  "permittedResponseTo",
  "responseSent",
  "responseWithheld",
  "responseId",
  "responseTime",
  "hasResponse",
  "hasReply",
  "processedAs",
  "repliesTo",
  "attachmentCount",
  "digest",
  "hasDraft",
  "sender",
  "recipient",
  "html",
  "messageId",
  "inReplyTo",
  "refusal",
  "insteadOf",
  "decision",
  "reviewedSentiment",
  "reviewedCategory",
  "reason",
  "priority",
  "status",
  "forFeedback",
  "version",
  "sentimentScore",
  "sentimentDoubt",
  "doubtful",
  "categoryScore",
  "sentimentEvidence",
  "categoryEvidence",
  "analyzedBy",
  "sentimentAnalyzer",
  "categoryAnalyzer",
  "fallbackReason",
]);

/** The vocabulary as an RDFS/OWL file in Turtle. */
export const vocabularyUrl = new URL("./vocabulary.ttl", import.meta.url);

/** SHACL shapes in Turtle for everything that this package writes, for any SHACL validator. */
export const shapesUrl = new URL("./shapes.ttl", import.meta.url);
