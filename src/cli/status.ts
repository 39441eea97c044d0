import type { Run, StepAttempt, WorkflowEngine } from "../engine/engine.ts";
import { historyOf } from "../workflow/result.ts";
import { shownReference } from "../workflows/customer-feedback/reflection.ts";
import type { CustomerFeedbackResult } from "../workflows/customer-feedback/result.ts";
import { cut, note, oneLine, plural, print, printJson, styled } from "./output.ts";
import { fields, outcomeText } from "./result-view.ts";
import { delayedRuns, findRun, reportUnknownRun, runView, withRuns, WORKFLOW } from "./runs.ts";
import type { StatusOptions } from "./status-command.ts";
import { table } from "./table.ts";

const LONGEST_PROBLEM = 36;
const COLORS: ReadonlyMap<string, "green" | "red" | "yellow"> = new Map([
  ["completed", "green"],
  ["failed", "red"],
  ["waiting_for_approval", "yellow"],
]);

/** One run, or without an id the latest ones. */
export const showStatus = (id: string | undefined, options: StatusOptions): Promise<void> =>
  withRuns(options, (engine) => (id === undefined ? showLatest(engine, options) : showOne(engine, id, options)));

async function showOne(
  engine: WorkflowEngine | undefined,
  id: string,
  { json, history: withHistory }: StatusOptions,
): Promise<void> {
  const run = await findRun(engine, id);
  if (!run || !engine) return reportUnknownRun(id, json === true);
  const status = runView(run);
  const history = withHistory ? await engine.history(run.id) : undefined;
  if (json) return printJson({ ...status, ...(history && { history: history.map(historyOf) }) });
  const { start_time: start = "", end_time: end, result } = status;
  const { customer_from_model } = run.input as { customer_from_model?: boolean };
  const reference = shownReference({ feedback_id: run.key, customer_from_model });
  const isAtWork = run.status === "processing" && !run.stepsCompleted.includes(run.currentStep ?? "");
  const atWork = isAtWork ? run.currentStep : undefined;
  print(
    fields([
      ["feedback", oneLine(run.key)],
      ...(reference === run.key ? [] : [["reference", reference] as const]),
      ["workflow id", run.id],
      ["status", painted(run.status)],
      ["steps", run.stepsCompleted.join(", ") || "none yet"],
      ...(atWork === undefined ? [] : [["at work", atWork] as const]),
      ...(result && run.workflow === WORKFLOW
        ? [["outcome", outcomeText(result as CustomerFeedbackResult)] as const]
        : []),
      ["started", start],
      ...(end === undefined ? [] : [["ended", end] as const]),
      ...(run.error ? [["problem", oneLine(run.error.error)] as const] : []),
      ...failingFields(run),
    ]),
  );
  if (history) print(`\n${historyTable(history)}`);
}

function failingFields({ failing }: Run): (readonly [string, string])[] {
  if (!failing) return [];
  const { attempts, since, error, nextTry, until } = failing;
  return [
    ["problem", oneLine(error.error)],
    ["failing", `since ${since.toISOString()}, ${plural(attempts, "attempt")}`],
    ["next try", nextTry ? nextTry.toISOString() : "now"],
    ...(until ? [["tried until", until.toISOString()] as const] : []),
  ];
}

/** What keeps runs failing, each reason once: so it is seen at night, however many runs there are. */
async function noteDelays(engine: WorkflowEngine | undefined): Promise<void> {
  const byProblem = Map.groupBy(engine ? await delayedRuns(engine) : [], ({ failing }) => failing!.error.error);
  for (const [problem, runs] of byProblem) {
    const since = new Date(Math.min(...runs.map(({ failing }) => failing!.since.getTime())));
    const wait = runs.length === 1 ? "waits" : "wait";
    note(`${plural(runs.length, "run")} ${wait} for a next attempt, since ${since.toISOString()}: ${oneLine(problem)}`);
  }
}

function historyTable(history: readonly StepAttempt[]): string {
  const rows = history.map(({ step, status, startTime, endTime, error }) => [
    step,
    status,
    startTime.toISOString().slice(0, 19),
    endTime ? `${endTime.getTime() - startTime.getTime()} ms` : "",
    error?.error ?? "",
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

async function showLatest(engine: WorkflowEngine | undefined, { json, status, limit }: StatusOptions): Promise<void> {
  const filter = { workflow: WORKFLOW, limit, ...(status === undefined ? {} : { status }) };
  const runs = (await engine?.list(filter)) ?? [];
  if (json) return printJson(runs.map(runView));
  if (runs.length === 0) return note(status === undefined ? "No runs here yet." : `No run here is ${status}.`);
  const rows = runs.map((run) => [
    run.key,
    run.status,
    run.startTime.toISOString().slice(0, 19),
    progressOf(run),
    run.id,
  ]);
  const columns = [
    { title: "feedback", whole: true },
    { title: "status" },
    { title: "started (UTC)", spare: true },
    { title: "last step", spare: true },
    { title: "workflow id", whole: true },
  ];
  print(table(columns, rows, painted));
  note(`${plural(runs.length, "run")}, newest first`);
  await noteDelays(engine);
}

const progressOf = ({ error, failing, currentStep = "" }: Run): string =>
  cut(error?.error ?? (failing ? `${failing.step} fails: ${failing.error.error}` : currentStep), LONGEST_PROBLEM);

function painted(text: string): string {
  const color = COLORS.get(text);
  return color === undefined ? text : styled(color, text);
}
