import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CATEGORIES } from "../../src/analysis/categories.ts";
import { host, resolvedPath } from "../terminal/host.ts";
import { count, note, oneLine, plural, print, printJson } from "../terminal/output.ts";
import { withGraph, type AskGraph } from "./query.ts";
import { IoError } from "../../src/errors.ts";
import { withPrefixes } from "../../src/ontology/vocabulary.ts";
import { replacePrivateFile } from "../../src/files/private-files.ts";
import { reviewedFeedback, type ReviewedFeedback } from "../../src/workflows/customer-feedback/reviewed-labels.ts";
import { maskTexts } from "../../evaluation/masking.ts";
import type { ExportLabelsOptions } from "./export-labels-command.ts";

/** What masking must hide: the customers' names, addresses and ids. */
const SECRETS = "SELECT DISTINCT ?customer ?value WHERE { ?customer abi:name|abi:email|abi:id ?value }";

/** `general` means that no other category was labelled. */
const SCOPE = CATEGORIES.filter((category) => category !== "general");

interface Counts {
  sentiment: number;
  categories: number;
  /** Texts with a label that differs from what the workflow used. */
  corrected: number;
  /** Texts whose emails were edited or rejected, without anyone naming the right labels. */
  unlabelled: number;
  /**
   * Texts whose emails were approved, but that lack a label, because the analyser was not certain
   * of it and nobody named it.
   */
  uncertain: number;
}

/** Writes the labels from reviewers into a folder, in the format of `eval`. */
export async function exportLabels(folder: string, options: ExportLabelsOptions): Promise<void> {
  const reviewed = await withGraph(options, readReviewed);
  const texts = options.rawTexts ? reviewed.map(({ text }) => text) : maskTexts(reviewed);
  const sentiment = reviewed.flatMap(({ sentiment }, at) =>
    sentiment ? [{ text: texts[at]!, label: sentiment.label, source: sentiment.source }] : [],
  );
  const categories = reviewed.flatMap(({ categories }, at) => {
    if (!categories) return [];
    const labels = categories.labels.filter((label) => label !== "general");
    return [{ text: texts[at]!, labels, scope: SCOPE, source: categories.source }];
  });
  const counts: Counts = {
    sentiment: sentiment.length,
    categories: categories.length,
    corrected: reviewed.filter(isCorrected).length,
    unlabelled: reviewed.filter(({ sentiment, categories, uncertain }) => !sentiment && !categories && !uncertain)
      .length,
    uncertain: reviewed.filter(({ uncertain }) => uncertain).length,
  };
  if (sentiment.length + categories.length > 0) {
    write(folder, "sentiment", sentiment);
    write(folder, "categories", categories);
  }
  report(folder, counts, options);
}

type Reviewed = ReviewedFeedback & { secrets: string[] };

async function readReviewed(ask: AskGraph): Promise<Reviewed[]> {
  const reviewed = await reviewedFeedback((sparql) => ask("feedback_data", sparql));
  const rows = await ask("customer_data", withPrefixes(SECRETS));
  const secrets = Map.groupBy(rows, (row) => row["customer"]?.value ?? "");
  return reviewed.map((one) => {
    const ofCustomer = (secrets.get(one.customer) ?? []).map((row) => row["value"]?.value ?? "");
    return Object.assign({ secrets: [one.id, ...ofCustomer] }, one);
  });
}

const isCorrected = ({ judged, sentiment, categories }: ReviewedFeedback): boolean =>
  (sentiment !== undefined && sentiment.label !== judged.sentiment) ||
  (categories !== undefined && categories.labels.join() !== judged.categories.join());

function write(folder: string, name: "sentiment" | "categories", rows: readonly object[]): void {
  const place = join(resolvedPath(folder), name);
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 });
    replacePrivateFile(join(place, "reviewed.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  } catch (cause) {
    throw new IoError(`The labels can't be written to ${folder}. Check its name and permissions.`, {
      code: "file_unwritable",
      cause,
    });
  }
}

function report(folder: string, counts: Counts, { json, rawTexts }: ExportLabelsOptions): void {
  const { sentiment, categories, corrected, unlabelled, uncertain } = counts;
  if (json) printJson({ folder, masked: !rawTexts, ...counts });
  if (sentiment + categories === 0) {
    host().exitCode = 1;
    note("There are no reviewed labels: they come from decisions in the approval queue (APPROVAL=on).");
  } else if (!json) {
    print(oneLine(`Written to ${folder}: ${count(sentiment)} sentiment labels, ${count(categories)} category labels.`));
    print(`${plural(corrected, "text")} with labels that reviewers corrected.`);
  }
  if (unlabelled > 0) {
    note(`${plural(unlabelled, "text")} left out: edited or rejected, and nobody said which labels are right.`);
  }
  if (uncertain > 0) {
    note(
      `${plural(uncertain, "text")} approved although the analyser was in doubt or couldn't read the text: such an approval is no label. ` +
        "To make it one, name the labels when you decide.",
    );
  }
  if (sentiment + categories === 0) return;
  if (rawTexts)
    note("The texts are as customers wrote them. They may name people: treat the files like the customers' data.");
  else note("Names, ids, addresses, numbers and unusual words are masked. Look at the texts before you pass them on.");
}
