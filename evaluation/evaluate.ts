import { setImmediate } from "node:timers/promises";
import pMap from "p-map";
import { withoutAbsent } from "../src/json.ts";
import type { Contestant } from "./contestants.ts";
import {
  withScopes,
  type CategoryRow,
  type LabelledSet,
  type LabelledSets,
  type SentimentRow,
} from "./labelled-sets.ts";
import { scoreCategories, type CategoriesAnswer, type CategoriesScores } from "./score-categories.ts";
import { mean } from "./scores.ts";
import { scoreSentiment, type SentimentAnswer, type SentimentScores } from "./score-sentiment.ts";

export interface Mistake {
  set: string;
  text: string;
  expected: string;
  answered: string;
  /** How sure the analyser was; absent if it doesn't say. */
  confidence?: number;
}

/** The scores of one analyser for one question, only on the texts that it answered itself. */
export interface TaskReport<Scores> {
  /**
   * Mean macro-F1 of the sets, all with the same weight; absent if there is a set in which it
   * answered nothing.
   */
  mean?: number;
  /** All texts as one set; absent if it answered none. */
  pooled?: Scores;
  /** `texts` is the number of texts in the set. `scores` are absent if it answered none of them. */
  sets: { name: string; texts: number; scores?: Scores }[];
  /** Texts that it answered itself, per second. */
  textsPerSecond: number;
  /** How many texts it didn't answer itself, and why, most frequent reason first. */
  fallbacks: { reason: string; texts: number }[];
  /** At most twenty, most confident first. */
  worstMistakes: Mistake[];
}

export interface AnalyzerReport {
  name: string;
  /** For a chat model, this includes its name; absent if the analyser is not ours. */
  version?: string;
  sentiment?: TaskReport<SentimentScores>;
  categories?: TaskReport<CategoriesScores>;
}

export interface EvaluationOptions {
  signal?: AbortSignal;
  /** Called after each set. `share` is how much is done, 0 to 1. */
  onProgress?: (name: string, set: string, share: number) => void;
}

const MAX_MISTAKES = 20;
/** How many texts are judged before timers and signals get their turn. */
const PORTION = 500;

/**
 * Lets every contestant answer every set, one at a time, and scores the answers. A contestant that
 * fails permanently, for example because its key was refused, is not asked the same question
 * (sentiment or categories) again.
 * @throws the reason of `signal`
 */
export async function evaluate(
  sets: LabelledSets,
  contestants: readonly Contestant[],
  { signal, onProgress }: EvaluationOptions = {},
): Promise<AnalyzerReport[]> {
  const rounds = contestants.length * (sets.sentiment.length + sets.categories.length);
  let done = 0;
  const reports: AnalyzerReport[] = [];
  for (const { name, version, sentiment, categories, parallel } of contestants.map(untilRefused)) {
    const options = {
      parallel,
      ...withoutAbsent({ signal }),
      onSet: (set: string) => onProgress?.(name, set, ++done / rounds),
    };
    const report: AnalyzerReport = { name, ...withoutAbsent({ version }) };
    if (sentiment && sets.sentiment.length > 0) {
      report.sentiment = await runTask(sets.sentiment, { ...options, ask: sentiment, ...SENTIMENT });
    }
    if (categories && sets.categories.length > 0) {
      report.categories = await runTask(
        sets.categories.map(({ name, rows }) => ({ name, rows: withScopes(rows) })),
        { ...options, ask: categories, ...CATEGORIES },
      );
    }
    reports.push(report);
  }
  return reports;
}

/** Whether an analyser was asked but answered no text itself. */
export function isSilent({ sentiment, categories }: AnalyzerReport): boolean {
  const tasks = [sentiment, categories].filter((task) => task !== undefined);
  return tasks.length > 0 && tasks.every(({ pooled }) => pooled === undefined);
}

type Answered<Answer> = Answer & { fallback?: { reason: string; permanent: boolean } };
type Ask<Answer> = (text: string) => Answered<Answer> | Promise<Answered<Answer>>;

/**
 * Wraps a contestant: after a permanent failure, such as a refused key, all later texts of the
 * same question get the same answer without being sent.
 */
function untilRefused({ sentiment, categories, ...contestant }: Contestant): Contestant {
  const guarded = <Answer>(ask: Ask<Answer>): Ask<Answer> => {
    let refusal: Answered<Answer> | undefined;
    const note = (answer: Answered<Answer>): Answered<Answer> => {
      if (answer.fallback?.permanent === true) refusal = answer;
      return answer;
    };
    return (text) => {
      if (refusal !== undefined) return refusal;
      const answer = ask(text);
      // Do not await an immediate answer, because the time is measured.
      return answer instanceof Promise ? answer.then(note) : answer;
    };
  };
  return {
    ...contestant,
    ...(sentiment && { sentiment: guarded(sentiment) }),
    ...(categories && { categories: guarded(categories) }),
  };
}

interface Task<Row extends { text: string }, Answer, Scores extends { macroF1: number }> {
  ask: Ask<Answer>;
  score: (rows: readonly Row[], answers: readonly Answer[]) => Scores;
  /** Undefined if the answer is right. */
  mistake: (row: Row, answer: Answer) => Omit<Mistake, "set" | "text"> | undefined;
  parallel: number;
  signal?: AbortSignal;
  onSet: (name: string) => void;
}

const SENTIMENT = {
  score: scoreSentiment,
  mistake: ({ label }: SentimentRow, { sentiment, score }: SentimentAnswer) =>
    label === sentiment ? undefined : { expected: label, answered: sentiment, ...withoutAbsent({ confidence: score }) },
};

const CATEGORIES = {
  score: scoreCategories,
  mistake: ({ labels, scope = labels }: CategoryRow, { categories, scores }: CategoriesAnswer) => {
    const met = (label: string): boolean => label.split("|").some((name) => categories.includes(name));
    const wrong = scope.filter((label) => met(label) !== labels.includes(label));
    if (wrong.length === 0) return undefined;
    // An analyser may say how sure it is of a category that it left out.
    const confidence = Math.max(0, ...wrong.flatMap((label) => label.split("|").map((name) => scores?.[name] ?? 0)));
    return {
      expected: labels.join(", ") || "none of them",
      answered: scope.filter(met).join(", ") || "none of them",
      ...(scores && { confidence }),
    };
  },
};

async function runTask<Row extends { text: string }, Answer, Scores extends { macroF1: number }>(
  sets: readonly LabelledSet<Row>[],
  task: Task<Row, Answer, Scores>,
): Promise<TaskReport<Scores>> {
  const results: { name: string; texts: number; rows: Row[]; answers: Answer[] }[] = [];
  const fallbacks: { reason: string }[] = [];
  let milliseconds = 0;
  for (const { name, rows } of sets) {
    const start = performance.now();
    const answers = await answersOf(rows, task);
    milliseconds += performance.now() - start;
    fallbacks.push(...answers.flatMap(({ fallback }) => fallback ?? []));
    const isOwn = (at: number): boolean => answers[at]?.fallback === undefined;
    results.push({
      name,
      texts: rows.length,
      rows: rows.filter((_row, at) => isOwn(at)),
      answers: answers.filter((_answer, at) => isOwn(at)),
    });
    task.onSet(name);
  }
  const rows = results.flatMap(({ rows }) => rows);
  const scored = results.map(({ name, texts, rows, answers }) => ({
    name,
    texts,
    ...(rows.length > 0 && { scores: task.score(rows, answers) }),
  }));
  const scores = scored.flatMap(({ scores }) => scores ?? []);
  return {
    ...(scores.length === sets.length && { mean: mean(scores.map(({ macroF1 }) => macroF1)) }),
    ...(rows.length > 0 && {
      pooled: task.score(
        rows,
        results.flatMap(({ answers }) => answers),
      ),
    }),
    sets: scored,
    textsPerSecond: Math.round((rows.length / milliseconds) * 1000),
    fallbacks: countReasons(fallbacks),
    worstMistakes: worst(results.flatMap((result) => mistakesOf(result, task))),
  };
}

const countReasons = (fallbacks: readonly { reason: string }[]): { reason: string; texts: number }[] =>
  [...Map.groupBy(fallbacks, ({ reason }) => reason)]
    .map(([reason, all]) => ({ reason, texts: all.length }))
    .toSorted((one, other) => other.texts - one.texts);

async function answersOf<Row extends { text: string }, Answer, Scores extends { macroF1: number }>(
  rows: readonly Row[],
  { ask, parallel, signal }: Task<Row, Answer, Scores>,
): Promise<Answered<Answer>[]> {
  const answers: Answered<Answer>[] = [];
  for (let at = 0; at < rows.length; at += PORTION) {
    await setImmediate();
    signal?.throwIfAborted();
    const portion = rows.slice(at, at + PORTION);
    if (parallel > 1) {
      answers.push(
        ...(await pMap(portion, ({ text }) => ask(text), { concurrency: parallel, ...withoutAbsent({ signal }) })),
      );
      continue;
    }
    for (const { text } of portion) {
      const answer = ask(text);
      // Do not await an immediate answer, because the time is measured.
      answers.push(answer instanceof Promise ? await answer : answer);
    }
  }
  return answers;
}

const mistakesOf = <Row extends { text: string }, Answer, Scores extends { macroF1: number }>(
  { name, rows, answers }: { name: string; rows: readonly Row[]; answers: readonly Answer[] },
  { mistake }: Task<Row, Answer, Scores>,
): Mistake[] =>
  rows.flatMap((row, at) => {
    const answer = answers[at];
    const found = answer && mistake(row, answer);
    return found ? [{ set: name, text: row.text, ...found }] : [];
  });

const worst = (mistakes: readonly Mistake[]): Mistake[] =>
  mistakes.toSorted((one, other) => (other.confidence ?? 0) - (one.confidence ?? 0)).slice(0, MAX_MISTAKES);
