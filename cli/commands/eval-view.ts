import type { AnalyzerReport, TaskReport } from "../../evaluation/evaluate.ts";
import type { ClassScores } from "../../evaluation/scores.ts";
import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";
import { bold, count, oneLine, plural } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";

interface AnyScores {
  texts: number;
  macroF1: number;
  perClass: Partial<Record<string, ClassScores>>;
  calibrationError?: number;
}

const MAX_CONFUSIONS = 8;

const figure = (value: number | undefined): string => value?.toFixed(3) ?? "–";

/**
 * Reports as tables, first for sentiment, then for categories: the figures of each set and their
 * mean, the figures of each class, and the confusions.
 */
export function evaluationText(reports: readonly AnalyzerReport[]): string {
  const sentiment = reports.flatMap(({ name, sentiment }) => (sentiment ? [{ name, report: sentiment }] : []));
  const categories = reports.flatMap(({ name, categories }) => (categories ? [{ name, report: categories }] : []));
  return [
    ...taskText("Sentiment", sentiment),
    ...(sentiment.length > 0 ? [bold("Sentiment, confusion matrix (all texts)"), confusion(sentiment), ""] : []),
    ...taskText("Categories", categories),
    ...(categories.length > 0
      ? [bold("Categories, most frequent confusions (all texts)"), mostConfused(categories)]
      : []),
  ]
    .join("\n")
    .trimEnd();
}

function taskText(title: string, reports: readonly { name: string; report: TaskReport<AnyScores> }[]): string[] {
  const [first] = reports;
  if (first === undefined) return [];
  const columns = [{ title: "" }, { title: "texts" }, ...reports.map(({ name }) => ({ title: name }))];
  const line = (
    what: string,
    texts: number | undefined,
    value: (report: TaskReport<AnyScores>) => string,
  ): string[] => [what, texts === undefined ? "" : count(texts), ...reports.map(({ report }) => value(report))];
  const all = first.report.sets.reduce((sum, { texts }) => sum + texts, 0);
  const classes = [...new Set(reports.flatMap(({ report }) => Object.keys(report.pooled?.perClass ?? {})))];
  const classLine = (name: string): string[] =>
    line(name, Math.max(...reports.map(({ report }) => report.pooled?.perClass[name]?.support ?? 0)), ({ pooled }) => {
      const { precision, recall, f1 } = pooled?.perClass[name] ?? {};
      return `${figure(f1)} ${figure(precision)} ${figure(recall)}`;
    });
  const fallbacks = reports.flatMap(({ name, report }) =>
    report.fallbacks.map(({ reason, texts }) =>
      oneLine(`${name}: did not answer ${plural(texts, "text")} itself (${reason})`),
    ),
  );
  return [
    bold(`${title}, macro-F1`),
    table(columns, [
      ...first.report.sets.map(({ name, texts }, at) =>
        line(name, texts, ({ sets }) => figure(sets[at]?.scores?.macroF1)),
      ),
      line("mean of the sets", all, ({ mean }) => figure(mean)),
      line("calibration error", undefined, ({ pooled }) => figure(pooled?.calibrationError)),
      line("texts a second", undefined, ({ textsPerSecond }) => count(textsPerSecond)),
    ]),
    ...fallbacks,
    "",
    bold(`${title}, F1, precision and recall by class (all texts)`),
    table(columns, classes.map(classLine)),
    "",
  ];
}

function confusion(reports: readonly { name: string; report: NonNullable<AnalyzerReport["sentiment"]> }[]): string {
  return table(
    [{ title: "" }, { title: "labelled" }, ...SENTIMENTS.map((sentiment) => ({ title: `→ ${sentiment}` }))],
    reports.flatMap(({ name, report }) =>
      SENTIMENTS.filter((label) => report.pooled?.confusion[label]).map((label, at) => {
        const answers = SENTIMENTS.map((answer) => count(report.pooled?.confusion[label]?.[answer] ?? 0));
        return [at === 0 ? name : "", label].concat(answers);
      }),
    ),
  );
}

/** The most frequent confusions of each analyser; the page of `--html` has all of them. */
function mostConfused(reports: readonly { name: string; report: NonNullable<AnalyzerReport["categories"]> }[]): string {
  return table(
    [{ title: "" }, { title: "labelled" }, { title: "answered" }, { title: "texts" }],
    reports.flatMap(({ name, report }) =>
      Object.entries(report.pooled?.confusion ?? {})
        .flatMap(([label, answers]) => Object.entries(answers).map(([answer, texts]) => ({ label, answer, texts })))
        .filter(({ label, answer }) => label !== answer)
        .toSorted((one, other) => other.texts - one.texts)
        .slice(0, MAX_CONFUSIONS)
        .map(({ label, answer, texts }, at) => [at === 0 ? name : "", label, answer, count(texts)]),
    ),
  );
}
