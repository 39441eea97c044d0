/**
 * Traces each run as one trace: from its submission, through its steps wherever they are executed,
 * to its end.
 */
import type { RestedRun, RunContext, Step, StepOptions, StepWork } from "../engine/engine.ts";
import type { Json } from "../json.ts";
import { inSpan, inTrace, isTracing, traceOfInput, recordSpan, type TraceContext } from "./tracing.ts";

/**
 * The trace of a run: the one in which it was submitted. If it was accepted without an SDK, the
 * trace is made from the run's id, so all processes that execute it agree.
 */
export const traceOfRun = (runId: string, input: Json): TraceContext | undefined =>
  traceOfInput(input) ?? traceOfId(runId);

function traceOfId(runId: string): TraceContext | undefined {
  const traceId = /[0-9a-f-]{36}$/.exec(runId)?.[0].replaceAll("-", "");
  return traceId?.length === 32 ? { traceparent: `00-${traceId}-${traceId.slice(16)}-01` } : undefined;
}

/**
 * Executes a run's handler in the run's trace. Each real attempt at a step is a span; a replayed
 * step, which returns its recorded result, is not.
 */
export function executeInTrace<Output>(
  { workflow, input }: { workflow: string; input: Json },
  context: RunContext,
  handler: (context: RunContext) => Promise<Output>,
): Promise<Output> {
  if (!isTracing()) return handler(context);
  const step = tracedStep(context.step, { "abi.workflow.name": workflow, "abi.workflow.id": context.runId });
  return inTrace(traceOfRun(context.runId, input), () => handler({ ...context, step }));
}

function tracedStep(original: Step, runAttributes: Record<string, string>): Step {
  const inStepSpan =
    <Output>(name: string, work: StepWork<Output>): StepWork<Output> =>
    (attempt) => {
      const attributes = { ...runAttributes, "abi.step.name": name, "abi.step.attempt": attempt };
      return inSpan(`step ${name}`, { attributes }, async (span) => {
        let outcome = "failed";
        try {
          const output = await work(attempt);
          outcome = "completed";
          return output;
        } finally {
          span?.setAttribute("abi.step.outcome", outcome);
        }
      });
    };
  const step = <Output>(name: string, work: StepWork<Output>, options?: StepOptions) =>
    original(name, inStepSpan(name, work), options);
  step.unlisted = <Output>(name: string, work: StepWork<Output>, options?: StepOptions) =>
    original.unlisted(name, inStepSpan(name, work), options);
  return step;
}

/**
 * Records the span of a whole run that has ended, or the moment at which a run begins to wait for a
 * person.
 */
export function recordRunSpan({ id, workflow, status, input, error, startTime, time }: RestedRun): void {
  if (!isTracing()) return;
  const parent = traceOfRun(id, input());
  const attributes = { "abi.workflow.name": workflow, "abi.workflow.id": id };
  if (status === "waiting_for_approval") {
    recordSpan(`wait ${workflow}`, { attributes, parent }, { startTime: time, endTime: time });
    return;
  }
  recordSpan(
    `run ${workflow}`,
    { kind: "consumer", attributes: { ...attributes, "abi.run.status": status }, parent, errorType: error?.error_code },
    { startTime, endTime: time },
  );
}
