import { z } from "zod";
import type { Run, RunEvent, RunFilter } from "../engine/engine.ts";
import { ValidationError } from "../errors.ts";
import { withoutAbsent } from "../json.ts";
import { tidyIdentifier } from "../tidy-identifier.ts";
import { checkAfter } from "./arguments.ts";
import { MailReceipt } from "./mail-receipt.ts";
import { direct, type DirectOperation } from "./operation.ts";
import { historyOf } from "./result.ts";
import {
  dateTime,
  RunEventSchema,
  RunOrderSchema,
  RunStatusSchema,
  StepHistorySchema,
  WorkflowStatusSchema,
} from "./run-schemas.ts";
import type { Service } from "./service.ts";
import { withNormalizedIdentity } from "./submission.ts";

const MAX_PAGE_SIZE = 1000;
const DEFAULT_PAGE_SIZE = 100;

const workflow_id = z.string().trim().min(1).max(200).describe("Id of the run: workflow-…");
const Id = z.strictObject({ workflow_id });
const after = z.string().max(200).optional().describe("Id of the last run on the previous page.");
const limit = z.coerce
  .number()
  .int()
  .min(1)
  .max(MAX_PAGE_SIZE)
  .default(DEFAULT_PAGE_SIZE)
  .describe("How many to return at most.");
const workflow = z.string().max(200).optional().describe("Only runs of this workflow.");

const Page = z.object({
  runs: z.array(WorkflowStatusSchema),
  next: z.string().optional().describe("The value of `after` for the next page; absent on the last page."),
});

const WaitingPage = Page.extend({
  runs: z.array(
    WorkflowStatusSchema.extend({
      excerpt: z.string().optional().describe("What it is about, such as the first 200 characters of the feedback."),
    }),
  ),
});

/**
 * Whether a run that was found by its key passes the rest of a filter for `engine.list`; paging,
 * order and `withoutCompleted` aside.
 */
const matches =
  ({ status, startedSince, startedBefore, input = {} }: RunFilter) =>
  (run: Run): boolean =>
    (status === undefined || run.status === status) &&
    (startedSince === undefined || run.startTime >= startedSince) &&
    (startedBefore === undefined || run.startTime < startedBefore) &&
    Object.entries(input).every(([field, value]) => (run.input as Record<string, unknown> | null)?.[field] === value);

/** The operations with which operators manage the runs of all workflows. */
export function runOperations(
  service: Pick<Service, "engine" | "workflows" | "run" | "receiveMail">,
): DirectOperation[] {
  const { engine } = service;
  const viewOf = (run: Run) => ({
    workflow: run.workflow,
    key: run.key,
    ...service.workflows.get(run.workflow)!.statusOf(run),
  });
  const auxiliaryNames = [...service.workflows.values()].flatMap(({ name, isAuxiliary }) =>
    isAuxiliary ? [name] : [],
  );
  const pageOf = async <View>(filter: RunFilter & { limit: number }, view: (run: Run) => View) => {
    const runs = await engine.list({ ...filter, limit: filter.limit + 1 });
    if (runs.length === 0) await checkAfter(engine, filter.after);
    const shown = runs.slice(0, filter.limit).filter((run) => service.workflows.has(run.workflow));
    return {
      runs: shown.map(view),
      ...(runs.length > filter.limit && { next: runs[filter.limit - 1]!.id }),
    };
  };
  const page = (filter: RunFilter & { limit: number }) => pageOf(filter, viewOf);
  const waitingView = (run: Run) => {
    const excerpt = service.workflows.get(run.workflow)!.excerptOf(run);
    return { ...viewOf(run), ...withoutAbsent({ excerpt }) };
  };
  /** The runs with this key, which is unique only within a workflow. */
  const withKey = async (key: string, workflow: string | undefined): Promise<Run[]> => {
    const names = [...service.workflows.keys()].filter((name) => workflow === undefined || name === workflow);
    const found = await Promise.all(names.map((name) => engine.find(name, tidyIdentifier(key))));
    return found.filter((run) => run !== undefined);
  };
  /** The values of input fields to filter by, with ids in the form in which they are stored. */
  const normalized = (input: Readonly<Record<string, string>>, workflow: string | undefined): Record<string, string> =>
    [...service.workflows.values()]
      .filter(({ name }) => workflow === undefined || name === workflow)
      .reduce((filter, { process }) => withNormalizedIdentity(process, filter), { input }).input;
  const status = async (id: string) => viewOf((await service.run(id)).run);

  return [
    direct("list_runs", {
      description:
        "List runs, newest first unless you choose otherwise. Runs that only accompany others, such as notifications, are left out once they have completed, " +
        "unless you name their workflow or key.",
      audience: "operator",
      input: z.strictObject({
        workflow,
        status: RunStatusSchema.optional().describe("Only runs with this status."),
        input: z
          .record(z.string(), z.string())
          .optional()
          .describe("Only runs with these values of input fields, such as customer_id."),
        key: z.string().max(200).optional().describe("Only runs with this key, such as a feedback id."),
        started_since: dateTime.optional().describe("Only runs that were started at this time or later, ISO 8601."),
        started_before: dateTime.optional().describe("Only runs that were started before this time, ISO 8601."),
        order: RunOrderSchema.default("newest"),
        after,
        limit,
      }),
      output: Page,
      run: async ({ started_since: startedSince, started_before: startedBefore, key, input, ...filter }) => {
        const withoutCompleted = filter.workflow === undefined ? auxiliaryNames : [];
        const times = { startedSince, startedBefore };
        const fields = input && { input: normalized(input, filter.workflow) };
        const wanted = { ...filter, ...times, ...fields, withoutCompleted } as RunFilter & { limit: number };
        if (key === undefined) return page(wanted);
        return { runs: (await withKey(key, filter.workflow)).filter(matches(wanted)).map(viewOf) };
      },
    }),
    direct("get_run", {
      description: "Show the status of a run.",
      audience: "operator",
      input: Id,
      output: WorkflowStatusSchema,
      run: ({ workflow_id: id }) => status(id),
    }),
    direct("get_run_history", {
      description: "Show every attempt of every listed step of a run, in the order in which they started.",
      audience: "operator",
      input: Id,
      output: z.object({ history: z.array(StepHistorySchema) }),
      run: async ({ workflow_id: id }) => {
        const { run } = await service.run(id);
        return { history: (await engine.history(run.id)).map(historyOf) };
      },
    }),
    direct("list_run_events", {
      description: "List what has happened to a run, oldest first.",
      audience: "operator",
      input: z.strictObject({
        workflow_id,
        after: z.coerce.number().int().min(-1).default(-1).describe("Id of the last event that you have received."),
      }),
      output: z.object({ events: z.array(RunEventSchema) }),
      run: async ({ workflow_id: id, after: known }) => {
        const { run } = await service.run(id);
        return { events: (await engine.events(run.id, known)).map(eventView) };
      },
    }),
    direct("cancel_run", {
      description: "Stop a run between two steps. What its steps have done stays done.",
      audience: "operator",
      writes: true,
      input: Id,
      output: WorkflowStatusSchema.extend({ changed: z.boolean().describe("False if it had already ended.") }),
      run: async ({ workflow_id: id }) => {
        const { run } = await service.run(id);
        const changed = await engine.cancel(run.id);
        return { ...(await status(id)), changed };
      },
    }),
    direct("retry_run", {
      description:
        "Resume a failed or cancelled run at the step where it stopped. If a run keeps retrying a step " +
        "(`failing.until`), try that step now.",
      audience: "operator",
      writes: true,
      input: Id,
      output: WorkflowStatusSchema.extend({ changed: z.boolean().describe("False if there is nothing to retry.") }),
      run: async ({ workflow_id: id }) => {
        const { run } = await service.run(id);
        const changed = await engine.retry(run.id);
        return { ...(await status(id)), changed };
      },
    }),
    direct("list_approvals", {
      description: "List the runs that wait for a person, oldest first unless you choose otherwise.",
      audience: "person",
      scope: "approve",
      input: z.strictObject({ workflow, order: RunOrderSchema.default("oldest"), after, limit }),
      output: WaitingPage,
      run: (filter) => {
        const waiting = { ...(filter as RunFilter), limit: filter.limit, status: "waiting_for_approval" } as const;
        return pageOf(waiting, waitingView);
      },
    }),
    direct("receive_event", {
      description:
        "Accept an event from another system, such as new feedback in a help desk. The event is durable when the " +
        "call is answered.",
      audience: "operator",
      writes: true,
      input: z.strictObject({
        type: z.string().min(1).max(200).describe("The type of event, such as new_feedback."),
        data: z.record(z.string(), z.unknown()).describe("The event's own fields."),
      }),
      output: z.looseObject({ status: z.string() }),
      run: ({ type, data }) => receiverOf(service, type).receiveEvent(type, data),
    }),
    direct("ingest_mail", {
      description:
        "Accept an incoming email. Its outcome is durable when the call is answered. Sending the same email again changes " +
        "nothing.",
      audience: "operator",
      writes: true,
      input: z.strictObject({
        mail: z.base64().min(1).describe("The whole email (RFC 5322), unchanged, in base64."),
      }),
      output: MailReceipt,
      run: ({ mail }) => service.receiveMail(Buffer.from(mail, "base64")),
    }),
  ];
}

/** @throws ValidationError (`unknown_event_type`) */
function receiverOf({ workflows }: Pick<Service, "workflows">, type: string) {
  const all = [...workflows.values()];
  const receiver = all.find(({ eventTypes }) => eventTypes.includes(type));
  if (receiver) return receiver;
  const known = all.flatMap(({ eventTypes }) => eventTypes).join(", ") || "none";
  throw new ValidationError(`Unknown event type: ${type}. Known types: ${known}.`, { code: "unknown_event_type" });
}

/** An event of a run, as the service shows it. */
export const eventView = ({ n, type, time, step, error }: RunEvent) => ({
  id: n,
  type,
  time: time.toISOString(),
  ...withoutAbsent({ step }),
  ...error,
});
