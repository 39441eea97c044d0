/** What people have said about the labels of feedback while deciding on its emails. */
import { inStableOrder, type Category } from "../../analysis/categories.ts";
import type { Sentiment } from "../../analysis/sentiment-analyzer.ts";
import { isTrue } from "../../ontology/facts.ts";
import type { Row } from "../../ontology/ontology-store.ts";
import { withPrefixes } from "../../ontology/vocabulary.ts";
import { ownWordsOf } from "./own-words.ts";

/**
 * `stated`: a person named this label. `approved`: a person approved the email as it was, and
 * nobody named this label.
 */
export type LabelSource = "stated" | "approved";

/** Feedback whose labels a person has looked at. */
export interface ReviewedFeedback {
  id: string;
  /** URI of the customer. */
  customer: string;
  /** The customer's own words, as they were judged. */
  text: string;
  /** The labels that the workflow used. */
  judged: { sentiment: Sentiment; categories: Category[] };
  sentiment?: { label: Sentiment; source: LabelSource };
  categories?: { labels: Category[]; source: LabelSource };
  /**
   * The email was approved, but a label is missing because the analyser was not certain of it and
   * nobody named it.
   */
  uncertain?: true;
}

/** The rows of a SELECT on the store of feedback. */
export type SelectFeedback = (sparql: string) => Promise<readonly Row[]>;

const FEEDBACK = `SELECT DISTINCT ?id ?customer ?text ?sentiment ?doubtful ?score WHERE {
  ?feedback abi:hasDraft/^prov:used ?decided ; abi:id ?id ; abi:providedBy ?customer ; abi:text ?text ; abi:sentiment ?sentiment .
  OPTIONAL { ?feedback abi:doubtful ?doubtful }
  OPTIONAL { ?feedback abi:sentimentScore ?score }
} ORDER BY ?id`;

const JUDGED_CATEGORIES = `SELECT DISTINCT ?id ?category WHERE {
  ?feedback abi:hasDraft/^prov:used ?decided ; abi:id ?id ; abi:hasCategory ?category .
}`;

const DECISIONS = `SELECT DISTINCT ?id ?rendering ?decision ?time ?sentiment WHERE {
  ?feedback abi:hasDraft ?draft ; abi:id ?id .
  ?decided prov:used ?draft ; abi:id ?rendering ; abi:decision ?decision ; prov:endedAtTime ?time .
  OPTIONAL { ?decided abi:reviewedSentiment ?sentiment }
} ORDER BY ?time ?rendering`;

const REVIEWED_CATEGORIES = `SELECT DISTINCT ?rendering ?category WHERE {
  ?decided abi:id ?rendering ; abi:reviewedCategory ?category .
}`;

const value = (row: Row, name: string): string => row[name]?.value ?? "";

function grouped(rows: readonly Row[], by: string): Map<string, Category[]> {
  const groups = Map.groupBy(rows, (row) => value(row, by));
  return new Map(
    [...groups].map(([key, own]) => [key, inStableOrder(own.map((row) => value(row, "category") as Category))]),
  );
}

/**
 * All feedback that a person has decided on, sorted by id. Labels that a person named count; if
 * they were named in several decisions, those of the last one. If nobody has named a label, an
 * approval confirms the one that was shown with the email, unless the analyser was not certain of
 * it: then the person may have looked at the email only. An edit or a rejection without labels only
 * says that something was wrong, so such feedback has no label.
 * @throws what `ask` throws
 */
export async function reviewedFeedback(ask: SelectFeedback): Promise<ReviewedFeedback[]> {
  const select = (sparql: string): Promise<readonly Row[]> => ask(withPrefixes(sparql));
  const feedback = await select(FEEDBACK);
  const judged = grouped(await select(JUDGED_CATEGORIES), "id");
  const decisions = await select(DECISIONS);
  const reviewed = grouped(await select(REVIEWED_CATEGORIES), "rendering");
  const byFeedback = Map.groupBy(decisions, (row) => value(row, "id"));
  return Promise.all(
    feedback.map(async (row) => {
      const id = value(row, "id");
      const labels = { sentiment: value(row, "sentiment") as Sentiment, categories: judged.get(id) ?? [] };
      const certain = { sentiment: !isDoubtful(row) && !isUnread(row), categories: !isUnread(row) };
      const text = await ownWordsOf(value(row, "text"));
      const reviewedLabels = labelsBy(byFeedback.get(id) ?? [], reviewed, labels, certain);
      return Object.assign(reviewedLabels, { id, customer: value(row, "customer"), text, judged: labels });
    }),
  );
}

const isDoubtful = (row: Row): boolean => row["doubtful"] !== undefined && isTrue(row["doubtful"].value);

/** An analyser that judged nothing gives the score 0. */
const isUnread = (row: Row): boolean => row["score"] !== undefined && Number(row["score"].value) === 0;

type Labels = Pick<ReviewedFeedback, "sentiment" | "categories" | "uncertain">;

/** @param decisions on one piece of feedback, oldest first */
function labelsBy(
  decisions: readonly Row[],
  reviewed: ReadonlyMap<string, Category[]>,
  judged: ReviewedFeedback["judged"],
  certain: { sentiment: boolean; categories: boolean },
): Labels {
  const stated: Labels = {};
  for (const row of decisions) {
    const categories = reviewed.get(value(row, "rendering"));
    if (row["sentiment"]) stated.sentiment = { label: row["sentiment"].value as Sentiment, source: "stated" };
    if (categories) stated.categories = { labels: categories, source: "stated" };
  }
  if (decisions.at(-1)?.["decision"]?.value !== "approve") return stated;
  const isUncertain = (!certain.sentiment && !stated.sentiment) || (!certain.categories && !stated.categories);
  return {
    ...(isUncertain && { uncertain: true }),
    ...(certain.sentiment && { sentiment: { label: judged.sentiment, source: "approved" } }),
    ...(certain.categories && { categories: { labels: judged.categories, source: "approved" } }),
    ...stated,
  };
}
