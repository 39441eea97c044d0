import { withoutAbsent } from "../../src/json.ts";
import type { StepHistory } from "../../src/framework/result.ts";
import type { CustomerFeedbackResult } from "../../src/workflows/customer-feedback/result.ts";
import { isForThisVersion } from "../../src/analysis/embedded/trained-weights.ts";
import { openTrainedWeights } from "../../src/application/parts.ts";
import { count, truncated, note, oneLine, plural, print, printJson, styled } from "../terminal/output.ts";
import { fields, judgedText, outcomeText, sentimentText } from "../result-view.ts";
import {
  delayedRuns,
  FEEDBACK_WORKFLOW,
  reportUnknownRun,
  serviceFor,
  withRuns,
  type Runs,
  type RunView,
} from "../runs/runs.ts";
import { settingsFrom } from "../settings.ts";
import type { StatusOptions } from "./status-command.ts";
import { table } from "../terminal/table.ts";

const MAX_PROBLEM_LENGTH = 36;
const COLORS: ReadonlyMap<string, "green" | "red" | "yellow"> = new Map([
  ["completed", "green"],
  ["failed", "red"],
  ["waiting_for_approval", "yellow"],
]);

/** One run, or without an id the latest ones. */
export const showStatus = (id: string | undefined, options: StatusOptions): Promise<void> =>
  withRuns(options, (runs) => (id === undefined ? showLatest(runs, options) : showOne(runs, id, options)));

async function showOne(
  runs: Runs | undefined,
  id: string,
  { json, history: withHistory }: StatusOptions,
): Promise<void> {
  const run = await runs?.find(id);
  if (!run || !runs) return reportUnknownRun(id, json === true);
  const history = withHistory ? await runs.history(run.workflow_id) : undefined;
  if (json) return printJson({ ...run, ...withoutAbsent({ history }) });
  const { workflow, key, status, start_time: start = "", end_time: end, steps_completed: steps = [], result } = run;
  const isFeedback = workflow === FEEDBACK_WORKFLOW;
  const isAtWork = status === "processing" && !steps.includes(run.current_step ?? "");
  const atWork = isAtWork ? run.current_step : undefined;
  print(
    fields([
      ...(isFeedback ? [] : [["workflow", oneLine(workflow)] as const]),
      [isFeedback ? "feedback" : "key", oneLine(key)],
      ...(run.reference === undefined ? [] : [["reference", oneLine(run.reference)] as const]),
      ["workflow id", run.workflow_id],
      ["status", painted(status)],
      ["steps", steps.map(oneLine).join(", ") || "none yet"],
      ...(atWork === undefined ? [] : [["at work", oneLine(atWork)] as const]),
      ...(result && isFeedback ? judgedFields(result) : []),
      ...(result && isFeedback ? [["outcome", outcomeText(result as CustomerFeedbackResult)] as const] : []),
      ["started", start],
      ...(end === undefined ? [] : [["ended", end] as const]),
      ...(run.error === undefined ? [] : [["problem", oneLine(run.error)] as const]),
      ...failingFields(run),
    ]),
  );
  if (history) print(`\n${historyTable(history)}`);
}

function judgedFields(result: Partial<CustomerFeedbackResult>): (readonly [string, string])[] {
  const { sentiment, categories = [] } = result;
  if (sentiment === undefined) return [];
  return [
    ["sentiment", sentimentText(judgedText(result))],
    ["categories", categories.join(", ")],
  ];
}

function failingFields({ failing }: RunView): (readonly [string, string])[] {
  if (!failing) return [];
  const { attempts, since, error, next_try: nextTry = "now", until } = failing;
  return [
    ["problem", oneLine(error)],
    ["failing", `since ${since}, ${plural(attempts, "attempt")}`],
    ["next try", nextTry],
    ...(until === undefined ? [] : [["tried until", until] as const]),
  ];
}

/**
 * Prints why runs keep failing, each reason once, so that it is easy to see however many runs there
 * are.
 */
async function noteDelays(runs: Runs | undefined): Promise<void> {
  const byProblem = Map.groupBy(runs ? await delayedRuns(runs) : [], ({ failing }) => failing!.error);
  for (const [problem, delayed] of byProblem) {
    const since = new Date(Math.min(...delayed.map(({ failing }) => Date.parse(failing!.since))));
    const wait = delayed.length === 1 ? "waits" : "wait";
    const many = plural(delayed.length, "run");
    note(`${many} ${wait} for the next attempt, since ${since.toISOString()}: ${oneLine(problem)}`);
  }
}

function historyTable(history: readonly StepHistory[]): string {
  const rows = history.map(({ step, status, start_time: start, end_time: end, error = "" }) => [
    step,
    status,
    start.slice(0, 19),
    end === undefined ? "" : `${Date.parse(end) - Date.parse(start)} ms`,
    error,
  ]);
  const columns = [
    { title: "step", whole: true },
    { title: "attempt" },
    { title: "started (UTC)" },
    { title: "took" },
    { title: "problem", flexible: true },
  ];
  return table(columns, rows, painted);
}

async function showLatest(runs: Runs | undefined, options: StatusOptions): Promise<void> {
  const { json, status, workflow, limit } = options;
  const filter = {
    limit,
    ...withoutAbsent({ status, workflow }),
  };
  const latest = (await runs?.list(filter)) ?? [];
  if (json) return printJson(latest);
  if (latest.length === 0) {
    const runs = workflow === undefined ? "runs" : `runs of ${workflow}`;
    note(status === undefined ? `No ${runs} here yet.` : `No ${runs} here are ${status}.`);
    return noteTraining(options);
  }
  const isMixed = latest.some((run) => run.workflow !== FEEDBACK_WORKFLOW);
  const rows = latest.map((run) => [
    run.key,
    ...(isMixed ? [run.workflow] : []),
    run.status,
    (run.start_time ?? "").slice(0, 19),
    progressOf(run),
    run.workflow_id,
  ]);
  const columns = [
    { title: isMixed ? "key" : "feedback", whole: true },
    ...(isMixed ? [{ title: "workflow" }] : []),
    { title: "status" },
    { title: "started (UTC)", spare: true },
    { title: "last step", spare: true },
    { title: "workflow id", whole: true },
  ];
  print(table(columns, rows, painted));
  note(
    `${plural(latest.length, "run")}, newest first${latest.length === limit ? "; there may be more (--limit)" : ""}`,
  );
  await noteDelays(runs);
  await noteTraining(options);
}

/** Prints whether the text analysis was trained here, because that may explain odd judgements. */
async function noteTraining(options: StatusOptions): Promise<void> {
  if (await serviceFor(options)) return;
  const trained = await openTrainedWeights(settingsFrom(options));
  if (!trained) return;
  const { version, trained_at, texts } = trained;
  const labels = `${count(texts.sentiment)} sentiment labels and ${count(texts.categories)} category labels`;
  note(
    isForThisVersion(trained)
      ? `The text analysis is trained: version ${version}, ${trained_at.slice(0, 10)}, on ${labels}`
      : `The text analysis is as shipped: the weights that were trained on ${trained_at.slice(0, 10)} belong to another version`,
  );
}

const progressOf = ({ error, failing, current_step: step = "" }: RunView): string =>
  truncated(error ?? (failing ? `${failing.step} fails: ${failing.error}` : step), MAX_PROBLEM_LENGTH);

function painted(text: string): string {
  const color = COLORS.get(text);
  return color === undefined ? text : styled(color, text);
}
