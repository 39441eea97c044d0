import { SENTIMENTS } from "../src/analysis/sentiment-analyzer.ts";
import type { AnalyzerReport, Mistake, TaskReport } from "./evaluate.ts";
import { NO_CATEGORY, type CategoriesScores } from "./score-categories.ts";
import type { ClassScores } from "./scores.ts";
import { PAGE_STYLE } from "./page-style.ts";

interface AnyScores {
  texts: number;
  macroF1: number;
  perClass: Partial<Record<string, ClassScores>>;
  calibrationError?: number;
}

interface Named<Scores> {
  name: string;
  report: TaskReport<Scores>;
}

/** CSS class of an analyser's bars, the same for both questions. */
type Color = (name: string) => string;

const COLORS = 6;
const MAX_TEXT_LENGTH = 600;

/** What the page shows. */
export interface Evaluation {
  /** UTC, `2026-11-22`. */
  date: string;
  /** Of this package. */
  version: string;
  /** Name of the folder with the labelled texts. */
  folder: string;
  /** Why the figures may be better than on other texts. */
  caveat?: string;
  analyzers: readonly AnalyzerReport[];
}

/**
 * A self-contained page: bars for each set and analyser, classes, confusions, and the worst
 * mistakes.
 */
export function evaluationPage({ date, version, folder, caveat, analyzers: reports }: Evaluation): string {
  const sentiment = reports.flatMap(({ name, sentiment }) => (sentiment ? [{ name, report: sentiment }] : []));
  const categories = reports.flatMap(({ name, categories }) => (categories ? [{ name, report: categories }] : []));
  const color: Color = (name) => `c${reports.findIndex((report) => report.name === name) % COLORS}`;
  const legend = reports
    .map(
      ({ name, version = "" }) =>
        `<li><i class="${color(name)}"></i>${escape(name)} <small>${escape(version)}</small></li>`,
    )
    .join("");
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>Text analysis, evaluated</title><style>${PAGE_STYLE}</style></head><body><main>`,
    `<h1>Text analysis, evaluated</h1>`,
    `<p>${escape(folder)} · ${escape(date)} · abi-workflows ${escape(version)}</p>`,
    `<ul class="legend">${legend}</ul>`,
    ...(caveat === undefined ? [] : [`<p><b>Read with care:</b> ${escape(caveat)}</p>`]),
    task("Sentiment", sentiment, color),
    ...(sentiment.length > 0 ? ["<h3>Confusion matrix, all texts</h3>", confusions(sentiment, SENTIMENTS)] : []),
    task("Categories", categories, color),
    ...(categories.length > 0
      ? ["<h3>Confusions, all texts</h3>", confusions(categories, categoriesOf(categories))]
      : []),
    ...mistakes("Sentiment", sentiment),
    ...mistakes("Categories", categories),
    "</main></body></html>",
    "",
  ].join("\n");
}

function task(title: string, reports: readonly Named<AnyScores>[], color: Color): string {
  const [first] = reports;
  if (first === undefined) return "";
  const group = (title: string, value: (report: TaskReport<AnyScores>) => number | undefined): string => {
    const bars = reports.map(({ name, report }) => bar(value(report), color(name)));
    return `<div class="group"><h4>${escape(title)}</h4><div>${bars.join("")}</div></div>`;
  };
  const rows = [
    group("Mean of the sets", ({ mean }) => mean),
    ...first.report.sets.map(({ name, texts }, at) =>
      group(`${name} (${texts} texts)`, ({ sets }) => sets[at]?.scores?.macroF1),
    ),
  ];
  return [
    `<section><h2>${title}</h2><h3>Macro-F1</h3>${rows.join("")}`,
    `<h3>F1, precision and recall by class, all texts</h3>${classGrid(reports)}`,
    `<h3>Calibration error</h3>${calibrationGrid(first, reports)}</section>`,
  ].join("\n");
}

function classGrid(reports: readonly Named<AnyScores>[]): string {
  const classes = [...new Set(reports.flatMap(({ report }) => Object.keys(report.pooled?.perClass ?? {})))];
  const perClass = classes.map((name) => {
    const figures = reports.map(({ report }) => {
      const { f1, precision, recall } = report.pooled?.perClass[name] ?? {};
      return `${figure(f1)}<br><small>P ${figure(precision)} R ${figure(recall)}</small>`;
    });
    const support = Math.max(...reports.map(({ report }) => report.pooled?.perClass[name]?.support ?? 0));
    return [escape(name), String(support)].concat(figures);
  });
  return grid(
    ["", "texts", ...reports.map(({ name }) => escape(name))],
    [
      ...perClass,
      ["texts a second", "", ...reports.map(({ report }) => String(report.textsPerSecond))],
      ...(reports.some(({ report }) => report.fallbacks.length > 0)
        ? [["not answered", "", ...reports.map(({ report }) => fallbackCell(report))]]
        : []),
    ],
  );
}

const calibrationGrid = (first: Named<AnyScores>, reports: readonly Named<AnyScores>[]): string =>
  grid(
    ["", ...reports.map(({ name }) => escape(name))],
    [
      ...first.report.sets.map(({ name }, at) =>
        [escape(name)].concat(reports.map(({ report }) => figure(report.sets[at]?.scores?.calibrationError))),
      ),
      ["all texts", ...reports.map(({ report }) => figure(report.pooled?.calibrationError))],
    ],
  );

const fallbackCell = ({ fallbacks }: TaskReport<AnyScores>): string =>
  fallbacks.map(({ reason, texts }) => `${texts}<br><small class="words">${escape(reason)}</small>`).join("<br>");

const bar = (value: number | undefined, color: string): string =>
  `<div class="bar"><i class="${color}" style="--value:${(value ?? 0).toFixed(4)}"></i><b>${figure(value)}</b></div>`;

type Confusion = Partial<Record<string, Partial<Record<string, number>>>>;

function confusions(reports: readonly Named<{ confusion: Confusion }>[], classes: readonly string[]): string {
  return grid(
    ["", "labelled", ...classes.map((answer) => `→ ${escape(answer)}`)],
    reports.flatMap(({ name, report }) =>
      classes
        .filter((label) => report.pooled?.confusion[label])
        .map((label, at) => {
          const answers = classes.map((answer) => report.pooled?.confusion[label]?.[answer] ?? 0);
          const all = answers.reduce((sum, one) => sum + one, 0);
          const cells = answers.map((one) =>
            one === 0 ? "" : `${one} <small>${Math.round((one / all) * 100)} %</small>`,
          );
          return [at === 0 ? escape(name) : "", escape(label)].concat(cells);
        }),
    ),
  );
}

const categoriesOf = (reports: readonly Named<CategoriesScores>[]): string[] => {
  const labels = reports.flatMap(({ report }) => Object.keys(report.pooled?.perClass ?? {}));
  return [...new Set(labels), NO_CATEGORY];
};

const mistakes = (title: string, reports: readonly Named<unknown>[]): string[] =>
  reports
    .filter(({ report }) => report.worstMistakes.some(({ confidence }) => confidence !== undefined))
    .map(
      ({ name, report }) =>
        `<section><h2>${title}: the surest mistakes of ${escape(name)}</h2>${report.worstMistakes.map(mistake).join("")}</section>`,
    );

const mistake = ({ set, text, expected, answered, confidence }: Mistake): string =>
  `<blockquote><p>${escape(cut(text))}</p><footer>${escape(set)}: labelled <b>${escape(expected)}</b>, ` +
  `answered <b>${escape(answered)}</b>${confidence === undefined ? "" : ` (confidence ${figure(confidence)})`}</footer></blockquote>`;

const grid = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><thead>${cells("th", head)}</thead><tbody>${rows.map((row) => cells("td", row)).join("")}</tbody></table></div>`;

const cells = (tag: "td" | "th", values: readonly string[]): string =>
  `<tr>${values.map((value) => `<${tag}>${value}</${tag}>`).join("")}</tr>`;

const figure = (value: number | undefined): string => value?.toFixed(3) ?? "–";

const cut = (text: string): string => (text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text);

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escape = (text: string): string => text.toWellFormed().replaceAll(/[&<>"']/gu, (sign) => ENTITIES[sign] ?? sign);
